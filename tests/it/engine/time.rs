//! Time: it never goes back, a clock that jumps is not believed at once, and what is due goes first.

use heronry_event::filter::Filter;
use heronry_pool::{
    Caller, Rejection,
    decide::{ClaimSet, Expiry, LeavePool, PeekInbox, WakeRequest},
};
use heronry_runtime::{CallError, Pool};
use heronry_tests::{World, asked, key, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{EventKind, Millis, Timestamp, WakeStatus, WakeView};

on_every_store! {
    k1_a_wall_that_jumps_forward_holds_deadlines_until_it_has_held
    k1_a_wall_that_jumps_back_holds_deadlines_and_stops_no_timer
    k1_a_wall_that_jumps_again_has_to_hold_again
    k1_a_small_jump_of_the_wall_changes_nothing
    k1_nothing_is_handed_over_past_its_expiry_while_the_clock_is_suspect
    k2_what_is_due_is_decided_first_and_in_the_same_append
    k2_a_claim_that_is_due_cannot_be_acked
    k3_acks_leave_and_cancel_pass_a_full_queue
    k3_one_run_holds_at_most_a_quarter_of_the_reserved_lane
}

on_every_store_that_is_reopened! {
    k1_a_store_far_ahead_of_the_wall_holds_deadlines_after_opening
    k1_a_store_a_little_ahead_of_the_wall_waits_for_it
}

const SECOND: Millis = Millis::from_secs(1);
const HOUR: Millis = Millis::from_secs(3_600);

async fn waiting(world: &World) -> (Pool, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    (pool, lead)
}

/// Registers a wake that nothing triggers, with a timeout.
async fn timer(world: &World, pool: &Pool, lead: &Caller, seconds: u64) -> WakeView {
    let request = WakeRequest {
        timeout: Some(Millis::from_secs(seconds)),
        ..WakeRequest::new(Filter::nothing(), key(&format!("timer-{seconds}")))
    };
    world.register(pool, lead, request).await
}

async fn status(world: &World, pool: &Pool, lead: &Caller, wake: &WakeView) -> WakeStatus {
    world.wake_of(pool, lead, &wake.wake_id).await.status
}

fn wall(world: &World) -> Timestamp {
    heronry_store::Clock::now(&world.clock).wall
}

/// The wall, put back.
fn earlier(world: &World, span: Millis) -> Timestamp {
    let back = i64::try_from(span.0).unwrap();
    Timestamp::from_millis(wall(world).as_millis() - back)
}

async fn k1_a_wall_that_jumps_forward_holds_deadlines_until_it_has_held(world: World) {
    let (pool, lead) = waiting(&world).await;
    let soon = timer(&world, &pool, &lead, 10).await;
    let in_half_an_hour = timer(&world, &pool, &lead, 1_800).await;
    let in_two_hours = timer(&world, &pool, &lead, 7_200).await;
    world.clock.jump_wall(wall(&world).after(HOUR));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(59_999));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    let held = world.wake_of(&pool, &lead, &soon.wake_id);
    assert_eq!(held.await.status, WakeStatus::Registered);
    world.clock.advance(Millis(1));
    // The clock has held: it is believed, and the hour has passed.
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::TimedOut
    );
    let half = status(&world, &pool, &lead, &in_half_an_hour).await;
    assert_eq!(half, WakeStatus::TimedOut);
    let two = status(&world, &pool, &lead, &in_two_hours).await;
    assert_eq!(two, WakeStatus::Registered);
    let last = world.records(&pool).await.pop().unwrap();
    assert_eq!(last.recorded_at, wall(&world));
    world.clock.advance(Millis(7_200_000 - HOUR.0 - 60_000));
    let two = status(&world, &pool, &lead, &in_two_hours).await;
    assert_eq!(two, WakeStatus::TimedOut);
    world.check_replay(&pool).await;
}

async fn k1_a_wall_that_jumps_back_holds_deadlines_and_stops_no_timer(world: World) {
    let (pool, lead) = waiting(&world).await;
    let soon = timer(&world, &pool, &lead, 10).await;
    let later = timer(&world, &pool, &lead, 90).await;
    world.clock.jump_wall(earlier(&world, HOUR));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(59_999));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::TimedOut
    );
    world.clock.advance(Millis(29_999));
    assert_eq!(
        status(&world, &pool, &lead, &later).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &later).await,
        WakeStatus::TimedOut
    );
    world.check_replay(&pool).await;
}

async fn k1_a_wall_that_jumps_again_has_to_hold_again(world: World) {
    let (pool, lead) = waiting(&world).await;
    let soon = timer(&world, &pool, &lead, 10).await;
    world.clock.jump_wall(wall(&world).after(HOUR));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(40_000));
    world.clock.jump_wall(earlier(&world, HOUR));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(59_999));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::TimedOut
    );
    world.check_replay(&pool).await;
}

async fn k1_a_small_jump_of_the_wall_changes_nothing(world: World) {
    let (pool, lead) = waiting(&world).await;
    let soon = timer(&world, &pool, &lead, 10).await;
    world
        .clock
        .jump_wall(wall(&world).after(Millis::from_secs(299)));
    world.clock.advance(Millis(9_999));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::TimedOut
    );
    world.check_replay(&pool).await;
}

async fn k1_a_store_far_ahead_of_the_wall_holds_deadlines_after_opening(world: World) {
    let (pool, lead) = waiting(&world).await;
    let soon = timer(&world, &pool, &lead, 5).await;
    let later = timer(&world, &pool, &lead, 90).await;
    drop(pool);
    world
        .clock
        .jump_wall(earlier(&world, Millis::from_secs(61)));
    let world = world.restart().await;
    let pool = world.pool().await;
    world.clock.advance(Millis(59_999));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::TimedOut
    );
    world.clock.advance(Millis(29_999));
    assert_eq!(
        status(&world, &pool, &lead, &later).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &later).await,
        WakeStatus::TimedOut
    );
    world.check_replay(&pool).await;
}

async fn k1_a_store_a_little_ahead_of_the_wall_waits_for_it(world: World) {
    let (pool, lead) = waiting(&world).await;
    let soon = timer(&world, &pool, &lead, 5).await;
    drop(pool);
    world
        .clock
        .jump_wall(earlier(&world, Millis::from_secs(60)));
    let world = world.restart().await;
    let pool = world.pool().await;
    world.clock.advance(Millis(64_999));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::Registered
    );
    world.clock.advance(Millis(1));
    assert_eq!(
        status(&world, &pool, &lead, &soon).await,
        WakeStatus::TimedOut
    );
    world.check_replay(&pool).await;
}

async fn k1_nothing_is_handed_over_past_its_expiry_while_the_clock_is_suspect(world: World) {
    let (pool, lead) = waiting(&world).await;
    let scout = world.join(&pool, "scout").await;
    let mut request = World::to_run("lead", "k1", "news");
    request.expiry = Some(Expiry::In(SECOND));
    world.send(&pool, &scout, request).await.unwrap();
    world.clock.jump_wall(wall(&world).after(HOUR));
    let (caller, run) = (lead.clone(), run("lead"));
    let peek = PeekInbox {
        caller,
        run,
        max: 10,
    };
    assert_eq!(pool.call(peek.clone()).await.unwrap().items.len(), 1);
    world.clock.advance(SECOND);
    assert!(pool.call(peek).await.unwrap().items.is_empty());
    let received = world.receive(&pool, &lead, "r1", 10).await;
    assert!(received.items.is_empty());
    let before = world.head(&pool).await;
    world.clock.advance(Millis(59_000));
    let received = world.receive(&pool, &lead, "r2", 10).await;
    assert_eq!((received.items.len(), received.unread), (0, 0));
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunMessageExpired]);
    world.check_replay(&pool).await;
}

async fn k2_what_is_due_is_decided_first_and_in_the_same_append(world: World) {
    let (pool, lead) = waiting(&world).await;
    let scout = world.join(&pool, "scout").await;
    let request = World::to_run("lead", "k1", "claimed for a minute");
    world.send(&pool, &scout, request).await.unwrap();
    world.receive(&pool, &lead, "r1", 1).await;
    let timer = timer(&world, &pool, &lead, 60).await;
    world.clock.advance(Millis::from_secs(60));
    let before = world.head(&pool).await;
    let request = World::to_run("lead", "k2", "news");
    world.send(&pool, &scout, request).await.unwrap();
    let kinds = world.kinds_after(&pool, before).await;
    let expected = [
        EventKind::WakeConditionTimedOut,
        EventKind::RunMessageReleased,
        EventKind::RunMessageAccepted,
        EventKind::RunMessageDelivered,
    ];
    assert_eq!(kinds, expected);
    let chunk = world.chunks(&pool).await.pop().unwrap();
    assert_eq!(chunk.first(), before.next(), "one append holds all of it");
    let status = status(&world, &pool, &lead, &timer).await;
    assert_eq!(status, WakeStatus::TimedOut);
    world.check_replay(&pool).await;
}

async fn k2_a_claim_that_is_due_cannot_be_acked(world: World) {
    let (pool, lead) = waiting(&world).await;
    let scout = world.join(&pool, "scout").await;
    let request = World::to_run("lead", "k1", "claimed for a minute");
    world.send(&pool, &scout, request).await.unwrap();
    let claims = World::claims(&world.receive(&pool, &lead, "r1", 1).await);
    let before = world.head(&pool).await;
    world.clock.advance(Millis::from_secs(60));
    let ack = world
        .ack(&pool, &lead, ClaimSet::These(claims.clone()))
        .await;
    let lapsed = Rejection::ClaimLapsed { claims };
    assert_eq!(ack.unwrap_err().rejection(), Some(&lapsed));
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunMessageReleased]);
    world.check_replay(&pool).await;
}

/// The most commands that wait outside the reserved lane.
const COMMON: usize = 3_072;
/// The most commands of one run that wait in the reserved lane.
const OF_ONE_RUN: usize = 256;

async fn k3_acks_leave_and_cancel_pass_a_full_queue(world: World) {
    let (pool, lead) = waiting(&world).await;
    let scout = world.join(&pool, "scout").await;
    let leaver = world.join(&pool, "leaver").await;
    let timer = timer(&world, &pool, &lead, 60).await;
    let mut claims = Vec::new();
    for number in 0..2 {
        let request = World::to_run("lead", &format!("k{number}"), "news");
        world.send(&pool, &scout, request).await.unwrap();
        let received = world.receive(&pool, &lead, &format!("r{number}"), 1).await;
        claims.push(World::claims(&received));
    }
    let hold = world.faults.hold_appends();
    let busy = asked!(world.send(&pool, &scout, World::to_run("lead", "busy", "busy")));
    hold.reached(1).await;
    let peek = PeekInbox {
        caller: scout.clone(),
        run: run("scout"),
        max: 1,
    };
    // One member holds three quarters of the common places at the most.
    let mut common = Vec::new();
    for _ in 0..COMMON / 4 * 3 {
        common.push(asked!(pool.call(peek.clone())));
    }
    let refused = pool.call(peek.clone()).await.unwrap_err();
    assert!(matches!(refused, CallError::Busy { .. }));
    let caller = Caller::Operator;
    let peek = PeekInbox { caller, ..peek };
    for _ in 0..COMMON / 4 {
        common.push(asked!(pool.call(peek.clone())));
    }
    let refused = pool.call(peek).await.unwrap_err();
    assert!(matches!(refused, CallError::Busy { retry_after, places: 4_096 } if retry_after.0 > 0));
    let refused = world
        .send(&pool, &scout, World::to_run("lead", "k9", "x"))
        .await;
    assert!(matches!(refused, Err(CallError::Busy { .. })));

    let ack = asked!(world.ack(&pool, &lead, ClaimSet::These(claims[0].clone())));
    let release = asked!(world.release(&pool, &lead, claims[1].clone(), None));
    let cancel = asked!(world.cancel(&pool, &lead, &timer.wake_id));
    let leave = LeavePool {
        caller: leaver,
        run: run("leaver"),
    };
    let leave = asked!(pool.call(leave));
    hold.release();
    busy.await.unwrap();
    ack.await.unwrap();
    release.await.unwrap();
    assert_eq!(cancel.await.unwrap().status, WakeStatus::Cancelled);
    leave.await.unwrap();
    for call in common {
        call.await.unwrap();
    }
    world.check_replay(&pool).await;
}

async fn k3_one_run_holds_at_most_a_quarter_of_the_reserved_lane(world: World) {
    let (pool, lead) = waiting(&world).await;
    let scout = world.join(&pool, "scout").await;
    let hold = world.faults.hold_appends();
    let busy = asked!(world.send(&pool, &scout, World::to_run("lead", "busy", "busy")));
    hold.reached(1).await;
    let nothing = ClaimSet::These(Vec::new());
    let mut acks = Vec::new();
    for _ in 0..OF_ONE_RUN {
        acks.push(asked!(world.ack(&pool, &lead, nothing.clone())));
    }
    let refused = world.ack(&pool, &lead, nothing.clone()).await;
    assert!(matches!(refused, Err(CallError::Busy { .. })));
    let other = asked!(world.ack(&pool, &scout, nothing.clone()));
    hold.release();
    busy.await.unwrap();
    other.await.unwrap();
    for ack in acks {
        ack.await.unwrap();
    }
    world.ack(&pool, &lead, nothing).await.unwrap();
    world.check_replay(&pool).await;
}
