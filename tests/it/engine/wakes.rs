//! Wakes: what triggers them, when, and that it does so once.

use heronry_pool::{
    Caller,
    decide::{RegisterWake, SendMessage, SendRequest, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{
    World, calling, key, let_others_run, on_every_store, on_every_store_that_is_reopened, run,
    until,
};
use heronry_types::{EventKind, Millis, Position, Since, WakeStatus};

on_every_store! {
    a29_events_before_at_and_after_registration_trigger_once_by_the_first_match
    a29_a_wake_since_its_registration_takes_only_later_events
    a32_a_wake_of_one_handle_is_triggered_through_another
    a33_a_timeout_fires_at_its_time_and_not_before
}

on_every_store_that_is_reopened! {
    a32_a_wake_that_outlives_a_restart_is_triggered_afterwards
    w6_a_timeout_counts_the_time_while_the_process_was_down
}

pub(super) const NEWS: &str = r#"kind == "run_message_delivered""#;

/// A pool with a lead that waits and a scout that sends.
pub(super) async fn pair(world: &World) -> (Pool, Caller, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    (pool, lead, scout)
}

/// Sends to the lead and returns where the message was delivered.
pub(super) async fn tell(world: &World, pool: &Pool, from: &Caller, key_text: &str) -> Position {
    let request = World::to_run("lead", key_text, "news");
    let sent = world.send(pool, from, request).await.unwrap();
    sent.receipt.timeline[1].cursor.position
}

pub(super) fn since(filter: &str, key_text: &str, since: Since) -> WakeRequest {
    WakeRequest {
        since,
        ..World::waiting(filter, key_text)
    }
}

pub(super) fn timed(filter: &str, key_text: &str, timeout: u64) -> WakeRequest {
    WakeRequest {
        timeout: Some(Millis(timeout)),
        ..World::waiting(filter, key_text)
    }
}

async fn a29_events_before_at_and_after_registration_trigger_once_by_the_first_match(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let cursor = pool.head();
    // Before: the event is there when the wake is registered.
    let before = tell(&world, &pool, &scout, "k1").await;
    let old = since(NEWS, "before", Since::Cursor(cursor));
    let old = world.register(&pool, &lead, old).await;
    assert_eq!(old.status, WakeStatus::Triggered);
    assert_eq!(old.matches[0].cursor.position, before);
    // At: both are decided in one append, in either order.
    let hold = world.faults.hold_appends();
    let busy = calling(&pool, send("k2", World::to_run("scout", "busy", "busy")));
    hold.reached(1).await;
    let cursor = pool.head();
    let early = since(NEWS, "early", Since::Cursor(cursor));
    let early = calling(&pool, RegisterWake::new(lead.clone(), run("lead"), early));
    let_others_run().await;
    let at = calling(&pool, send("k3", World::to_run("lead", "at", "news")));
    let_others_run().await;
    let late = since(NEWS, "late", Since::Cursor(cursor));
    let late = calling(&pool, RegisterWake::new(lead.clone(), run("lead"), late));
    let_others_run().await;
    hold.release();
    let first = busy.await.unwrap().unwrap().receipt.timeline[1].cursor;
    at.await.unwrap().unwrap();
    let early = early.await.unwrap().unwrap().wake;
    let late = late.await.unwrap().unwrap().wake;
    for wake in [early, late] {
        let wake = world.wake_of(&pool, &lead, &wake.wake_id).await;
        assert_eq!(wake.status, WakeStatus::Triggered);
        assert_eq!(wake.matches[0].cursor, first, "the first match is named");
    }
    // After: the event comes later, twice.
    let after = world.register(
        &pool,
        &lead,
        since(NEWS, "after", Since::Cursor(pool.head())),
    );
    let after = after.await;
    assert_eq!(after.status, WakeStatus::Registered);
    let first = tell(&world, &pool, &scout, "k4").await;
    tell(&world, &pool, &scout, "k5").await;
    let after = world.wake_of(&pool, &lead, &after.wake_id).await;
    assert_eq!(after.matches[0].cursor.position, first);
    for id in [&old.wake_id, &after.wake_id] {
        assert_eq!(world.ends_of(&pool, id).await.len(), 1);
    }
    world.check_replay(&pool).await;
}

/// A send by the scout of generation 3, the third record of every test here.
fn send(key_text: &str, mut request: SendRequest) -> SendMessage {
    request.key = key(key_text);
    let generation = heronry_types::Generation(Position(3));
    SendMessage::new(World::member("scout", generation), run("scout"), request)
}

async fn a29_a_wake_since_its_registration_takes_only_later_events(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    tell(&world, &pool, &scout, "k1").await;
    let wake = world
        .register(&pool, &lead, since(NEWS, "w", Since::Head))
        .await;
    assert_eq!(wake.status, WakeStatus::Registered);
    let later = tell(&world, &pool, &scout, "k2").await;
    let wake = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(wake.status, WakeStatus::Triggered);
    assert_eq!(wake.matches.len(), 1);
    assert_eq!(wake.matches[0].cursor.position, later);
    assert_eq!(wake.matches[0].kind, EventKind::RunMessageDelivered);
    world.check_replay(&pool).await;
}

async fn a32_a_wake_of_one_handle_is_triggered_through_another(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    let waiting = {
        let (pool, lead, id) = (pool.clone(), lead.clone(), wake.wake_id.clone());
        tokio::spawn(async move { pool.wait_wake(lead, None, id, Millis(50_000)).await })
    };
    until(|| world.alarm_in(Millis(50_000))).await;
    let other = world.pool().await;
    let told = tell(&world, &other, &scout, "k1").await;
    let woken = waiting.await.unwrap().unwrap();
    assert_eq!(woken.status, WakeStatus::Triggered);
    assert_eq!(woken.matches[0].cursor.position, told);
    assert_eq!(world.monotonic(), Millis(0), "no clock was needed");
    world.check_replay(&pool).await;
}

async fn a32_a_wake_that_outlives_a_restart_is_triggered_afterwards(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let told = tell(&world, &pool, &scout, "k1").await;
    let woken = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(woken.matches[0].cursor.position, told);
    world.check_replay(&pool).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let still = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(still, woken, "the end is kept");
    world.check_replay(&pool).await;
}

async fn a33_a_timeout_fires_at_its_time_and_not_before(world: World) {
    let (pool, lead, _) = pair(&world).await;
    let wake = world.register(&pool, &lead, timed(NEWS, "w", 5_000)).await;
    let at = wake.deadline.unwrap();
    world.clock.advance(Millis(4_999));
    let early = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(early.status, WakeStatus::Registered);
    let waiting = {
        let (pool, lead, id) = (pool.clone(), lead.clone(), wake.wake_id.clone());
        tokio::spawn(async move { pool.wait_wake(lead, None, id, Millis(50_000)).await })
    };
    let_others_run().await;
    world.clock.advance(Millis(1));
    let woken = waiting.await.unwrap().unwrap();
    assert_eq!((woken.status, woken.reason), (WakeStatus::TimedOut, None));
    let ends = world.ends_of(&pool, &wake.wake_id).await;
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].recorded_at, at);
    world.check_replay(&pool).await;
}

async fn w6_a_timeout_counts_the_time_while_the_process_was_down(world: World) {
    let (pool, lead, _) = pair(&world).await;
    let soon = world
        .register(&pool, &lead, timed(NEWS, "soon", 5_000))
        .await;
    let later = world
        .register(&pool, &lead, timed(NEWS, "later", 9_000))
        .await;
    drop(pool);
    world.runtime.shutdown().await;
    world.clock.advance(Millis(5_000));
    let world = world.restart().await;
    let pool = world.pool().await;
    let woken = world.wake_of(&pool, &lead, &soon.wake_id).await;
    assert_eq!(woken.status, WakeStatus::TimedOut);
    world.clock.advance(Millis(3_999));
    let waits = world.wake_of(&pool, &lead, &later.wake_id).await;
    assert_eq!(waits.status, WakeStatus::Registered);
    world.clock.advance(Millis(1));
    let woken = world.wake_of(&pool, &lead, &later.wake_id).await;
    assert_eq!(woken.status, WakeStatus::TimedOut);
    let member = pool.call(heronry_pool::decide::PeekInbox {
        caller: lead,
        run: run("lead"),
        max: 1,
    });
    member.await.unwrap();
    world.check_replay(&pool).await;
}
