//! Wakes that look back further than can be done at once.

use futures::future::join_all;
use heronry_pool::{
    Caller,
    decide::{JoinPool, WakeEvents, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_store::FencingToken;
use heronry_tests::{
    World, let_others_run, on_every_store, on_every_store_that_is_reopened, until,
};
use heronry_types::{
    Cursor, EventKind, Millis, Position, Since, WakeFailure, WakeId, WakeStatus, WakeView,
};

use crate::wakes::{NEWS, pair, since, tell, timed};

on_every_store! {
    a30_commands_go_on_while_earlier_events_are_looked_through_and_their_match_wins
    a30_a_later_match_is_held_until_the_earlier_events_are_known
    a30_earlier_and_later_events_count_together_up_to_the_one_at_which_it_holds
    w3_a_wake_looks_back_at_once_only_so_far
    w3_four_scans_of_a_pool_run_at_once
    w3_a_cancel_or_a_timeout_ends_a_wake_that_is_still_looking_back
    w3_a_wake_that_is_cancelled_looks_back_no_further
    w3_a_lost_member_that_waits_from_a_cursor_sees_that_it_is_back
    w5_a_wake_fails_when_what_it_looks_back_at_is_gone
}

on_every_store_that_is_reopened! {
    w3_a_scan_that_a_crash_cut_short_begins_again
    w3_what_was_found_and_not_recorded_is_found_again
}

/// Sends so much that nobody looks through it at once, and returns the first delivery.
pub(super) async fn history(world: &World, pool: &Pool, from: &Caller) -> Position {
    let first = tell(world, pool, from, "first").await;
    let names: Vec<String> = (0..600).map(|number| format!("h{number}")).collect();
    join_all(names.iter().map(|name| tell(world, pool, from, name))).await;
    first
}

pub(super) fn from_start(filter: &str, key_text: &str) -> WakeRequest {
    since(filter, key_text, Since::Start)
}

/// Waits until a wake ends.
async fn ended(pool: &Pool, caller: &Caller, wake: &WakeId) -> WakeView {
    let wait = Millis(50_000);
    let ended = pool.wait_wake(caller.clone(), None, wake.clone(), wait);
    ended.await.unwrap()
}

fn by(view: &WakeView) -> Vec<Position> {
    let matches = view.matches.iter();
    matches.map(|it| it.cursor.position).collect()
}

async fn a30_commands_go_on_while_earlier_events_are_looked_through_and_their_match_wins(
    world: World,
) {
    let (pool, lead, scout) = pair(&world).await;
    let first = history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    let wake = world.register(&pool, &lead, from_start(NEWS, "w")).await;
    assert_eq!(wake.status, WakeStatus::Registered);
    hold.reached(1).await;
    tell(&world, &pool, &scout, "live").await;
    let still = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(still.status, WakeStatus::Registered, "the match is held");
    hold.release();
    let end = ended(&pool, &lead, &wake.wake_id).await;
    assert_eq!(end.status, WakeStatus::Triggered);
    assert_eq!(by(&end), [first]);
    let kinds = world.kinds_after(&pool, wake.cursor.position).await;
    let expected = [
        EventKind::RunMessageAccepted,
        EventKind::RunMessageDelivered,
        EventKind::WakeConditionScanned,
        EventKind::WakeConditionTriggered,
    ];
    assert_eq!(kinds, expected);
    world.check_replay(&pool).await;
}

async fn a30_a_later_match_is_held_until_the_earlier_events_are_known(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    let filter = r#"kind == "agent_pool_run_joined" && "third" == run"#;
    let wake = world.register(&pool, &lead, from_start(filter, "w")).await;
    hold.reached(1).await;
    world.join(&pool, "third").await;
    let joined = pool.head().position;
    tell(&world, &pool, &scout, "live").await;
    let still = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(still.status, WakeStatus::Registered);
    hold.release();
    let end = ended(&pool, &lead, &wake.wake_id).await;
    assert_eq!(by(&end), [joined]);
    assert_eq!(world.ends_of(&pool, &wake.wake_id).await.len(), 1);
    world.check_replay(&pool).await;
}

async fn a30_earlier_and_later_events_count_together_up_to_the_one_at_which_it_holds(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    let joins = r#"kind == "agent_pool_run_joined""#;
    let named = format!(r#"{joins} && run == "d""#);
    let condition =
        format!(r#"{{"any_of": [{{"count": {{"n": 4, "filter": {joins:?}}}}}, {named:?}]}}"#);
    let request = WakeRequest {
        since: Since::Start,
        ..World::waiting_for(&condition, "w")
    };
    let wake = world.register(&pool, &lead, request).await;
    hold.reached(1).await;
    // The lead and the scout joined before: the fourth is the second of these.
    let mut joined = Vec::new();
    for name in ["b", "c", "d", "e"] {
        world.join(&pool, name).await;
        joined.push(pool.head().position);
    }
    hold.release();
    let end = ended(&pool, &lead, &wake.wake_id).await;
    let expected = [Position(2), Position(3), joined[0], joined[1]];
    assert_eq!(by(&end), expected);
    world.check_replay(&pool).await;
}

async fn w3_a_wake_looks_back_at_once_only_so_far(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let never = r#"kind == "agent_pool_run_left""#;
    for (back, scans) in [(1_023, 0), (1_024, 0), (1_025, 1)] {
        let head = pool.head();
        let from = Cursor::new(head.epoch, Position(head.position.0 - back));
        let request = since(never, &format!("w{back}"), Since::Cursor(from));
        let wake = world.register(&pool, &lead, request).await;
        assert_eq!(wake.status, WakeStatus::Registered);
        let ready = || pool.head().position.0 == head.position.0 + 1 + scans;
        until(ready).await;
        let kinds = world.kinds_after(&pool, head.position).await;
        let scanned = EventKind::WakeConditionScanned;
        let found = kinds.iter().filter(|kind| **kind == scanned).count();
        assert_eq!(found as u64, scans, "{back} back");
    }
    world.check_replay(&pool).await;
}

async fn w3_four_scans_of_a_pool_run_at_once(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let reads = world.faults.reads();
    let hold = world.faults.hold_reads();
    let mut wakes = Vec::new();
    for number in 0..6 {
        let request = from_start(NEWS, &format!("w{number}"));
        wakes.push(world.register(&pool, &lead, request).await);
    }
    hold.reached(4).await;
    let_others_run().await;
    assert_eq!(world.faults.reads() - reads, 4);
    hold.release();
    for wake in wakes {
        let end = ended(&pool, &lead, &wake.wake_id).await;
        assert_eq!(end.status, WakeStatus::Triggered);
        assert_eq!(world.ends_of(&pool, &wake.wake_id).await.len(), 1);
    }
    world.check_replay(&pool).await;
}

async fn w3_a_cancel_or_a_timeout_ends_a_wake_that_is_still_looking_back(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    let given_up = world.register(&pool, &lead, from_start(NEWS, "w1")).await;
    let request = WakeRequest {
        since: Since::Start,
        ..timed(NEWS, "w2", 5_000)
    };
    let late = world.register(&pool, &lead, request).await;
    hold.reached(2).await;
    let cancelled = world.cancel(&pool, &lead, &given_up.wake_id).await.unwrap();
    assert_eq!(cancelled.status, WakeStatus::Cancelled);
    world.clock.advance(Millis(5_000));
    let timed_out = world.wake_of(&pool, &lead, &late.wake_id).await;
    assert_eq!(timed_out.status, WakeStatus::TimedOut);
    let head = pool.head();
    hold.release();
    // A wake that comes after them is looked through: so they were, and nothing came of it.
    let next = world.register(&pool, &lead, from_start(NEWS, "w3")).await;
    let next = ended(&pool, &lead, &next.wake_id).await;
    assert_eq!(next.status, WakeStatus::Triggered);
    let kinds = world.kinds_after(&pool, head.position).await;
    let expected = [
        EventKind::WakeConditionRegistered,
        EventKind::WakeConditionScanned,
        EventKind::WakeConditionTriggered,
    ];
    assert_eq!(kinds, expected);
    world.check_replay(&pool).await;
}

async fn w3_a_wake_that_is_cancelled_looks_back_no_further(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    for round in 0..3 {
        let mut wakes = Vec::new();
        for number in 0..6 {
            let name = format!("w{round}-{number}");
            wakes.push(world.register(&pool, &lead, from_start(NEWS, &name)).await);
        }
        hold.reached(4).await;
        let_others_run().await;
        assert_eq!(hold.waiting(), 4);
        for wake in wakes {
            world.cancel(&pool, &lead, &wake.wake_id).await.unwrap();
        }
        until(|| hold.waiting() == 0).await;
    }
    hold.release();
    world.check_replay(&pool).await;
}

async fn w3_a_scan_that_a_crash_cut_short_begins_again(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let first = history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    let behind = world.register(&pool, &lead, from_start(NEWS, "w1")).await;
    let joins = r#"kind == "agent_pool_run_joined" && run == "third""#;
    let later = world.register(&pool, &lead, from_start(joins, "w2")).await;
    hold.reached(2).await;
    world.join(&pool, "third").await;
    let joined = pool.head().position;
    drop((pool, hold));
    let world = world.crash().await;
    let pool = world.pool().await;
    let end = ended(&pool, &lead, &behind.wake_id).await;
    assert_eq!(by(&end), [first]);
    let end = ended(&pool, &lead, &later.wake_id).await;
    assert_eq!(by(&end), [joined], "what came meanwhile is not forgotten");
    for wake in [behind, later] {
        assert_eq!(world.ends_of(&pool, &wake.wake_id).await.len(), 1);
    }
    world.check_replay(&pool).await;
}

async fn w3_what_was_found_and_not_recorded_is_found_again(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let first = history(&world, &pool, &scout).await;
    let hold = world.faults.hold_reads();
    let wake = world.register(&pool, &lead, from_start(NEWS, "w")).await;
    hold.reached(1).await;
    let fault = heronry_testkit::AppendFault::UnknownNotKept;
    world.faults.fail_next_append(fault);
    hold.release();
    until(|| world.faults.is_closed()).await;
    world.stopped(&pool).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let end = ended(&pool, &lead, &wake.wake_id).await;
    assert_eq!(by(&end), [first]);
    assert_eq!(world.ends_of(&pool, &wake.wake_id).await.len(), 1);
    world.check_replay(&pool).await;
}

async fn w5_a_wake_fails_when_what_it_looks_back_at_is_gone(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    let journal = &world.store().journal;
    // Reads are held below.
    let baseline = heronry_testkit::sample::baseline(&**journal, pool.id(), Position(600)).await;
    let hold = world.faults.hold_reads();
    let wake = world.register(&pool, &lead, from_start(NEWS, "w")).await;
    hold.reached(1).await;
    let trim = journal.trim(pool.id(), baseline.unwrap(), FencingToken(1));
    trim.await.unwrap();
    hold.release();
    let end = ended(&pool, &lead, &wake.wake_id).await;
    assert_eq!(end.status, WakeStatus::Failed);
    assert_eq!(end.reason, Some(WakeFailure::Trimmed.into()));
    assert_eq!(by(&end), []);
    tell(&world, &pool, &scout, "live").await;
    let still = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(still, end, "an end is final");
}

async fn w3_a_lost_member_that_waits_from_a_cursor_sees_that_it_is_back(world: World) {
    let pool = world.pool().await;
    let lease = Millis::from_secs(10);
    let join = JoinPool {
        lease: Some(lease),
        ..World::joining("scout")
    };
    let joined = world.join_as(&pool, join).await.unwrap();
    let scout = World::member("scout", joined.generation);
    world.pass(&pool, lease).await;
    let request = WakeRequest {
        since: Since::Cursor(pool.head()),
        wake_events: WakeEvents::Include,
        ..World::waiting(r#"kind == "run_resumed""#, "w")
    };
    let wake = world.register(&pool, &scout, request).await;
    assert_eq!(
        wake.status,
        WakeStatus::Triggered,
        "its own command says so"
    );
    world.check_replay(&pool).await;
}
