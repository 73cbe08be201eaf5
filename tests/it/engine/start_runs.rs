//! Starting runs: the host first, then the pool; and back again when that fails.

use std::sync::Mutex;

use async_trait::async_trait;
use heronry_pool::{
    Caller, Rejection,
    decide::{EndRun, JoinPool, ListEffects},
};
use heronry_runtime::{
    EffectError, HostError, Pool, RunHost, StartError, StartRun, Started, StartedBy,
};
use heronry_testkit::AppendFault;
use heronry_tests::{World, key, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{EffectStanding, EventKind, InstanceId, LimitName, Limits, PoolSpec, RunEnd};

on_every_store! {
    p7_a_run_is_started_after_the_intent_and_before_it_joins
    p7_a_run_that_cannot_join_is_stopped_again
    p7_what_cannot_be_stopped_again_is_reported
    p7_a_host_that_starts_nothing_leaves_nothing
    p7_an_operator_starts_runs_without_an_intent
}

on_every_store_that_is_reopened! {
    p7_under_a_key_a_host_is_asked_once
    p7_a_start_of_which_nobody_knows_is_pending
}

/// Remembers what it was asked.
#[derive(Debug, Default)]
struct RecordingHost {
    asked: Mutex<Vec<String>>,
    /// The requests that the host does not do.
    fails: &'static [&'static str],
}

impl RecordingHost {
    fn failing(fails: &'static [&'static str]) -> Self {
        Self {
            fails,
            ..Self::default()
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn note(&self, what: &str, join: &JoinPool) -> Result<(), HostError> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{what} {}", join.run));
        if self.fails.contains(&what) {
            return Err(HostError("no room".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl RunHost for RecordingHost {
    async fn start(&self, join: &JoinPool) -> Result<(), HostError> {
        self.note("start", join)
    }

    async fn stop(&self, join: &JoinPool) -> Result<(), HostError> {
        self.note("stop", join)
    }
}

fn starting(lead: &Caller, name: &str, key_text: Option<&str>) -> StartRun {
    let by = StartedBy {
        caller: lead.clone(),
        run: World::run_of(lead),
        key: key_text.map(key),
    };
    StartRun {
        by: Some(by),
        join: World::joining(name),
    }
}

/// A pool that takes one member, and this member.
async fn full_pool(world: &World) -> (Pool, Caller) {
    let mut limits = Limits::default();
    limits.set(LimitName::MembersMax, 1);
    let spec = PoolSpec {
        limits: Some(limits),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let lead = world.join(&pool, "lead").await;
    (pool, lead)
}

async fn standings(pool: &Pool) -> Vec<EffectStanding> {
    let list = ListEffects {
        caller: Caller::Operator,
        run: None,
        after: None,
        max: 100,
    };
    let page = pool.call(list).await.unwrap();
    page.effects.iter().map(|effect| effect.standing).collect()
}

async fn p7_a_run_is_started_after_the_intent_and_before_it_joins(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let before = world.head(&pool).await;
    let host = RecordingHost::default();
    let started = pool.start_run(&host, starting(&lead, "scout", None)).await;
    let Started::Now(joined) = started.unwrap() else {
        panic!("it was not started before");
    };
    assert_eq!(host.asked(), ["start scout"]);
    let kinds = world.kinds_after(&pool, before).await;
    let expected = [
        EventKind::EffectIntended,
        EventKind::EffectAttempted,
        EventKind::AgentPoolRunJoined,
        EventKind::EffectCompleted,
    ];
    assert_eq!(kinds, expected);
    let scout = World::member("scout", joined.generation);
    world.leave(&pool, &scout).await.unwrap();
    world.check_replay(&pool).await;
}

async fn p7_a_run_that_cannot_join_is_stopped_again(world: World) {
    let (pool, lead) = full_pool(&world).await;
    let host = RecordingHost::default();
    let failed = pool
        .start_run(&host, starting(&lead, "scout", Some("k")))
        .await;
    let Err(StartError::RolledBack(why)) = failed else {
        panic!("{failed:?}");
    };
    assert!(
        matches!(why.rejection(), Some(Rejection::Limit(it)) if it.limit == LimitName::MembersMax)
    );
    assert_eq!(host.asked(), ["start scout", "stop scout"]);
    assert_eq!(standings(&pool).await, [], "nothing is left outside");
    let again = pool
        .start_run(&host, starting(&lead, "scout", Some("k")))
        .await;
    assert!(matches!(again, Err(StartError::FailedBefore)), "{again:?}");
    assert_eq!(host.asked().len(), 2);
    world.check_replay(&pool).await;
}

async fn p7_what_cannot_be_stopped_again_is_reported(world: World) {
    let (pool, lead) = full_pool(&world).await;
    let host = RecordingHost::failing(&["stop"]);
    let failed = pool.start_run(&host, starting(&lead, "scout", None)).await;
    let Err(StartError::NotRolledBack { join, stop }) = failed else {
        panic!("{failed:?}");
    };
    assert!(join.rejection().is_some());
    assert_eq!(stop.0, "no room");
    let events = world.events(&pool).await;
    let last = serde_json::to_value(&events.last().unwrap().payload).unwrap();
    assert!(last.to_string().contains("not rolled back"), "{last}");
    world.check_replay(&pool).await;
}

async fn p7_a_host_that_starts_nothing_leaves_nothing(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let before = world.head(&pool).await;
    let host = RecordingHost::failing(&["start"]);
    let failed = pool.start_run(&host, starting(&lead, "scout", None)).await;
    assert!(
        matches!(failed, Err(StartError::NotStarted(_))),
        "{failed:?}"
    );
    assert_eq!(host.asked(), ["start scout"], "there is nothing to stop");
    let kinds = world.kinds_after(&pool, before).await;
    assert!(!kinds.contains(&EventKind::AgentPoolRunJoined));
    assert_eq!(standings(&pool).await, []);
    world.check_replay(&pool).await;
}

async fn p7_under_a_key_a_host_is_asked_once(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let host = RecordingHost::default();
    let first = pool
        .start_run(&host, starting(&lead, "scout", Some("k")))
        .await;
    assert!(matches!(first, Ok(Started::Now(_))), "{first:?}");
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let before = world.head(&pool).await;
    let again = pool
        .start_run(&host, starting(&lead, "scout", Some("k")))
        .await;
    assert!(matches!(again, Ok(Started::Before)), "{again:?}");
    let other = pool
        .start_run(&host, starting(&lead, "spy", Some("k")))
        .await;
    let conflict = matches!(&other, Err(StartError::Effect(EffectError::NotBegun(error)))
        if matches!(error.rejection(), Some(Rejection::IdempotencyConflict { .. })));
    assert!(conflict, "{other:?}");
    assert_eq!(host.asked(), ["start scout"]);
    assert_eq!(world.head(&pool).await, before);
    world.check_replay(&pool).await;
}

async fn p7_a_start_of_which_nobody_knows_is_pending(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let host = FailingHost(&world);
    let failed = pool.start_run(&host, starting(&lead, "scout", None)).await;
    assert!(matches!(failed, Err(StartError::Unknown(_))), "{failed:?}");
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(standings(&pool).await, [EffectStanding::Pending]);
    world.check_replay(&pool).await;
}

/// Starts a run, and the store fails under the join.
struct FailingHost<'a>(&'a World);

#[async_trait]
impl RunHost for FailingHost<'_> {
    async fn start(&self, _: &JoinPool) -> Result<(), HostError> {
        self.0.faults.fail_next_append(AppendFault::UnknownKept);
        Ok(())
    }

    async fn stop(&self, _: &JoinPool) -> Result<(), HostError> {
        panic!("it may have joined")
    }
}

async fn p7_an_operator_starts_runs_without_an_intent(world: World) {
    let pool = world.pool().await;
    let host = RecordingHost::default();
    let before = world.head(&pool).await;
    let join = World::joining("scout");
    let start = StartRun { by: None, join };
    let started = pool.start_run(&host, start.clone()).await.unwrap();
    let Started::Now(joined) = started else {
        panic!("{started:?}");
    };
    assert_eq!(
        world.kinds_after(&pool, before).await,
        [EventKind::AgentPoolRunJoined]
    );
    let scout = World::member("scout", joined.generation);
    let end = EndRun {
        caller: scout,
        run: run("scout"),
        end: RunEnd::Completed,
        note: None,
    };
    pool.call(end).await.unwrap();
    let other = InstanceId::parse("instance-2").unwrap();
    let mut again = start;
    again.join.instance = other;
    let failed = pool.start_run(&host, again).await;
    assert!(
        matches!(failed, Err(StartError::RolledBack(_))),
        "{failed:?}"
    );
    assert_eq!(host.asked(), ["start scout", "start scout", "stop scout"]);
    world.check_replay(&pool).await;
}
