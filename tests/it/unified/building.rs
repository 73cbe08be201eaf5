//! Building a runtime.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use heronry_host::MemberSpec;
use heronry_tests::{World, on_every_store, run};
use heronry_types::{EventKind, MemberStanding, PoolId};
use heronry_unified::{
    BuildFault, Discovery, HookError, Notice, PreSpawnContext, PreSpawnHook, RuntimePhase,
    UnifiedRuntimeBuilder,
};
use serde_json::json;

use crate::scene::{KeptScene, member, named, standing};

on_every_store! {
    r4_the_hook_comes_first_and_discovery_gets_its_value_and_a_second_reconcile_records_nothing
    r5_a_hook_that_fails_leaves_nothing_and_the_pool_can_be_built_again
    r3_every_conflict_is_told_at_once_and_nothing_was_done
}

/// Notes in which order a hook and a source were asked.
#[derive(Default)]
struct Noting {
    asked: Mutex<Vec<String>>,
    fails: AtomicBool,
}

#[async_trait]
impl PreSpawnHook for Noting {
    async fn before_spawn(&self, pool: &PoolId) -> Result<PreSpawnContext, HookError> {
        self.asked.lock().unwrap().push(format!("hook of {pool}"));
        if self.fails.load(Ordering::Relaxed) {
            return Err(HookError("no room".to_owned()));
        }
        let mut context = PreSpawnContext::default();
        context.0.insert("team".to_owned(), "red".to_owned());
        Ok(context)
    }
}

#[async_trait]
impl Discovery for Noting {
    async fn discover(&self, context: &PreSpawnContext) -> Result<Vec<MemberSpec>, HookError> {
        let team = context.0["team"].clone();
        self.asked.lock().unwrap().push(format!("source of {team}"));
        Ok(vec![member("found")])
    }
}

async fn r4_the_hook_comes_first_and_discovery_gets_its_value_and_a_second_reconcile_records_nothing(
    world: World,
) {
    let scene = KeptScene::on(world).await;
    let noting = Arc::new(Noting::default());
    let phases = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&phases);
    let runtime = scene
        .builder(named(&["a", "b"]))
        .with_pre_spawn(Arc::<Noting>::clone(&noting))
        .with_discovery(Arc::<Noting>::clone(&noting))
        .with_observer(Arc::new(move |notice: &Notice| {
            if let Notice::Phase(phase) = notice {
                seen.lock().unwrap().push(*phase);
            }
        }))
        .build()
        .await
        .unwrap();
    assert_eq!(
        *noting.asked.lock().unwrap(),
        ["hook of p", "source of red"]
    );
    let report = runtime.bootstrap_report();
    assert!(report.is_complete());
    let mut started = report.started;
    started.sort_unstable();
    assert_eq!(started, ["a", "b", "found"].map(run));
    standing(&runtime, "found", MemberStanding::Active).await;
    let before = scene.world.head(&scene.pool).await;
    let report = runtime.reconcile().await.unwrap();
    assert_eq!((report.desired, report.retained), (3, 3));
    assert!(report.is_unchanged());
    assert_eq!(scene.world.head(&scene.pool).await, before);
    runtime.shutdown().await;
    let expected = [
        RuntimePhase::Validate,
        RuntimePhase::Open,
        RuntimePhase::Steward,
        RuntimePhase::Recover,
        RuntimePhase::Hook,
        RuntimePhase::Discover,
        RuntimePhase::Reconcile,
        RuntimePhase::Serve,
        RuntimePhase::Stopping,
        RuntimePhase::Stopped,
    ];
    assert_eq!(*phases.lock().unwrap(), expected);
}

async fn r5_a_hook_that_fails_leaves_nothing_and_the_pool_can_be_built_again(world: World) {
    let scene = KeptScene::on(world).await;
    let noting = Arc::new(Noting::default());
    noting.fails.store(true, Ordering::Relaxed);
    let builder = scene.builder(named(&["a"]));
    let failed = builder
        .with_pre_spawn(Arc::<Noting>::clone(&noting))
        .build()
        .await;
    let error = failed.unwrap_err();
    assert_eq!(error.phase, RuntimePhase::Hook);
    assert_eq!(error.to_string(), "no room (in phase hook)");
    assert_eq!(scene.stage.starts(), Vec::<String>::new());
    let kinds = scene.kinds().await;
    let both = [EventKind::StewardTaken, EventKind::StewardReleased];
    assert!(kinds.ends_with(&both), "{kinds:?}");
    let runtime = scene.build(named(&["a"])).await.unwrap();
    standing(&runtime, "a", MemberStanding::Active).await;
    assert!(runtime.shutdown().await.is_complete());
}

async fn r3_every_conflict_is_told_at_once_and_nothing_was_done(world: World) {
    let scene = KeptScene::on(world).await;
    let before = scene.world.head(&scene.pool).await;
    let mut elsewhere = member("a");
    elsewhere.host = "moon".parse().unwrap();
    let mut refused = member("b");
    refused.launch = json!("refused");
    let declared = crate::scene::declared(vec![elsewhere, refused]);
    let error = scene
        .builder(declared)
        .with_concurrency(17)
        .build()
        .await
        .unwrap_err();
    assert!(
        matches!(&error.fault, BuildFault::Conflicts(all) if all.len() == 2),
        "{error:?}"
    );
    let expected = "17 starts at once were asked for; give 1 to 16; member \"a\" names host \"moon\"; there is \
                    \"task\"; member \"b\": this cannot be started (in phase validate)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(scene.world.head(&scene.pool).await, before);
}

#[test]
fn r6_the_builder_is_send_and_sync_and_its_future_is_send() {
    fn check<T: Send + Sync>() {}
    fn is_send<F: Future + Send>(_: impl FnOnce(UnifiedRuntimeBuilder) -> F) {}
    check::<UnifiedRuntimeBuilder>();
    is_send(UnifiedRuntimeBuilder::build);
}
