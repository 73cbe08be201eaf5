//! A sender that crashes between any two storage operations, and tries again.

use heronry_journal::Body as RecordBody;
use heronry_pool::{
    Caller,
    decide::{Content, Expiry, SendRequest},
};
use heronry_runtime::{CallError, Pool, StopReason};
use heronry_store::CommitOutcome;
use heronry_testkit::AppendFault;
use heronry_tests::{World, key, on_every_store_that_is_reopened, run, topic};
use heronry_types::{Address, Body, MessageStatus, Millis, Receipt};

on_every_store_that_is_reopened! {
    a20_a_crash_around_a_body_that_is_stored_first_and_a_retry_are_one_message
    a20_a_crash_of_a_join_and_a_retry_are_one_member
    a20_a_crash_while_a_message_is_appended_and_a_retry_are_one_message
}

const FAULTS: [AppendFault; 2] = [AppendFault::UnknownNotKept, AppendFault::UnknownKept];

/// Requests with each possible outcome.
fn requests(fault: AppendFault) -> Vec<(SendRequest, MessageStatus)> {
    let named = |name: &str| key(&format!("{name}-{fault:?}"));
    let to = |to, name: &str| SendRequest::new(to, heronry_tests::body(name), named(name));
    let run_id = run("scout");
    let delivered = to(
        Address::Run {
            run_id: run_id.clone(),
        },
        "delivered",
    );
    let failed = to(
        Address::Topic {
            topic_id: topic("nothing"),
        },
        "failed",
    );
    let mut expired = to(Address::Run { run_id }, "expired");
    expired.expiry = Some(Expiry::In(Millis(0)));
    vec![
        (delivered, MessageStatus::Delivered),
        (failed, MessageStatus::Failed),
        (expired, MessageStatus::Expired),
    ]
}

fn stopped(error: &CallError, expected: CommitOutcome) {
    let CallError::Stopped { outcome, why } = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (*outcome, *why),
        (
            expected,
            StopReason::StoreFenced(heronry_store::StoreErrorKind::Io)
        )
    );
}

/// Sends while the store fails, opens the store again, and returns the reopened world and its pool.
async fn crash(
    world: World,
    (pool, lead): (Pool, &Caller),
    request: &SendRequest,
    fault: AppendFault,
) -> (World, Pool) {
    world.faults.fail_next_append(fault);
    let first = world.send(&pool, lead, request.clone()).await.unwrap_err();
    stopped(&first, CommitOutcome::Unknown);
    let second = world.send(&pool, lead, request.clone()).await.unwrap_err();
    stopped(&second, CommitOutcome::None);
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    (world, pool)
}

/// Checks that every acceptance under this key is one, and followed by its outcome.
async fn check_one(world: &World, pool: &Pool, request: &SendRequest, receipt: &Receipt) {
    let records = world.records(pool).await;
    let accepted = records.iter().filter(|record| {
        matches!(&record.entry.body, RecordBody::MessageAccepted(body) if body.idempotency_key == request.key)
    });
    let accepted: Vec<_> = accepted.map(|record| record.position).collect();
    assert_eq!(accepted, [receipt.cursor.position]);
    for sent in world.state(pool).await.messages().sorted() {
        assert!(
            sent.message.status.is_some(),
            "{:?} is stuck in accepted",
            sent.accepted
        );
    }
}

async fn a20_a_crash_while_a_message_is_appended_and_a_retry_are_one_message(world: World) {
    let mut world = world;
    let mut pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    for fault in FAULTS {
        for (request, status) in requests(fault) {
            (world, pool) = crash(world, (pool, &lead), &request, fault).await;
            let sent = world.send(&pool, &lead, request.clone()).await.unwrap();
            assert_eq!(sent.repeated, fault == AppendFault::UnknownKept);
            assert_eq!(sent.receipt.status, status);
            let again = world.send(&pool, &lead, request.clone());
            let again = world.unrecorded(&pool, again).await;
            assert_eq!((again.repeated, &again.receipt), (true, &sent.receipt));
            check_one(&world, &pool, &request, &sent.receipt).await;
            let body = pool
                .body(lead.clone(), sent.receipt.content_ref)
                .await
                .unwrap();
            let Content::Inline(asked) = &request.content else {
                unreachable!()
            };
            assert_eq!(body.body, *asked, "the body rides in the same append");
            world.check_replay(&pool).await;
        }
    }
    assert_eq!(
        world.receive(&pool, &scout, "r1", 10).await.items.len(),
        2,
        "one for each fault"
    );
}

/// Stores the body anew, as a client does that starts over, and returns the request.
async fn stored(pool: &Pool, lead: &Caller, name: &str) -> SendRequest {
    let stored = pool
        .store_body(lead.clone(), Body::text("long"))
        .await
        .unwrap()
        .content_ref;
    let content = pool.stored(lead.clone(), stored).await.unwrap();
    SendRequest::new(
        Address::Run {
            run_id: run("scout"),
        },
        content,
        key(name),
    )
}

async fn a20_a_crash_around_a_body_that_is_stored_first_and_a_retry_are_one_message(world: World) {
    let mut world = world;
    let mut pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    // After the body and before the message.
    stored(&pool, &lead, "between").await;
    drop(pool);
    world = world.crash().await;
    pool = world.pool().await;
    let request = stored(&pool, &lead, "between").await;
    let sent = world.send(&pool, &lead, request.clone()).await.unwrap();
    assert!(!sent.repeated);
    check_one(&world, &pool, &request, &sent.receipt).await;

    for fault in FAULTS {
        let name = format!("{fault:?}");
        let first = stored(&pool, &lead, &name).await;
        (world, pool) = crash(world, (pool, &lead), &first, fault).await;
        let retry = stored(&pool, &lead, &name).await;
        let sent = world.send(&pool, &lead, retry.clone()).await.unwrap();
        assert_eq!(sent.repeated, fault == AppendFault::UnknownKept);
        check_one(&world, &pool, &retry, &sent.receipt).await;
        let body = pool
            .body(scout.clone(), sent.receipt.content_ref)
            .await
            .unwrap();
        assert_eq!(&*body.body.bytes, b"long");
        world.check_replay(&pool).await;
    }
}

async fn a20_a_crash_of_a_join_and_a_retry_are_one_member(world: World) {
    let mut world = world;
    for fault in FAULTS {
        let pool = world.pool().await;
        let before = world.head(&pool).await;
        let name = format!("{fault:?}");
        world.faults.fail_next_append(fault);
        let lost = world
            .join_as(&pool, World::joining(&name))
            .await
            .unwrap_err();
        stopped(&lost, CommitOutcome::Unknown);
        drop(pool);
        world = world.crash().await;
        let pool = world.pool().await;
        let joined = world.join_as(&pool, World::joining(&name)).await.unwrap();
        assert_eq!(joined.repeated, fault == AppendFault::UnknownKept);
        assert_eq!(joined.generation.0, before.next());
        assert_eq!(world.head(&pool).await, before.next());
        world.check_replay(&pool).await;
    }
}
