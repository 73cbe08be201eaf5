//! Wakes that suspend their run while they wait.

use heronry_pool::{
    Caller, Rejection,
    decide::{RegisterWake, Suspending, WakeEvents, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{World, let_others_run, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    DeliveryOptions, EventKind, Importance, Millis, ResumedBy, RunState, Since, SuspendFor,
    WakeStatus, WakeView,
};

use crate::{
    suspend::{resumed, seen},
    wakes::{NEWS, pair, tell, timed},
};

on_every_store! {
    w1_a_suspending_wake_needs_a_timeout_or_forever
    w1_a_suspending_wake_that_times_out_resumes_its_run
    w4_suspending_and_resuming_trigger_only_who_includes_them_and_never_their_own_wake
    w7_a_wait_for_a_suspending_wake_ends_when_its_run_goes_on
}

on_every_store_that_is_reopened! {
    a32_a_suspended_run_is_resumed_by_its_wake_after_a_crash
    w3_a_suspending_wake_that_looks_far_back_resumes_its_run_by_what_it_finds
}

fn suspending(filter: &str, key: &str) -> WakeRequest {
    WakeRequest {
        suspending: Some(Suspending::until_timeout()),
        ..timed(filter, key, 60_000)
    }
}

async fn asleep(pool: &Pool, name: &str) -> bool {
    seen(pool, name).await.suspended.is_some()
}

async fn w1_a_suspending_wake_needs_a_timeout_or_forever(world: World) {
    let (pool, lead, _) = pair(&world).await;
    let register = |request| {
        let command = RegisterWake::new(lead.clone(), run("lead"), request);
        pool.call(command)
    };
    let endless = WakeRequest {
        timeout: None,
        ..suspending(NEWS, "w1")
    };
    let refused = world.refused(&pool, register(endless.clone())).await;
    assert_eq!(refused, Rejection::OneEnd);
    let both = WakeRequest {
        suspending: Some(Suspending::forever()),
        ..suspending(NEWS, "w1")
    };
    assert_eq!(
        world.refused(&pool, register(both)).await,
        Rejection::OneEnd
    );
    let forever = WakeRequest {
        suspending: Some(Suspending::forever()),
        ..endless
    };
    let wake = register(forever).await.unwrap().wake;
    assert_eq!(seen(&pool, "lead").await.suspended.unwrap().until, None);
    let state = world.state(&pool).await;
    let kept = state.wakes().get(wake.cursor.position).unwrap();
    assert_eq!(kept.registered.suspends, Some(SuspendFor::Forever));
    world.pass(&pool, Millis::from_secs(600)).await;
    assert!(asleep(&pool, "lead").await);
    world.check_replay(&pool).await;
}

async fn w1_a_suspending_wake_that_times_out_resumes_its_run(world: World) {
    let (pool, lead, _) = pair(&world).await;
    world.register(&pool, &lead, suspending(NEWS, "w")).await;
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(59_999)).await;
    assert_eq!(world.head(&pool).await, before, "never early");
    world.pass(&pool, Millis(1)).await;
    let kinds = world.kinds_after(&pool, before).await;
    let expected = [EventKind::WakeConditionTimedOut, EventKind::RunResumed];
    assert_eq!(kinds, expected);
    let last = world.chunks(&pool).await.pop().unwrap();
    assert_eq!(last.first(), before.next(), "in one append");
    world.check_replay(&pool).await;
}

async fn a32_a_suspended_run_is_resumed_by_its_wake_after_a_crash(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let wake = world.register(&pool, &lead, suspending(NEWS, "w")).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert!(asleep(&pool, "lead").await, "it sleeps on");
    tell(&world, &pool, &scout, "k1").await;
    let wake: WakeView = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(wake.status, WakeStatus::Triggered);
    assert_eq!(resumed(&world.records(&pool).await), [ResumedBy::Wake]);
    world.check_replay(&pool).await;
}

async fn w4_suspending_and_resuming_trigger_only_who_includes_them_and_never_their_own_wake(
    world: World,
) {
    let (pool, lead, scout) = pair(&world).await;
    let sleeps = r#"kind == "run_suspended" && run == "lead""#;
    let any = r#"run == "lead""#;
    let plain = world
        .register(&pool, &scout, World::waiting(any, "plain"))
        .await;
    let including = WakeRequest {
        wake_events: WakeEvents::Include,
        ..World::waiting(sleeps, "including")
    };
    let including = world.register(&pool, &scout, including).await;
    let own = WakeRequest {
        wake_events: WakeEvents::Include,
        ..suspending(any, "own")
    };
    let own = world.register(&pool, &lead, own).await;
    let status = async |caller: &Caller, wake: &WakeView| {
        world.wake_of(&pool, caller, &wake.wake_id).await.status
    };
    assert_eq!(status(&scout, &plain).await, WakeStatus::Registered);
    assert_eq!(status(&scout, &including).await, WakeStatus::Triggered);
    assert_eq!(status(&lead, &own).await, WakeStatus::Registered);
    assert!(asleep(&pool, "lead").await);
    // Another one of the same run: neither of them is woken by what suspends it for both.
    let other = WakeRequest {
        wake_events: WakeEvents::Include,
        ..suspending(sleeps, "other")
    };
    let other = world.register(&pool, &lead, other).await;
    assert_eq!(status(&lead, &other).await, WakeStatus::Registered);
    world.check_replay(&pool).await;
}

async fn w7_a_wait_for_a_suspending_wake_ends_when_its_run_goes_on(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let by_ranger = format!(r#"{NEWS} && run == "ranger""#);
    let wake = world
        .register(&pool, &lead, suspending(&by_ranger, "w1"))
        .await;
    let (handle, caller, id) = (pool.clone(), lead.clone(), wake.wake_id.clone());
    let wait = Millis::from_secs(30);
    let waiting = tokio::spawn(async move { handle.wait_wake(caller, None, id, wait).await });
    let_others_run().await;
    tell(&world, &pool, &scout, "k1").await;
    let_others_run().await;
    assert!(!waiting.is_finished(), "nothing resumed the run");
    let mut urgent = World::to_run("lead", "k2", "now");
    urgent.options = DeliveryOptions {
        importance: Importance::Interrupt,
        ..DeliveryOptions::default()
    };
    world.send(&pool, &scout, urgent).await.unwrap();
    let view = waiting.await.unwrap().unwrap();
    let stands = (view.status, view.run_state);
    assert_eq!(stands, (WakeStatus::Registered, Some(RunState::Active)));
    let by = resumed(&world.records(&pool).await);
    assert_eq!(by, [ResumedBy::Interrupt]);
    let again = world
        .register(&pool, &lead, suspending(&by_ranger, "w2"))
        .await;
    assert_eq!(again.run_state, Some(RunState::Active), "it still waits");
    world.receive(&pool, &lead, "r1", 10).await;
    let again = world
        .register(&pool, &lead, suspending(&by_ranger, "w3"))
        .await;
    assert_eq!(again.run_state, Some(RunState::Suspended));
    world.check_replay(&pool).await;
}

async fn w3_a_suspending_wake_that_looks_far_back_resumes_its_run_by_what_it_finds(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    for number in 0..600 {
        tell(&world, &pool, &scout, &format!("k{number}")).await;
    }
    let request = WakeRequest {
        since: Since::Start,
        ..suspending(NEWS, "w")
    };
    let wake = world.register(&pool, &lead, request).await;
    let end = world
        .wake_within(&pool, &lead, &wake.wake_id, Millis::from_secs(60))
        .await;
    assert_eq!(end.status, WakeStatus::Triggered);
    assert!(!asleep(&pool, "lead").await);
    assert_eq!(resumed(&world.records(&pool).await), [ResumedBy::Wake]);
    world.check_replay(&pool).await;
}
