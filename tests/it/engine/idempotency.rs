//! Same key, same outcome: whatever happens in between.

use std::sync::Arc;

use futures::future::join_all;
use heronry_pool::{
    Caller, Rejection, Sent,
    decide::{AppendEvents, Content, Expiry, RegisterWake, SendRequest, WakeRequest},
};
use heronry_runtime::{Pool, Runtime, RuntimeOptions};
use heronry_store::FencingToken;
use heronry_testkit::SeededIds;
use heronry_tests::{
    World, as_many_as_asked, body, key, message, on_every_store, on_every_store_that_is_reopened,
    on_every_store_with_threads, run, topic,
};
use heronry_types::{
    Address, CorrelationKey, CorrelationValue, EventKind, Millis, NewEvent, Position, Receipt,
    Since, Trace,
};

on_every_store! {
    a11_a_repeat_from_another_handle_gets_the_same_receipt
    a12_a_retry_with_other_incidentals_is_a_repeat
    m3_a_repeated_wake_is_answered_before_its_cursor_is_checked
    m3_a_repeat_is_answered_as_before_when_the_key_of_the_server_is_another
}

on_every_store_that_is_reopened! {
    a11_a_repeat_after_a_restart_and_many_messages_gets_the_same_receipt
}

on_every_store_with_threads! {
    a13_identical_sends_at_the_same_time_are_one_message
    a13_different_keys_at_the_same_time_are_dense_messages
}

/// The number of messages that are sent before a key is asked again, unless `HERONRY_MESSAGES` sets
/// it: more than the claims that stay in memory.
const MESSAGES: usize = 5_000;

async fn scene(world: &World) -> (Pool, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    (pool, lead)
}

/// Repeats a request; it must give the receipt as it stands, and record nothing.
async fn check_repeat(world: &World, pool: &Pool, request: &SendRequest, first: &Receipt) {
    let lead = world.join(pool, "lead").await;
    let repeat = world.send(pool, &lead, request.clone());
    let Sent { receipt, repeated } = world.unrecorded(pool, repeat).await;
    assert!(repeated);
    let as_of = pool.head();
    assert_eq!(
        receipt,
        Receipt {
            as_of,
            ..first.clone()
        }
    );
}

async fn a11_a_repeat_from_another_handle_gets_the_same_receipt(world: World) {
    let (pool, lead) = scene(&world).await;
    let request = World::to_run("scout", "k1", "go");
    let sent = world.send(&pool, &lead, request.clone()).await.unwrap();
    assert!(!sent.repeated);
    check_repeat(&world, &pool, &request, &sent.receipt).await;
    let other = world.pool().await;
    check_repeat(&world, &other, &request, &sent.receipt).await;
    check_repeat(&world, &pool.clone(), &request, &sent.receipt).await;
    world.check_replay(&pool).await;
}

async fn a11_a_repeat_after_a_restart_and_many_messages_gets_the_same_receipt(world: World) {
    let (pool, lead) = scene(&world).await;
    let request = World::to_run("scout", "k1", "go");
    let first = world
        .send(&pool, &lead, request.clone())
        .await
        .unwrap()
        .receipt;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    check_repeat(&world, &pool, &request, &first).await;

    // More than claims stay in memory; to nobody, so that no inbox is in the way.
    let count = as_many_as_asked("HERONRY_MESSAGES", MESSAGES) as u64;
    let to = Address::Topic {
        topic_id: topic("nothing"),
    };
    for batch in 0..count / 1_000 {
        let sends = (0..1_000).map(|one| {
            let other = key(&format!("other-{}", batch * 1_000 + one));
            world.send(&pool, &lead, SendRequest::new(to.clone(), body("-"), other))
        });
        assert!(join_all(sends).await.into_iter().all(|sent| sent.is_ok()));
    }
    assert_eq!(world.head(&pool).await, Position(5 + 2 * count));
    check_repeat(&world, &pool, &request, &first).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    check_repeat(&world, &pool, &request, &first).await;
    world.check_replay(&pool).await;
}

/// A request that names every field.
fn full() -> SendRequest {
    let mut request = World::to_run("scout", "k1", "go");
    let correlated = (CorrelationKey::parse("job"), CorrelationValue::parse("7"));
    request
        .correlation
        .insert(correlated.0.unwrap(), correlated.1.unwrap());
    request.message_id = Some(message("m1"));
    request.reply_to = Some(message("m0"));
    request.expiry = Some(Expiry::In(Millis::from_secs(30)));
    request.policies = World::policies(&["a", "b"]);
    request
}

async fn a12_a_retry_with_other_incidentals_is_a_repeat(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["a", "b"]).await;
    world.join_with(&pool, "scout", &[], &["a", "b"]).await;
    let trace = |last| Trace {
        trace_id: [1; 16],
        span_id: [last; 8],
        flags: 1,
    };
    let without_id = || SendRequest {
        message_id: None,
        ..full()
    };
    let first = SendRequest {
        trace: Some(trace(1)),
        ..without_id()
    };
    let receipt = world.send(&pool, &lead, first).await.unwrap().receipt;
    world.clock.advance(Millis::from_secs(5));
    let policies = World::policies(&["b", "a", "b"]);
    let retry = SendRequest {
        trace: Some(trace(2)),
        policies,
        ..without_id()
    };
    check_repeat(&world, &pool, &retry, &receipt).await;
    check_repeat(&world, &pool, &without_id(), &receipt).await;
    world.check_replay(&pool).await;
}

async fn m3_a_repeated_wake_is_answered_before_its_cursor_is_checked(world: World) {
    let (pool, lead) = scene(&world).await;
    let since = Since::Cursor(World::cursor(&pool, Position(1)));
    let request = |key_text| WakeRequest {
        since,
        ..World::waiting(r#"run == "scout""#, key_text)
    };
    let waiting = |caller: &Caller, key_text| {
        pool.call(RegisterWake::new(
            caller.clone(),
            run("lead"),
            request(key_text),
        ))
    };
    let registered = waiting(&lead, "k1").await.unwrap();
    world.check_replay(&pool).await;
    for number in 0..10 {
        world
            .say(&pool, &lead, ("scout", &format!("m{number}")))
            .await;
    }
    let trimmed = heronry_testkit::sample::trim(
        &*world.store().journal,
        pool.id(),
        Position(9),
        FencingToken(1),
    )
    .await;
    assert_eq!(trimmed.unwrap().floor, Position(8));
    let again = world.unrecorded(&pool, waiting(&lead, "k1")).await;
    assert_eq!((again.repeated, again.wake), (true, registered.wake));
    let refusal = world.refused(&pool, waiting(&lead, "k2")).await;
    assert!(
        matches!(refusal, Rejection::CursorTrimmed { .. }),
        "{refusal:?}"
    );
    // The start is the oldest record that is kept.
    let from_start = WakeRequest {
        since: Since::Start,
        ..World::waiting(r#"kind == "run_message_accepted""#, "k4")
    };
    let woken = world.register(&pool, &lead, from_start).await;
    assert_eq!(woken.matches[0].cursor.position, Position(8));
    // Identity comes before everything that a refusal could tell.
    let stranger = World::member("scout", heronry_types::Generation(Position(3)));
    let refusal = world.refused(&pool, waiting(&stranger, "k3")).await;
    assert_eq!(refusal, Rejection::SenderMismatch);
}

/// Runs 1 000 sends from 16 tasks and returns what each got.
async fn send_from_16_tasks(
    world: Arc<World>,
    pool: &Pool,
    lead: &Caller,
    request: fn(usize) -> SendRequest,
) -> Vec<Sent> {
    let task = |first: usize| {
        let (world, pool, lead) = (Arc::clone(&world), pool.clone(), lead.clone());
        tokio::spawn(async move {
            let numbers = (first..1_000).step_by(16);
            let sends = numbers.map(|number| world.send(&pool, &lead, request(number)));
            join_all(sends).await
        })
    };
    let tasks: Vec<_> = (0..16).map(task).collect();
    let mut sent = Vec::new();
    for task in tasks {
        sent.extend(task.await.unwrap().into_iter().map(Result::unwrap));
    }
    assert_eq!(sent.len(), 1_000);
    sent
}

async fn a13_identical_sends_at_the_same_time_are_one_message(world: World) {
    let (pool, lead) = scene(&world).await;
    let world = Arc::new(world);
    let request = |_| World::to_run("scout", "k1", "go");
    let sent = send_from_16_tasks(Arc::clone(&world), &pool, &lead, request).await;
    assert_eq!(sent.iter().filter(|sent| !sent.repeated).count(), 1);
    assert!(
        sent.iter()
            .all(|one| one.receipt.cursor == sent[0].receipt.cursor)
    );
    assert_eq!(world.head(&pool).await, Position(5));
    assert_eq!(world.accepted(&pool).await, 1);
    world.check_replay(&pool).await;
}

async fn a13_different_keys_at_the_same_time_are_dense_messages(world: World) {
    let (pool, lead) = scene(&world).await;
    let world = Arc::new(world);
    let request = |number| World::to_run("scout", &format!("k{number}"), "go");
    let sent = send_from_16_tasks(Arc::clone(&world), &pool, &lead, request).await;
    assert!(sent.iter().all(|sent| !sent.repeated));
    let mut cursors: Vec<u64> = sent
        .iter()
        .map(|sent| sent.receipt.cursor.position.0)
        .collect();
    cursors.sort_unstable();
    let dense: Vec<u64> = (0..1_000).map(|number| 4 + 2 * number).collect();
    assert_eq!(cursors, dense);
    assert_eq!(world.accepted(&pool).await, 1_000);
    world.check_replay(&pool).await;
}

async fn m3_a_repeat_is_answered_as_before_when_the_key_of_the_server_is_another(world: World) {
    let (pool, lead) = scene(&world).await;
    let message = World::to_run("scout", "k1", "go");
    let sent = world.send(&pool, &lead, message.clone()).await.unwrap();
    let wake = RegisterWake::new(lead.clone(), run("lead"), World::waiting("terminal", "k2"));
    let registered = pool.call(wake.clone()).await.unwrap();
    let events = vec![NewEvent::new(EventKind::ToolCompleted)];
    let report = AppendEvents::new(lead.clone(), run("lead"), events, key("k3"));
    let reported = pool.call(report.clone()).await.unwrap();
    let head = world.head(&pool).await;
    let id = pool.id().clone();
    drop(pool);
    world.runtime.shutdown().await;

    let (clock, ids) = (Arc::new(world.clock.clone()), Arc::new(SeededIds::new(9)));
    let options = RuntimeOptions::new([0x5a; 32], "rotated")
        .with_clock(clock)
        .with_ids(ids);
    let rotated = Runtime::new(world.store().clone(), options);
    let pool = rotated.find(&id).await.unwrap();
    // Neither the message nor its body gets another name, and nothing is recorded or stored again.
    let again = world.send(&pool, &lead, message).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.receipt.message_id, sent.receipt.message_id);
    assert_eq!(again.receipt.content_ref, sent.receipt.content_ref);
    assert_eq!(again.receipt.cursor, sent.receipt.cursor);
    let woken = pool.call(wake).await.unwrap();
    assert!(woken.repeated);
    assert_eq!(woken.wake.wake_id, registered.wake.wake_id);
    let reported_again = pool.call(report).await.unwrap();
    assert!(reported_again.repeated);
    assert_eq!(reported_again.first, reported.first);
    assert_eq!(world.head(&pool).await, head);
    let found = pool.body(Caller::Operator, sent.receipt.content_ref).await;
    let Content::Inline(said) = body("go") else {
        panic!("it goes with the message");
    };
    assert_eq!(found.unwrap().body, said);
    rotated.shutdown().await;
}
