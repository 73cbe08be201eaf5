//! Runs that wait only on each other, and waits that nobody can end: suspected, and never acted on.

use heronry_journal::{Body, DeadlockSuspected, Record};
use heronry_pool::{
    Caller, PoolView, SuspendedView,
    decide::{ChangeMember, DescribePool, JoinPool, ResumeRun, Suspending, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run, topic};
use heronry_types::{EventKind, Millis, Position, RunState, WakeView};

use crate::{suspend::seen, wakes::NEWS};

on_every_store! {
    w9_runs_that_wait_only_on_each_other_are_suspected_and_left_alone
    w9_a_third_member_that_could_help_makes_it_no_deadlock
    w9_a_suspicion_is_said_once_and_ends_when_one_of_the_runs_goes_on
    w9_a_wake_that_no_live_member_can_end_is_orphaned
    w9_who_waits_for_one_that_waits_for_nobody_is_in_no_deadlock
    w9_a_changed_lease_says_nothing_again
    w9_who_joins_or_is_back_has_it_looked_at_again
    w9_filters_that_events_of_no_run_pass_are_nobodys_deadlock
    w9_what_counts_already_is_not_waited_for
}

on_every_store_that_is_reopened! {
    w9_a_suspicion_outlives_a_crash_and_is_looked_for_after_one
}

pub(super) const SOON: Millis = Millis::from_secs(1);

pub(super) fn by(name: &str) -> String {
    format!(r#"{NEWS} && run == "{name}""#)
}

async fn sleep(world: &World, pool: &Pool, caller: &Caller, request: WakeRequest) -> WakeView {
    let request = WakeRequest {
        suspending: Some(Suspending::forever()),
        ..request
    };
    world.register(pool, caller, request).await
}

pub(super) async fn sleeps(world: &World, pool: &Pool, caller: &Caller, filter: &str) -> WakeView {
    let request = World::waiting(filter, filter);
    sleep(world, pool, caller, request).await
}

pub(super) fn deadlocks(records: &[Record]) -> Vec<DeadlockSuspected> {
    let suspected = |record: &Record| {
        if let Body::DeadlockSuspected(body) = &record.entry.body {
            Some(body.clone())
        } else {
            None
        }
    };
    records.iter().filter_map(suspected).collect()
}

pub(super) async fn asleep(pool: &Pool, name: &str) -> SuspendedView {
    seen(pool, name).await.suspended.unwrap()
}

pub(super) async fn shown(pool: &Pool) -> PoolView {
    let caller = Caller::Operator;
    pool.call(DescribePool { caller }).await.unwrap()
}

/// Two that wait on each other, and what is recorded after a while.
async fn embraced(world: &World) -> (Pool, Caller, Caller, Position) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let bob = world.join(&pool, "bob").await;
    sleeps(world, &pool, &ann, &by("bob")).await;
    sleeps(world, &pool, &bob, &by("ann")).await;
    let before = world.head(&pool).await;
    (pool, ann, bob, before)
}

async fn w9_runs_that_wait_only_on_each_other_are_suspected_and_left_alone(world: World) {
    let (pool, ann, _, before) = embraced(&world).await;
    world.pass(&pool, Millis(SOON.0 - 1)).await;
    assert_eq!(world.head(&pool).await, before);
    world.pass(&pool, Millis(1)).await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::AgentPoolDeadlockSuspected]);
    let records = world.records_after(&pool, before).await;
    let body = &deadlocks(&records)[0];
    assert_eq!(body.runs, [run("ann"), run("bob")]);
    assert_eq!(body.wakes.len(), 2);
    let view = asleep(&pool, "ann").await;
    let at = view.suspected_deadlock.unwrap().position;
    assert_eq!(at, records[0].position);
    assert_eq!(seen(&pool, "bob").await.suspended.unwrap().orphaned, []);
    let pool_view = shown(&pool).await;
    let counts = (pool_view.deadlocked_members, pool_view.orphaned_wakes);
    assert_eq!(counts, (2, 0));
    let wake = view.wakes[0].clone();
    let explained = pool.explain_wake(ann, None, wake).await.unwrap();
    assert_eq!(explained.suspected_deadlock.unwrap().position, at);
    assert!(!explained.orphaned);
    let after = world.head(&pool).await;
    world.pass(&pool, Millis::from_secs(600)).await;
    assert_eq!(world.head(&pool).await, after, "nobody acts on it");
    let events = world.events(&pool).await;
    let event = events.last().unwrap();
    let related: Vec<_> = event.envelope.about.related.iter().collect();
    assert_eq!(related.len(), 4, "the runs, and their wakes");
    world.check_replay(&pool).await;
}

async fn w9_a_third_member_that_could_help_makes_it_no_deadlock(world: World) {
    let pool = world.pool().await;
    let mut callers = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        callers.push(world.join(&pool, name).await);
    }
    let to = |name: &str| format!(r#""{name}" in recipients"#);
    for (caller, name) in callers.iter().zip(["ann", "bob", "cid"]) {
        sleeps(&world, &pool, caller, &to(name)).await;
    }
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(2 * SOON.0)).await;
    assert_eq!(world.head(&pool).await, before, "dan could send to any");
    world.leave(&pool, &callers[3]).await.unwrap();
    world.pass(&pool, SOON).await;
    let records = world.records_after(&pool, before).await;
    let [one] = &*deadlocks(&records) else {
        panic!("one group: {records:?}");
    };
    assert_eq!(one.runs, [run("ann"), run("bob"), run("cid")]);
    world.check_replay(&pool).await;
}

async fn w9_a_suspicion_is_said_once_and_ends_when_one_of_the_runs_goes_on(world: World) {
    let (pool, ann, _, before) = embraced(&world).await;
    world.pass(&pool, SOON).await;
    let cid = world.join(&pool, "cid").await;
    let waits = sleeps(&world, &pool, &cid, NEWS).await;
    assert_eq!(waits.run_state, Some(RunState::Suspended));
    world.pass(&pool, SOON).await;
    let suspected = deadlocks(&world.records_after(&pool, before).await);
    assert_eq!(suspected.len(), 2, "another one waits on them");
    assert_eq!(suspected[1].runs.len(), 3);
    let (caller, name) = (ann.clone(), run("ann"));
    pool.call(ResumeRun { caller, run: name }).await.unwrap();
    for name in ["bob", "cid"] {
        assert_eq!(asleep(&pool, name).await.suspected_deadlock, None);
    }
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.deadlocked_members, 0);
    let request = World::waiting(&by("bob"), "again");
    sleep(&world, &pool, &ann, request).await;
    world.pass(&pool, SOON).await;
    let suspected = deadlocks(&world.records_after(&pool, before).await);
    assert_eq!(suspected.len(), 3, "it is another occurrence");
    world.check_replay(&pool).await;
}

async fn w9_a_wake_that_no_live_member_can_end_is_orphaned(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let join = JoinPool {
        lease: Some(Millis::from_secs(10)),
        ..World::joining("bob")
    };
    let joined = world.join_as(&pool, join).await.unwrap();
    let wake = sleeps(&world, &pool, &ann, &by("bob")).await;
    world.pass(&pool, Millis::from_secs(9)).await;
    let before = world.head(&pool).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 0, "bob is there");
    world.pass(&pool, Millis::from_secs(1)).await;
    world.pass(&pool, SOON).await;
    let kinds = world.kinds_after(&pool, before).await;
    let expected = [EventKind::RunLost, EventKind::WakeConditionOrphaned];
    assert_eq!(kinds, expected);
    assert_eq!(shown(&pool).await.orphaned_wakes, 1);
    assert_eq!(
        asleep(&pool, "ann").await.orphaned,
        std::slice::from_ref(&wake.wake_id)
    );
    let explained = pool.explain_wake(ann, None, wake.wake_id).await.unwrap();
    assert!(explained.orphaned && explained.suspected_deadlock.is_none());
    let bob = World::member("bob", joined.generation);
    world.receive(&pool, &bob, "r1", 1).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 0, "bob is back");
    world.check_replay(&pool).await;
}

async fn w9_who_waits_for_one_that_waits_for_nobody_is_in_no_deadlock(world: World) {
    let pool = world.pool().await;
    let names = ["ann", "bob", "cid", "dan"];
    for (name, next) in names.iter().zip(["bob", "cid", "dan", "ghost"]) {
        let caller = world.join(&pool, name).await;
        sleeps(&world, &pool, &caller, &by(next)).await;
    }
    let before = world.head(&pool).await;
    world.pass(&pool, SOON).await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::WakeConditionOrphaned]);
    assert_eq!(asleep(&pool, "dan").await.orphaned.len(), 1);
    world.check_replay(&pool).await;
}

async fn w9_a_changed_lease_says_nothing_again(world: World) {
    let (pool, _, _, before) = embraced(&world).await;
    let cid = world.join(&pool, "cid").await;
    world.pass(&pool, SOON).await;
    let change = |lease, topics: Option<&str>| ChangeMember {
        caller: cid.clone(),
        run: run("cid"),
        topics: topics.map(|name| vec![topic(name)]),
        lease: Some(Millis::from_secs(lease)),
    };
    pool.call(change(60, None)).await.unwrap();
    assert_eq!(shown(&pool).await.deadlocked_members, 2);
    world.pass(&pool, SOON).await;
    let said = |records: Vec<Record>| deadlocks(&records).len();
    assert_eq!(said(world.records_after(&pool, before).await), 1);
    pool.call(change(60, Some("north"))).await.unwrap();
    assert_eq!(shown(&pool).await.deadlocked_members, 0);
    world.pass(&pool, SOON).await;
    assert_eq!(said(world.records_after(&pool, before).await), 2);
    world.check_replay(&pool).await;
}

async fn w9_who_joins_or_is_back_has_it_looked_at_again(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    sleeps(&world, &pool, &ann, &by("bob")).await;
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 1);
    world.join(&pool, "cid").await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 0);
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 1, "not cid");
    let bob = world.join(&pool, "bob").await;
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 0);
    world.say(&pool, &bob, ("ann", "m1")).await;
    assert_eq!(seen(&pool, "ann").await.suspended, None);
    world.check_replay(&pool).await;
}

async fn w9_filters_that_events_of_no_run_pass_are_nobodys_deadlock(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let bob = world.join(&pool, "bob").await;
    sleeps(&world, &pool, &ann, r#"family == "agent_pool""#).await;
    sleeps(&world, &pool, &bob, r#"kind == "agent_pool_configured""#).await;
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(2 * SOON.0)).await;
    assert_eq!(world.head(&pool).await, before, "an operator could");
    world.check_replay(&pool).await;
}

async fn w9_what_counts_already_is_not_waited_for(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let bob = world.join(&pool, "bob").await;
    let (by_bob, by_cid) = (by("bob"), by("cid"));
    let both = format!(r#"{{"all_of": [{by_bob:?}, {by_cid:?}]}}"#);
    sleep(&world, &pool, &ann, World::waiting_for(&both, "w")).await;
    let cid = world.join(&pool, "cid").await;
    world.say(&pool, &bob, ("bob", "m1")).await;
    world.leave(&pool, &bob).await.unwrap();
    let before = world.head(&pool).await;
    world.pass(&pool, SOON).await;
    assert_eq!(world.head(&pool).await, before, "only cid is needed");
    world.leave(&pool, &cid).await.unwrap();
    world.pass(&pool, SOON).await;
    let last = world.kinds_after(&pool, before).await.pop();
    assert_eq!(last, Some(EventKind::WakeConditionOrphaned));
    world.check_replay(&pool).await;
}

async fn w9_a_suspicion_outlives_a_crash_and_is_looked_for_after_one(world: World) {
    let (pool, _, _, before) = embraced(&world).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    world.pass(&pool, Millis(2 * SOON.0)).await;
    let records = world.records_after(&pool, before).await;
    assert_eq!(deadlocks(&records).len(), 1);
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    world.pass(&pool, Millis(2 * SOON.0)).await;
    assert_eq!(shown(&pool).await.deadlocked_members, 2);
    let records = world.records_after(&pool, before).await;
    assert_eq!(deadlocks(&records).len(), 1, "it is said once");
    world.check_replay(&pool).await;
}
