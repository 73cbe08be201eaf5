//! Cancelling messages.

use heronry_journal::Record;
use heronry_pool::{
    Caller, Rejection,
    decide::{CancelMessage, ClaimSet, Expiry, ReplayCopy},
};
use heronry_runtime::Pool;
use heronry_tests::{World, message, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Actor, Address, CopyState, EventKind, MessageStatus, Millis, Receipt, TimelineState, Visibility,
};

use super::inbox::MINUTE;

on_every_store! {
    a28_a_message_cancelled_before_it_is_claimed_is_never_seen
    a28_a_message_that_is_over_stays_as_it_ended_and_nothing_is_recorded
    a28_only_the_sender_or_an_operator_cancels
    a28_an_operator_cancels_what_a_departed_run_sent
    m11_a_cancel_leaves_a_live_claim_alone_and_its_copy_ends_once_given_back
    m11_an_acknowledgement_after_the_cancel_counts_for_its_copy
    m11_a_takeover_gives_no_cancelled_copy_back
    m11_a_cancelled_message_does_not_expire_and_its_dead_copies_stay_dead
}

on_every_store_that_is_reopened! {
    m11_a_cancel_is_there_after_a_crash_and_wakes_who_waits_for_it
}

fn cancel(caller: &Caller, from: &str, id: &str) -> CancelMessage {
    CancelMessage {
        caller: caller.clone(),
        from: run(from),
        message_id: message(id),
    }
}

/// A pool with a lead and two scouts.
async fn with_scouts(world: &World) -> (Pool, Caller, [Caller; 2]) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scouts = [
        world.join(&pool, "ann").await,
        world.join(&pool, "bob").await,
    ];
    (pool, lead, scouts)
}

fn everybody(pool: &Pool) -> Address {
    let pool_id = pool.id().clone();
    Address::Pool { pool_id }
}

fn states(receipt: &Receipt) -> Vec<CopyState> {
    receipt.recipients.iter().map(|copy| copy.state).collect()
}

async fn a28_a_message_cancelled_before_it_is_claimed_is_never_seen(world: World) {
    let (pool, lead, [ann, bob]) = with_scouts(&world).await;
    let sent = world.say_to(&pool, &lead, (everybody(&pool), "m")).await;
    let before = world.head(&pool).await;
    let receipt = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(receipt.status, MessageStatus::Cancelled);
    assert_eq!(states(&receipt), [CopyState::Cancelled; 2]);
    assert_eq!(receipt.cursor, sent.cursor);
    let steps: Vec<_> = receipt.timeline[2..].iter().collect();
    let of: Vec<_> = steps.iter().map(|step| step.run_id.clone()).collect();
    assert_eq!(of, [Some(run("ann")), Some(run("bob")), None]);
    assert!(steps.iter().all(|it| it.state == TimelineState::Cancelled));

    let records = world.records_after(&pool, before).await;
    let kinds: Vec<_> = records.iter().map(Record::kind).collect();
    assert_eq!(kinds, [EventKind::RunMessageCancelled]);
    let entry = &records[0].entry;
    assert!(matches!(&entry.actor, Actor::Member { run, .. } if run.as_str() == "lead"));
    assert_eq!(entry.lineage.caused_by, Some(sent.cursor.position));
    let event = world.events(&pool).await.pop().unwrap();
    assert_eq!(event.envelope.exchange.message, Some(message("m")));
    for scout in [&ann, &bob] {
        let received = world.receive(&pool, scout, "r", 10).await;
        assert_eq!((received.items.len(), received.unread), (0, 0));
    }
    world.check_replay(&pool).await;
}

async fn a28_a_message_that_is_over_stays_as_it_ended_and_nothing_is_recorded(world: World) {
    let (pool, lead, [ann, _]) = with_scouts(&world).await;
    world.say(&pool, &lead, ("ann", "acked")).await;
    let claims = World::claims(&world.receive(&pool, &ann, "r", 1).await);
    let done = world.ack(&pool, &ann, ClaimSet::These(claims)).await;
    done.unwrap();
    world.say(&pool, &lead, ("nobody", "failed")).await;
    world.say(&pool, &lead, ("ann", "cancelled")).await;
    pool.call(cancel(&lead, "lead", "cancelled")).await.unwrap();
    for (id, status) in [
        ("acked", MessageStatus::Settled),
        ("failed", MessageStatus::Failed),
        ("cancelled", MessageStatus::Cancelled),
    ] {
        let found = world.receipt(&pool, "lead", id).await;
        for _again in 0..2 {
            let call = pool.call(cancel(&lead, "lead", id));
            let receipt = world.unrecorded(&pool, call).await;
            assert_eq!((&receipt, receipt.status), (&found, status));
        }
    }
    world.check_replay(&pool).await;
}

async fn a28_only_the_sender_or_an_operator_cancels(world: World) {
    let (pool, lead, [ann, _]) = with_scouts(&world).await;
    world.say(&pool, &lead, ("ann", "m")).await;
    let try_to = |caller: &Caller, from: &str, id: &str| {
        world.refused(&pool, pool.call(cancel(caller, from, id)))
    };
    assert_eq!(try_to(&ann, "lead", "m").await, Rejection::SenderMismatch);
    assert_eq!(try_to(&ann, "ann", "m").await, Rejection::MessageNotFound);
    assert_eq!(
        try_to(&lead, "lead", "other").await,
        Rejection::MessageNotFound
    );
    let operator = try_to(&Caller::Operator, "ann", "m").await;
    assert_eq!(operator, Rejection::MessageNotFound);
    world
        .join_as(&pool, World::joining_as("lead", "second"))
        .await
        .unwrap();
    assert_eq!(try_to(&lead, "lead", "m").await, Rejection::Fenced);
    let receipt = pool.call(cancel(&Caller::Operator, "lead", "m")).await;
    assert_eq!(receipt.unwrap().status, MessageStatus::Cancelled);
    let last = world.records(&pool).await.pop().unwrap();
    assert_eq!(last.entry.actor, Actor::Operator);
    world.check_replay(&pool).await;
}

async fn a28_an_operator_cancels_what_a_departed_run_sent(world: World) {
    let (pool, lead, [ann, _]) = with_scouts(&world).await;
    world.say(&pool, &lead, ("ann", "m")).await;
    world.leave(&pool, &lead).await.unwrap();
    let own = world.refused(&pool, pool.call(cancel(&lead, "lead", "m")));
    assert_eq!(own.await, Rejection::NotAMember);
    let receipt = pool.call(cancel(&Caller::Operator, "lead", "m")).await;
    assert_eq!(states(&receipt.unwrap()), [CopyState::Cancelled]);
    let last = world.records(&pool).await.pop().unwrap();
    assert_eq!(last.entry.visibility, Visibility::InScope);
    assert_eq!(world.receive(&pool, &ann, "r", 10).await.items, []);
    world.check_replay(&pool).await;
}

async fn m11_a_cancel_leaves_a_live_claim_alone_and_its_copy_ends_once_given_back(world: World) {
    let (pool, lead, [ann, bob]) = with_scouts(&world).await;
    world.say_to(&pool, &lead, (everybody(&pool), "m")).await;
    world.say(&pool, &lead, ("ann", "other")).await;
    let claims = World::claims(&world.receive(&pool, &ann, "r", 1).await);
    let receipt = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(receipt.status, MessageStatus::Cancelled);
    assert_eq!(
        states(&receipt),
        [CopyState::Claimed, CopyState::Cancelled],
        "a claim goes on"
    );
    assert_eq!(world.receive(&pool, &bob, "r", 10).await.items, []);
    world.release(&pool, &ann, claims, None).await.unwrap();
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(states(&receipt), [CopyState::Cancelled; 2]);
    assert_eq!(receipt.recipients[0].attempt, 1);
    let rest = world.receive(&pool, &ann, "rest", 10).await;
    assert_eq!(rest.items.len(), 1, "only the other message is left");
    assert_eq!(rest.items[0].message_id, message("other"));
    world.check_replay(&pool).await;
}

async fn m11_an_acknowledgement_after_the_cancel_counts_for_its_copy(world: World) {
    let (pool, lead, [ann, _]) = with_scouts(&world).await;
    world.say(&pool, &lead, ("ann", "m")).await;
    let claims = World::claims(&world.receive(&pool, &ann, "r", 1).await);
    pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    let before = world.head(&pool).await;
    let done = world.ack(&pool, &ann, ClaimSet::These(claims)).await;
    done.unwrap();
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(receipt.status, MessageStatus::Cancelled, "it ended once");
    assert_eq!(states(&receipt), [CopyState::Acked]);
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunMessageAcked]);
    world.check_replay(&pool).await;
}

async fn m11_a_takeover_gives_no_cancelled_copy_back(world: World) {
    let (pool, lead, [ann, _]) = with_scouts(&world).await;
    world.say(&pool, &lead, ("ann", "m")).await;
    world.receive(&pool, &ann, "r", 1).await;
    pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    let joined = world.join_as(&pool, World::joining_as("ann", "second"));
    let ann = World::member("ann", joined.await.unwrap().generation);
    assert_eq!(world.receive(&pool, &ann, "r", 10).await.items, []);
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(states(&receipt), [CopyState::Cancelled]);
    assert_eq!(receipt.recipients[0].attempt, 0, "it was no attempt");
    world.check_replay(&pool).await;
}

async fn m11_a_cancelled_message_does_not_expire_and_its_dead_copies_stay_dead(world: World) {
    let (pool, lead, [ann, bob]) = with_scouts(&world).await;
    let mut request = World::to_run("ann", "m", "work");
    request.to = everybody(&pool);
    request.message_id = Some(message("m"));
    request.expiry = Some(Expiry::In(Millis(MINUTE.0 * 10)));
    let sent = world.send(&pool, &lead, request).await.unwrap().receipt;
    for attempt in 1..=5 {
        let name = format!("r{attempt}");
        let claims = World::claims(&world.receive(&pool, &ann, &name, 1).await);
        world.release(&pool, &ann, claims, None).await.unwrap();
    }
    world.receive(&pool, &bob, "r", 1).await;
    let receipt = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(states(&receipt), [CopyState::Dead, CopyState::Claimed]);
    let replay = ReplayCopy {
        caller: ann.clone(),
        run: run("ann"),
        accepted: sent.cursor,
    };
    let refused = world.refused(&pool, pool.call(replay)).await;
    assert_eq!(refused, Rejection::MessageOver);
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(MINUTE.0 * 11)).await;
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(receipt.status, MessageStatus::Cancelled);
    assert_eq!(states(&receipt), [CopyState::Dead, CopyState::Cancelled]);
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunMessageReleased], "the claim lapsed");
    world.check_replay(&pool).await;
}

async fn m11_a_cancel_is_there_after_a_crash_and_wakes_who_waits_for_it(world: World) {
    let (pool, lead, _) = with_scouts(&world).await;
    let waiting = World::waiting(r#"kind == "run_message_cancelled" && message == "m""#, "w");
    let wake = world.register(&pool, &lead, waiting).await;
    let sent = world.say(&pool, &lead, ("ann", "m")).await;
    let find = heronry_pool::decide::FindMessage {
        caller: lead.clone(),
        from: run("lead"),
        message_id: message("m"),
    };
    let watching = {
        let (pool, find) = (pool.clone(), find.clone());
        tokio::spawn(async move { pool.wait_receipt(find, sent.as_of, MINUTE).await })
    };
    heronry_tests::let_others_run().await;
    let cancelled = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(watching.await.unwrap().unwrap().status, cancelled.status);
    let woken = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(woken.matches[0].kind, EventKind::RunMessageCancelled);
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let again = pool.call(cancel(&lead, "lead", "m"));
    let again = world.unrecorded(&pool, again).await;
    assert_eq!(again.timeline, cancelled.timeline);
    world.check_replay(&pool).await;
}
