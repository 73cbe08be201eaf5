//! Wakes that wait for more than one filter says.

use heronry_journal::{Body, Record};
use heronry_pool::{Caller, decide::WakeRequest};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened};
use heronry_types::{Position, Since, WakeId, WakeStatus, WakeView};

use crate::wakes::{NEWS, pair};

on_every_store! {
    a36_any_of_is_triggered_by_the_first_event_of_either_part
    a36_all_of_is_triggered_when_its_last_part_holds_and_lists_the_matches_in_order
    a36_count_takes_each_distinct_thing_once
    a36_what_has_no_message_does_not_count_by_message
    a36_conditions_stand_in_each_other
    a36_a_condition_that_earlier_events_fulfil_is_triggered_at_once
}

on_every_store_that_is_reopened! {
    a36_progress_survives_a_restart_and_a_crash_half_way
    a36_earlier_events_count_and_still_do_after_a_restart
    a36_a_decided_condition_whose_append_was_lost_is_decided_again_alike
}

/// Sends from a run to the lead; returns where it was accepted and where it was delivered.
async fn tell(world: &World, pool: &Pool, from: &Caller, id: &str) -> (Position, Position) {
    let receipt = world.say(pool, from, ("lead", id)).await;
    let delivered = receipt.timeline[1].cursor.position;
    (receipt.cursor.position, delivered)
}

async fn waits(world: &World, pool: &Pool, lead: &Caller, wake: &WakeView) -> WakeView {
    let view = world.wake_of(pool, lead, &wake.wake_id).await;
    assert_eq!(view.status, WakeStatus::Registered);
    assert_eq!(view.matches, []);
    view
}

/// Checks that a wake was triggered by exactly these events, once.
async fn check_by(world: &World, pool: &Pool, wake: &WakeId, expected: &[Position]) {
    let found = Caller::Operator;
    let view = pool
        .wait_wake(found, None, wake.clone(), heronry_types::Millis(0))
        .await;
    let view = view.unwrap();
    assert_eq!(view.status, WakeStatus::Triggered);
    let matches: Vec<_> = view.matches.iter().map(|it| it.cursor.position).collect();
    assert_eq!(matches, expected);
    let ends: Vec<Record> = world.ends_of(pool, wake).await;
    assert_eq!(ends.len(), 1, "a wake ends once");
    assert_eq!(ends[0].entry.lineage.caused_by, expected.last().copied());
}

fn since_start(condition: &str, key_text: &str) -> WakeRequest {
    WakeRequest {
        since: Since::Start,
        ..World::waiting_for(condition, key_text)
    }
}

/// Waits for news of the scout and of the lead, in either order.
const BOTH: &str = r#"{"all_of":["kind == \"run_message_delivered\" && run == \"scout\"",
    "kind == \"run_message_delivered\" && run == \"lead\""]}"#;

async fn a36_any_of_is_triggered_by_the_first_event_of_either_part(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let either = BOTH.replace("all_of", "any_of");
    let one = world.register(&pool, &lead, World::waiting_for(&either, "one"));
    let one = one.await;
    world
        .register(
            &pool,
            &lead,
            World::waiting_for(r#"{"any_of":["false",{"any_of":["terminal"]}]}"#, "never"),
        )
        .await;
    waits(&world, &pool, &lead, &one).await;
    let (_, first) = tell(&world, &pool, &lead, "m1").await;
    tell(&world, &pool, &scout, "m2").await;
    check_by(&world, &pool, &one.wake_id, &[first]).await;
    world.check_replay(&pool).await;
}

async fn a36_all_of_is_triggered_when_its_last_part_holds_and_lists_the_matches_in_order(
    world: World,
) {
    let (pool, lead, scout) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting_for(BOTH, "w"))
        .await;
    let (_, first) = tell(&world, &pool, &lead, "m1").await;
    tell(&world, &pool, &lead, "m2").await;
    waits(&world, &pool, &lead, &wake).await;
    let (_, last) = tell(&world, &pool, &scout, "m3").await;
    tell(&world, &pool, &scout, "m4").await;
    check_by(&world, &pool, &wake.wake_id, &[first, last]).await;
    // One event may be what all parts wait for; it is listed once.
    let same = r#"{"all_of":["kind == \"run_message_delivered\"","run == \"scout\" && message == \"m5\""]}"#;
    let wake = world
        .register(&pool, &lead, World::waiting_for(same, "same"))
        .await;
    let (accepted, delivered) = tell(&world, &pool, &scout, "m5").await;
    check_by(&world, &pool, &wake.wake_id, &[accepted, delivered]).await;
    let same = r#"{"all_of":["kind == \"run_message_delivered\"","kind == \"run_message_delivered\" && run == \"scout\""]}"#;
    let wake = world
        .register(&pool, &lead, World::waiting_for(same, "once"))
        .await;
    let (_, delivered) = tell(&world, &pool, &scout, "m6").await;
    check_by(&world, &pool, &wake.wake_id, &[delivered]).await;
    world.check_replay(&pool).await;
}

/// Three events of messages to the lead, told apart by this.
fn three(distinct_by: &str) -> String {
    let filter = r#"kind in [\"run_message_accepted\", \"run_message_delivered\"]"#;
    format!(r#"{{"count":{{"n":3,"filter":"{filter}","distinct_by":"{distinct_by}"}}}}"#)
}

async fn a36_count_takes_each_distinct_thing_once(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let other = world.join(&pool, "other").await;
    let mut wakes = Vec::new();
    for by in ["event", "message", "run", "subject"] {
        let request = World::waiting_for(&three(by), by);
        wakes.push(world.register(&pool, &lead, request).await.wake_id);
    }
    let default = three("subject").replace(r#","distinct_by":"subject""#, "");
    let request = World::waiting_for(&default, "default");
    wakes.push(world.register(&pool, &lead, request).await.wake_id);
    let (a1, d1) = tell(&world, &pool, &scout, "m1").await;
    // The same id of another sender: another message, and the same subject.
    let (a2, _) = tell(&world, &pool, &other, "m1").await;
    let (a3, _) = tell(&world, &pool, &scout, "m2").await;
    let (a4, _) = tell(&world, &pool, &lead, "m3").await;
    check_by(&world, &pool, &wakes[0], &[a1, d1, a2]).await;
    check_by(&world, &pool, &wakes[1], &[a1, a2, a3]).await;
    check_by(&world, &pool, &wakes[2], &[a1, a2, a4]).await;
    check_by(&world, &pool, &wakes[3], &[a1, a3, a4]).await;
    check_by(&world, &pool, &wakes[4], &[a1, a3, a4]).await;
    world.check_replay(&pool).await;
}

async fn a36_what_has_no_message_does_not_count_by_message(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let any = r#"{"count":{"n":2,"filter":"true","distinct_by":"message"}}"#;
    let wake = world
        .register(&pool, &lead, World::waiting_for(any, "w"))
        .await;
    world.join(&pool, "other").await;
    let (first, _) = tell(&world, &pool, &scout, "m1").await;
    world.join(&pool, "third").await;
    waits(&world, &pool, &lead, &wake).await;
    let (second, _) = tell(&world, &pool, &scout, "m2").await;
    check_by(&world, &pool, &wake.wake_id, &[first, second]).await;
    world.check_replay(&pool).await;
}

async fn a36_conditions_stand_in_each_other(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let count = three("message");
    let nested = format!(
        r#"{{"any_of":["kind == \"run_completed\"",{{"all_of":["message == \"m2\" && kind == \"run_message_delivered\"",{count}]}}]}}"#
    );
    let wake = world
        .register(&pool, &lead, World::waiting_for(&nested, "w"))
        .await;
    let (a1, _) = tell(&world, &pool, &scout, "m1").await;
    let (a2, d2) = tell(&world, &pool, &scout, "m2").await;
    waits(&world, &pool, &lead, &wake).await;
    let (a3, _) = tell(&world, &pool, &scout, "m3").await;
    check_by(&world, &pool, &wake.wake_id, &[a1, a2, d2, a3]).await;
    world.check_replay(&pool).await;
}

async fn a36_progress_survives_a_restart_and_a_crash_half_way(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let both = world
        .register(&pool, &lead, World::waiting_for(BOTH, "both"))
        .await;
    let request = World::waiting_for(&three("message"), "three");
    let three = world.register(&pool, &lead, request).await;
    let (a1, d1) = tell(&world, &pool, &scout, "m1").await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    waits(&world, &pool, &lead, &both).await;
    tell(&world, &pool, &scout, "m1").await;
    let (a2, _) = tell(&world, &pool, &scout, "m2").await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    waits(&world, &pool, &lead, &three).await;
    let (a3, d3) = tell(&world, &pool, &lead, "m3").await;
    check_by(&world, &pool, &both.wake_id, &[d1, d3]).await;
    check_by(&world, &pool, &three.wake_id, &[a1, a2, a3]).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    check_by(&world, &pool, &both.wake_id, &[d1, d3]).await;
    world.check_replay(&pool).await;
}

async fn a36_earlier_events_count_and_still_do_after_a_restart(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let (a1, d1) = tell(&world, &pool, &scout, "m1").await;
    let both = world
        .register(&pool, &lead, since_start(BOTH, "both"))
        .await;
    let three = since_start(&three("message"), "three");
    let three = world.register(&pool, &lead, three).await;
    let (a2, _) = tell(&world, &pool, &scout, "m2").await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    waits(&world, &pool, &lead, &both).await;
    waits(&world, &pool, &lead, &three).await;
    let (a3, d3) = tell(&world, &pool, &lead, "m3").await;
    check_by(&world, &pool, &both.wake_id, &[d1, d3]).await;
    check_by(&world, &pool, &three.wake_id, &[a1, a2, a3]).await;
    world.check_replay(&pool).await;
}

async fn a36_a_condition_that_earlier_events_fulfil_is_triggered_at_once(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let (_, d1) = tell(&world, &pool, &scout, "m1").await;
    let (_, d2) = tell(&world, &pool, &lead, "m2").await;
    tell(&world, &pool, &lead, "m3").await;
    let wake = world.register(&pool, &lead, since_start(BOTH, "w")).await;
    assert_eq!(wake.status, WakeStatus::Triggered);
    check_by(&world, &pool, &wake.wake_id, &[d1, d2]).await;
    let records = world.records(&pool).await;
    let counted = records.iter().find_map(|record| {
        if let Body::ConditionRegistered(body) = &record.entry.body {
            Some(body.counted.len())
        } else {
            None
        }
    });
    assert_eq!(counted, Some(0), "the trigger names them");
    world.check_replay(&pool).await;
}

async fn a36_a_decided_condition_whose_append_was_lost_is_decided_again_alike(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let mut wakes = Vec::new();
    for number in 0..800 {
        let request = World::waiting_for(BOTH, &format!("w{number}"));
        wakes.push(world.register(&pool, &lead, request).await.wake_id);
        let request = World::waiting(NEWS, &format!("n{number}"));
        wakes.push(world.register(&pool, &scout, request).await.wake_id);
    }
    let first = tell(&world, &pool, &lead, "m0").await.1;
    // The news of the scout is all of them: 800 conditions more than one append takes with them.
    let next = world.faults.appends() + 2;
    for number in 0..800 {
        let request = World::waiting(NEWS, &format!("again{number}"));
        world.register(&pool, &scout, request).await;
    }
    let next = next.max(world.faults.appends() + 2);
    world
        .faults
        .fail_append(next, heronry_testkit::AppendFault::UnknownNotKept);
    let last = tell(&world, &pool, &scout, "m1").await.1;
    world.stopped(&pool).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    for wake in wakes.iter().step_by(2) {
        let view = world.wake_of(&pool, &lead, wake).await;
        let matches: Vec<_> = view.matches.iter().map(|it| it.cursor.position).collect();
        assert_eq!(matches, [first, last], "{view:?}");
    }
    world.check_replay(&pool).await;
}
