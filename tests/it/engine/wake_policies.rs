//! Policies of wakes: a run holds them when it registers the wake, and as long as it waits.

use heronry_journal::Body;
use heronry_pool::{
    Caller, PolicyNeed, Rejection,
    decide::{JoinPool, RegisterWake, WakeEvents, WakeRequest},
};
use heronry_runtime::{CallError, Pool};
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Cursor, EventKind, Millis, PolicyVersion, Since, WakeReason, WakeStatus, WakeView, WakeWhy,
};

use crate::wakes::{NEWS, tell};

on_every_store! {
    w1_a_wake_carries_policies_that_its_run_holds_and_everybody_may_see_them
    w1_a_wake_with_a_policy_that_its_run_does_not_hold_is_refused
    w1_the_policies_of_a_wake_are_a_set_and_part_of_what_is_asked_for
    w1_a_takeover_that_keeps_the_policies_keeps_the_wakes
    w1_who_waits_for_a_wake_is_told_that_its_policy_is_gone
}

on_every_store_that_is_reopened! {
    w1_wakes_that_lost_a_policy_stay_cancelled_after_a_crash_and_the_others_wait
    w1_neither_the_takeover_nor_what_it_cancels_triggers_a_wake_that_lost_its_policy
}

/// A wake for news that carries these policies; its id is its key.
fn carrying(name: &str, policies: &[&str]) -> WakeRequest {
    WakeRequest {
        wake_id: Some(heronry_tests::wake(name)),
        policies: World::policies(policies),
        ..World::waiting(NEWS, name)
    }
}

async fn register(
    pool: &Pool,
    caller: &Caller,
    request: WakeRequest,
) -> Result<(WakeView, bool), CallError> {
    let command = RegisterWake::new(caller.clone(), World::run_of(caller), request);
    let registered = pool.call(command).await?;
    Ok((registered.wake, registered.repeated))
}

/// Has another instance take `lead` over, which holds only these policies.
async fn take_over(world: &World, pool: &Pool, policies: &[&str]) -> Caller {
    let join = JoinPool {
        policies: Some(World::policies(policies)),
        ..World::joining_as("lead", "another")
    };
    let joined = world.join_as(pool, join).await.unwrap();
    assert!(!joined.repeated);
    World::member("lead", joined.generation)
}

fn lacks(refusal: &Rejection, policy: &str) {
    let Rejection::Policy {
        policy: lacked,
        need,
    } = refusal
    else {
        panic!("{refusal:?}");
    };
    let lacked = (lacked.id.as_str(), *need);
    assert_eq!(lacked, (policy, PolicyNeed::WaiterHolds));
}

async fn standing(world: &World, pool: &Pool, wake: &str) -> (WakeStatus, Option<WakeWhy>) {
    let wake = heronry_tests::wake(wake);
    let view = world.wake_of(pool, &Caller::Operator, &wake).await;
    (view.status, view.reason)
}

const BY_POLICY: (WakeStatus, Option<WakeWhy>) = (
    WakeStatus::Cancelled,
    Some(WakeWhy::Cancelled(WakeReason::Policy)),
);
const WAITS: (WakeStatus, Option<WakeWhy>) = (WakeStatus::Registered, None);

async fn w1_a_wake_carries_policies_that_its_run_holds_and_everybody_may_see_them(world: World) {
    let pool = world.pool().await;
    let lead = world
        .join_with(&pool, "lead", &[], &["public", "team"])
        .await;
    let condition = format!(r#"{{"any_of":[{NEWS:?},"terminal"]}}"#);
    let any = WakeRequest {
        policies: World::policies(&["team"]),
        ..World::waiting_for(&condition, "any")
    };
    for request in [carrying("one", &["team"]), any] {
        let wake = world.register(&pool, &lead, request).await;
        let expected = World::policies(&["team"]);
        assert_eq!((wake.status, &wake.policies), (WAITS.0, &expected));
        let event = world.events(&pool).await.pop().unwrap();
        assert_eq!(event.envelope.kind, EventKind::WakeConditionRegistered);
        assert_eq!(event.envelope.governance.policies, expected);
        let explained = pool.explain_wake(lead.clone(), None, wake.wake_id.clone());
        assert_eq!(explained.await.unwrap().policies, expected);
    }
    let plain = world.register(&pool, &lead, carrying("plain", &[])).await;
    assert!(plain.policies.is_empty());
    let event = world.events(&pool).await.pop().unwrap();
    assert!(event.envelope.governance.policies.is_empty());
    world.check_replay(&pool).await;
}

async fn w1_a_wake_with_a_policy_that_its_run_does_not_hold_is_refused(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["public"]).await;
    // There is something to look through, too.
    let back = |name: &str, policies: &[&str]| WakeRequest {
        since: Since::Start,
        ..carrying(name, policies)
    };
    for request in [carrying("one", &["public", "team"]), back("two", &["team"])] {
        let call = register(&pool, &lead, request);
        lacks(&world.refused(&pool, call).await, "team");
    }
    let mut newer = carrying("three", &[]);
    let public = World::policies(&["public"]);
    let versioned = public.as_slice().iter().cloned();
    let versioned = versioned.map(|mut policy| {
        policy.version = Some(PolicyVersion::parse("2").unwrap());
        policy
    });
    newer.policies = versioned.collect();
    let call = register(&pool, &lead, newer);
    lacks(&world.refused(&pool, call).await, "public");
    // An operator that acts for a run waits with what the run holds.
    let for_lead = RegisterWake::new(Caller::Operator, run("lead"), carrying("four", &["team"]));
    lacks(&world.refused(&pool, pool.call(for_lead)).await, "team");
    // Nothing was claimed: the same name and id are free.
    let (_, repeated) = register(&pool, &lead, carrying("one", &["public"]))
        .await
        .unwrap();
    assert!(!repeated);
    world.check_replay(&pool).await;
}

async fn w1_the_policies_of_a_wake_are_a_set_and_part_of_what_is_asked_for(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["a", "b"]).await;
    let (first, _) = register(&pool, &lead, carrying("w", &["a", "b"]))
        .await
        .unwrap();
    let again = register(&pool, &lead, carrying("w", &["b", "a", "b"]));
    let again = world.unrecorded(&pool, again).await;
    assert_eq!(again, (first.clone(), true));
    for policies in [&["a"][..], &[], &["a", "b", "c"]] {
        let other = register(&pool, &lead, carrying("w", policies));
        let refusal = world.refused(&pool, other).await;
        let is_conflict = matches!(refusal, Rejection::IdempotencyConflict { .. });
        assert!(is_conflict, "{policies:?}: {refusal:?}");
    }
    // A repeat is answered as it stands, whatever the run holds by now.
    let narrowed = take_over(&world, &pool, &["a"]).await;
    let again = register(&pool, &narrowed, carrying("w", &["a", "b"]));
    let (view, repeated) = world.unrecorded(&pool, again).await;
    assert!(repeated);
    assert_eq!((view.status, view.reason), BY_POLICY);
    assert_eq!(view.policies, first.policies);
    world.check_replay(&pool).await;
}

/// A lead that waits with some of its policies, and with none; and a scout that waits, too.
async fn waiting(world: &World) -> (Pool, Caller) {
    let pool = world.pool().await;
    let lead = world
        .join_with(&pool, "lead", &[], &["public", "team"])
        .await;
    let scout = world.join_with(&pool, "scout", &[], &["team"]).await;
    let timed = WakeRequest {
        timeout: Some(Millis::from_secs(60)),
        ..carrying("both", &["public", "team"])
    };
    for request in [
        carrying("team", &["team"]),
        timed,
        carrying("public", &["public"]),
        carrying("plain", &[]),
    ] {
        world.register(&pool, &lead, request).await;
    }
    let others = carrying("other", &["team"]);
    world.register(&pool, &scout, others).await;
    (pool, scout)
}

async fn w1_wakes_that_lost_a_policy_stay_cancelled_after_a_crash_and_the_others_wait(
    world: World,
) {
    let (pool, scout) = waiting(&world).await;
    take_over(&world, &pool, &["public"]).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    world.pass(&pool, Millis::from_secs(61)).await;
    tell(&world, &pool, &scout, "k").await;
    for wake in ["public", "plain", "other"] {
        let (status, _) = standing(&world, &pool, wake).await;
        assert_eq!(status, WakeStatus::Triggered, "{wake}");
    }
    for wake in ["team", "both"] {
        assert_eq!(standing(&world, &pool, wake).await, BY_POLICY, "{wake}");
    }
    world.check_replay(&pool).await;
}

fn more_follow(body: &Body) -> Option<bool> {
    if let Body::WakeTriggered(body) = body {
        Some(body.more_follow)
    } else {
        None
    }
}

async fn w1_neither_the_takeover_nor_what_it_cancels_triggers_a_wake_that_lost_its_policy(
    world: World,
) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["team"]).await;
    let takeover = r#"kind == "run_taken_over""#;
    let cancels = r#"kind == "wake_condition_cancelled""#;
    let count = r#"{"count":{"n":1,"filter":"kind == \"run_taken_over\""}}"#;
    let including = |condition: WakeRequest, name: &str, policies: &[&str]| WakeRequest {
        condition: condition.condition,
        wake_events: WakeEvents::Include,
        ..carrying(name, policies)
    };
    for (condition, lost, kept) in [
        (World::waiting(takeover, "x"), "takeover", "takeover-kept"),
        (World::waiting(cancels, "x"), "cancels", "cancels-kept"),
        (World::waiting_for(count, "x"), "count", "count-kept"),
    ] {
        for (name, policies) in [(kept, &[][..]), (lost, &["team"])] {
            let request = including(condition.clone(), name, policies);
            world.register(&pool, &lead, request).await;
        }
    }
    let before = world.head(&pool).await;
    let lead = take_over(&world, &pool, &[]).await;
    for wake in ["takeover", "cancels", "count"] {
        assert_eq!(standing(&world, &pool, wake).await, BY_POLICY, "{wake}");
    }
    let by = |position| -> Vec<Cursor> { vec![pool.cursor(position)] };
    for (wake, expected) in [
        ("takeover-kept", by(before.next())),
        ("cancels-kept", by(before.next().next())),
        ("count-kept", by(before.next())),
    ] {
        let view = world
            .wake_of(&pool, &lead, &heronry_tests::wake(wake))
            .await;
        let matches: Vec<Cursor> = view.matches.iter().map(|it| it.cursor).collect();
        assert_eq!((view.status, matches), (WakeStatus::Triggered, expected));
    }
    let records = world.records_after(&pool, before).await;
    let last = records
        .iter()
        .rev()
        .find_map(|it| more_follow(&it.entry.body));
    assert_eq!(last, Some(false), "nothing else was decided");
    let digest = world.check_replay(&pool).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(world.check_replay(&pool).await, digest);
}

async fn w1_a_takeover_that_keeps_the_policies_keeps_the_wakes(world: World) {
    let pool = world.pool().await;
    let lead = world
        .join_with(&pool, "lead", &[], &["public", "team"])
        .await;
    let scout = world.join(&pool, "scout").await;
    world.register(&pool, &lead, carrying("w", &["team"])).await;
    // The same process again is no takeover, whatever it names.
    let same = JoinPool {
        policies: Some(World::policies(&["public"])),
        ..World::joining("lead")
    };
    let same = world.unrecorded(&pool, world.join_as(&pool, same)).await;
    assert!(same.repeated);
    // Who names none keeps what there was, and who names less than all keeps that.
    let before = world.head(&pool).await;
    let all = World::joining_as("lead", "second");
    world.join_as(&pool, all).await.unwrap();
    take_over(&world, &pool, &["team"]).await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunTakenOver, EventKind::RunTakenOver]);
    assert_eq!(standing(&world, &pool, "w").await, WAITS);
    tell(&world, &pool, &scout, "k").await;
    assert_eq!(standing(&world, &pool, "w").await.0, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}

async fn w1_who_waits_for_a_wake_is_told_that_its_policy_is_gone(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["team"]).await;
    let wake = world.register(&pool, &lead, carrying("w", &["team"])).await;
    let by = |caller: &Caller| {
        let (pool, caller, wake) = (pool.clone(), caller.clone(), wake.wake_id.clone());
        let wait = Millis::from_secs(60);
        tokio::spawn(async move { pool.wait_wake(caller, None, wake, wait).await })
    };
    let (operator, own) = (by(&Caller::Operator), by(&lead));
    heronry_tests::let_others_run().await;
    take_over(&world, &pool, &[]).await;
    let told = operator.await.unwrap().unwrap();
    assert_eq!((told.status, told.reason), BY_POLICY);
    let told = own.await.unwrap().unwrap_err();
    assert_eq!(told.rejection(), Some(&Rejection::Fenced));
    world.check_replay(&pool).await;
}
