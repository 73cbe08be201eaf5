//! Effects: the intent before, the result after, and what nobody says the end of.

use std::{
    future::{Future, ready},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use heronry_pool::{
    Caller, EffectReport, Rejection,
    decide::{AttemptEffect, IntendEffect, ListEffects, ReportEffect},
};
use heronry_runtime::{CallError, EffectError, EffectIntent, Pool, Reconcile};
use heronry_testkit::AppendFault;
use heronry_tests::{World, key, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    EffectOutcome, EffectResult, EffectStanding, EffectView, EntityKind, EventKind, LimitName,
    Limits, Payload, PoolSpec,
};

on_every_store! {
    a49_an_effect_runs_after_its_intent_is_durable_and_before_its_result
    a49_an_orphan_with_a_key_is_attempted_again_and_one_without_is_not
    j6_pending_effects_are_bounded
}

on_every_store_that_is_reopened! {
    a49_an_effect_whose_intent_is_not_kept_does_not_run
    a49_an_effect_whose_result_is_not_kept_is_pending_after_reopening
    a49_a_restart_of_the_engine_orphans_nothing_whose_generation_lives_on
    j6_an_effect_with_a_key_is_done_once
}

/// Names an effect of the lead.
pub(super) fn intent(lead: &Caller, text: &str, key_text: Option<&str>) -> EffectIntent {
    EffectIntent {
        caller: lead.clone(),
        run: World::run_of(lead),
        what: text.to_owned(),
        key: key_text.map(key),
    }
}

/// Has the lead do something; returns how often it was done.
async fn done(pool: &Pool, intent: EffectIntent) -> (u32, Result<EffectView, EffectError>) {
    let count = AtomicU32::new(0);
    let work = |_: EffectView| {
        count.fetch_add(1, Ordering::Relaxed);
        ready(EffectResult::succeeded())
    };
    let answer = pool.effect(intent, work).await;
    (
        count.load(Ordering::Relaxed),
        answer.map(|done| done.effect),
    )
}

pub(super) async fn pending(pool: &Pool, caller: &Caller) -> Vec<(String, EffectStanding, u32)> {
    let list = ListEffects {
        caller: caller.clone(),
        run: None,
        after: None,
        max: 100,
    };
    let page = pool.call(list).await.unwrap();
    let shown = page.effects.into_iter();
    shown
        .map(|effect| (effect.what, effect.standing, effect.attempts))
        .collect()
}

/// Intends an effect of the lead, and says nothing of its end.
pub(super) async fn begun(pool: &Pool, intent: EffectIntent) -> EffectView {
    let EffectIntent {
        caller,
        run,
        what,
        key,
    } = intent;
    let begin = IntendEffect::new(caller, run, what, key);
    pool.call(begin).await.unwrap().effect
}

async fn a49_an_effect_runs_after_its_intent_is_durable_and_before_its_result(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let before = world.head(&pool).await;
    let (seen, world_seen) = (Mutex::new(Vec::new()), &world);
    let work = |effect: EffectView| {
        let (seen, pool) = (&seen, pool.clone());
        async move {
            let kinds = world_seen.kinds_after(&pool, before).await;
            *seen.lock().unwrap() = kinds;
            assert_eq!(
                (effect.standing, effect.attempts),
                (EffectStanding::Pending, 1)
            );
            EffectResult::succeeded().with_note("seen on the site")
        }
    };
    let done = pool
        .effect(intent(&lead, "publish", None), work)
        .await
        .unwrap();
    let begun = [EventKind::EffectIntended, EventKind::EffectAttempted];
    assert_eq!(*seen.lock().unwrap(), begun, "durable before it runs");
    assert_eq!(done.effect.standing, EffectStanding::Finished);
    let events = world.events(&pool).await;
    let [.., intended, _, completed] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(completed.envelope.kind, EventKind::EffectCompleted);
    let effect = &completed.envelope.about.subject;
    assert_eq!(effect.kind, EntityKind::Effect);
    assert_eq!(effect.id.as_str(), intended.envelope.id().to_string());
    let summary = |text: &str| Payload::Summary {
        summary: text.to_owned(),
        refs: Vec::new(),
    };
    assert_eq!(intended.payload, summary("publish"));
    assert_eq!(completed.payload, summary("seen on the site"));
    assert_eq!(pending(&pool, &lead).await, []);
    world.check_replay(&pool).await;
}

async fn a49_an_effect_whose_intent_is_not_kept_does_not_run(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.faults.fail_next_append(AppendFault::UnknownNotKept);
    let (count, answer) = done(&pool, intent(&lead, "publish", Some("k"))).await;
    assert!(matches!(
        answer,
        Err(EffectError::NotBegun(CallError::Stopped { .. }))
    ));
    assert_eq!(count, 0);
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let (count, answer) = done(&pool, intent(&lead, "publish", Some("k"))).await;
    assert_eq!((count, answer.unwrap().attempts), (1, 1));
    world.check_replay(&pool).await;
}

async fn a49_an_effect_whose_result_is_not_kept_is_pending_after_reopening(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let work = |_: EffectView| {
        world.faults.fail_next_append(AppendFault::UnknownNotKept);
        ready(EffectResult::succeeded())
    };
    let answer = pool.effect(intent(&lead, "publish", None), work).await;
    assert!(
        matches!(answer, Err(EffectError::Unrecorded(_))),
        "{answer:?}"
    );
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let listed = pending(&pool, &lead).await;
    assert_eq!(listed, [("publish".to_owned(), EffectStanding::Pending, 1)]);
    world.check_replay(&pool).await;
}

async fn a49_a_restart_of_the_engine_orphans_nothing_whose_generation_lives_on(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let effect = begun(&pool, intent(&lead, "publish", Some("k"))).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let listed = pending(&pool, &lead).await;
    assert_eq!(listed, [("publish".to_owned(), EffectStanding::Pending, 1)]);
    let hook = RecordingHook::default();
    let all = pool.reconcile(Caller::Operator, None, &hook).await.unwrap();
    assert_eq!((all, hook.calls()), (vec![], vec![]), "it is nobody else's");
    let report = reporting(&lead, &effect, Some(1));
    let answer = pool.call(report.clone()).await.unwrap();
    assert!(matches!(answer, EffectReport::Completed(..)), "{answer:?}");
    let again = world.unrecorded(&pool, pool.call(report)).await;
    assert!(matches!(again, EffectReport::Completed(..)), "{again:?}");
    world.check_replay(&pool).await;
}

/// Remembers what it was asked.
#[derive(Debug, Default)]
pub(super) struct RecordingHook {
    calls: Mutex<Vec<String>>,
    knows: Option<EffectResult>,
}

impl RecordingHook {
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, what: &str, effect: &EffectView) {
        let call = format!("{what} {} {}", effect.what, effect.attempts);
        self.calls.lock().unwrap().push(call);
    }
}

impl Reconcile for RecordingHook {
    fn retry(&self, effect: &EffectView) -> impl Future<Output = EffectResult> + Send {
        self.note("retry", effect);
        ready(EffectResult::succeeded())
    }

    fn resolve(&self, effect: &EffectView) -> impl Future<Output = Option<EffectResult>> + Send {
        self.note("resolve", effect);
        ready(self.knows.clone())
    }
}

async fn a49_an_orphan_with_a_key_is_attempted_again_and_one_without_is_not(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let safe = begun(&pool, intent(&lead, "safe", Some("k"))).await;
    begun(&pool, intent(&lead, "unsafe", None)).await;
    let taken = world.join_as(&pool, World::joining_as("lead", "instance-2"));
    let lead = World::member("lead", taken.await.unwrap().generation);
    let orphans = [
        ("safe".to_owned(), EffectStanding::RetrySafe, 1),
        ("unsafe".to_owned(), EffectStanding::UnsafePending, 1),
    ];
    assert_eq!(pending(&pool, &lead).await, orphans);

    let hook = RecordingHook::default();
    let before = world.head(&pool).await;
    let all = pool
        .reconcile(lead.clone(), Some(run("lead")), &hook)
        .await
        .unwrap();
    assert_eq!(hook.calls(), ["retry safe 2", "resolve unsafe 1"]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].effect.effect, safe.effect);
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(
        kinds,
        [EventKind::EffectAttempted, EventKind::EffectCompleted]
    );
    let left = [("unsafe".to_owned(), EffectStanding::UnsafePending, 1)];
    assert_eq!(pending(&pool, &lead).await, left);
    let unsafe_one = AttemptEffect {
        caller: lead.clone(),
        run: run("lead"),
        effect: pool.cursor(safe.effect.position.next().next()),
        after: 1,
    };
    let refused = pool.call(unsafe_one).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::EffectUnsafe));

    let hook = RecordingHook {
        knows: Some(EffectResult::failed()),
        ..RecordingHook::default()
    };
    let all = pool.reconcile(Caller::Operator, None, &hook).await.unwrap();
    assert_eq!(hook.calls(), ["resolve unsafe 1"]);
    assert_eq!(all[0].result.outcome, EffectOutcome::Failed);
    assert_eq!(pending(&pool, &Caller::Operator).await, []);
    world.check_replay(&pool).await;
}

fn reporting(by: &Caller, effect: &EffectView, attempt: Option<u32>) -> ReportEffect {
    ReportEffect {
        caller: by.clone(),
        run: Some(effect.run_id.clone()),
        effect: effect.effect,
        attempt,
        result: EffectResult::succeeded(),
    }
}

async fn j6_an_effect_with_a_key_is_done_once(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let (count, first) = done(&pool, intent(&lead, "publish", Some("k"))).await;
    assert_eq!(count, 1);
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let before = world.head(&pool).await;
    let (count, again) = done(&pool, intent(&lead, "publish", Some("k"))).await;
    assert_eq!((count, again.unwrap()), (0, first.unwrap()));
    let (count, other) = done(&pool, intent(&lead, "withdraw", Some("k"))).await;
    let conflict = matches!(&other, Err(EffectError::NotBegun(error))
        if matches!(error.rejection(), Some(Rejection::IdempotencyConflict { .. })));
    assert!(conflict && count == 0, "{other:?}");
    assert_eq!(world.head(&pool).await, before);
    begun(&pool, intent(&lead, "other", Some("k2"))).await;
    let (count, other) = done(&pool, intent(&lead, "other", Some("k2"))).await;
    assert!(
        matches!(other, Err(EffectError::Pending)) && count == 0,
        "{other:?}"
    );
    world.check_replay(&pool).await;
}

async fn j6_pending_effects_are_bounded(world: World) {
    let mut limits = Limits::default();
    limits.set(LimitName::PendingEffectsPerRunMax, 2);
    let limits = Some(limits);
    let pool = world
        .pool_with(PoolSpec {
            limits,
            ..PoolSpec::default()
        })
        .await;
    let lead = world.join(&pool, "lead").await;
    begun(&pool, intent(&lead, "one", None)).await;
    let second = begun(&pool, intent(&lead, "two", None)).await;
    let (count, refused) = done(&pool, intent(&lead, "three", None)).await;
    assert_eq!(count, 0);
    let limited = matches!(&refused, Err(EffectError::NotBegun(error))
        if matches!(error.rejection(), Some(Rejection::Limit(exceeded))
            if exceeded.limit == LimitName::PendingEffectsPerRunMax));
    assert!(limited, "{refused:?}");
    pool.call(reporting(&lead, &second, Some(1))).await.unwrap();
    let (count, third) = done(&pool, intent(&lead, "three", None)).await;
    assert_eq!((count, third.is_ok()), (1, true));
    world.check_replay(&pool).await;
}
