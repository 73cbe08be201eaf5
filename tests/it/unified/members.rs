//! Members that are kept as they are declared.

use heronry_pool::{Caller, decide::ListMembers};
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run, topic};
use heronry_types::{EventKind, MemberStanding, ReadyWhen, RunEnd, RunsUntil};
use heronry_unified::RunEndedBy;
use serde_json::json;

use crate::scene::{Deed, KeptScene, declared, member, named, processes, standing};

on_every_store! {
    r13_what_is_no_longer_declared_is_retired_and_the_rest_goes_on
    r14_one_failure_stops_nothing_else
    r16_what_is_declared_twice_is_recorded_once
    r15_topics_change_in_place_and_a_command_by_a_restart
    a_job_ends_when_every_member_that_is_waited_for_has_ended
    a_member_is_stopped_and_started_by_hand
    rediscover_restarts_every_member
    a_member_counts_as_started_once_it_is_ready
    r49_a_hook_that_is_set_late_is_used_and_one_that_hangs_is_told
}

on_every_store_that_is_reopened! {
    r17_after_a_crash_there_is_one_process_for_each_member
    a_job_that_was_interrupted_goes_on
}

async fn r13_what_is_no_longer_declared_is_retired_and_the_rest_goes_on(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a", "b"])).await.unwrap();
    let a = standing(&runtime, "a", MemberStanding::Active).await;
    let report = runtime.refresh_topology(named(&["a"])).await.unwrap();
    assert_eq!(report.retired, [run("b")]);
    assert_eq!((report.desired, report.retained), (1, 1));
    processes(&scene, "b", 0).await;
    assert_eq!(scene.stage.starts(), ["a", "b"]);
    let still = standing(&runtime, "a", MemberStanding::Active).await;
    assert_eq!(still.generation, a.generation);
    let list = ListMembers {
        caller: Caller::Operator,
        after: None,
        max: 10,
    };
    let members = scene.pool.call(list).await.unwrap().members;
    assert_eq!(members.len(), 1);
    runtime.shutdown().await;
}

async fn r14_one_failure_stops_nothing_else(world: World) {
    let scene = KeptScene::on(world).await;
    let mut late = member("late");
    late.ready.when = ReadyWhen::Line;
    let members = vec![member("a"), late, member("b")];
    let building = scene.build(declared(members));
    let watching = async {
        processes(&scene, "late", 1).await;
        processes(&scene, "b", 1).await;
        scene
            .stage
            .end("late", heronry_host::IncarnationEnd::ExitCode(3));
    };
    let (runtime, ()) = tokio::join!(building, watching);
    let runtime = runtime.unwrap();
    let report = runtime.bootstrap_report();
    assert!(!report.is_complete());
    assert_eq!(report.started.len(), 2);
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|it| format!("{} {} {}", it.stage, it.kind, it.message))
        .collect();
    assert_eq!(
        failures,
        ["ready ended_early it ended before it was ready: exit code 3"]
    );
    standing(&runtime, "a", MemberStanding::Active).await;
    standing(&runtime, "b", MemberStanding::Active).await;
    standing(&runtime, "late", MemberStanding::Starting).await;
    let recorded = scene.events_of(EventKind::Reconciled).await;
    assert_eq!(recorded.len(), 1);
    runtime.shutdown().await;
}

async fn r16_what_is_declared_twice_is_recorded_once(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    let first = runtime.bootstrap_report().revision;
    let before = scene.world.head(&scene.pool).await;
    let again = runtime.refresh_topology(named(&["a"])).await.unwrap();
    assert_eq!((again.revision, again.retained), (first, 1));
    assert_eq!(scene.world.head(&scene.pool).await, before);
    let other = runtime.refresh_topology(named(&["a", "b"])).await.unwrap();
    assert_eq!(other.revision, first + 1);
    runtime.shutdown().await;
}

async fn r15_topics_change_in_place_and_a_command_by_a_restart(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    let first = standing(&runtime, "a", MemberStanding::Active).await;
    let mut changed = member("a");
    changed.topics = vec![topic("news")];
    let planned = runtime
        .plan(Some(declared(vec![changed.clone()])))
        .await
        .unwrap();
    let planned: Vec<String> = planned.iter().map(ToString::to_string).collect();
    assert_eq!(planned.first().unwrap(), "change a: topics");
    let report = runtime
        .refresh_topology(declared(vec![changed.clone()]))
        .await
        .unwrap();
    assert_eq!(report.changed, [run("a")]);
    let second = standing(&runtime, "a", MemberStanding::Active).await;
    assert_eq!(second.generation, first.generation);
    changed.launch = json!("another");
    let report = runtime
        .refresh_topology(declared(vec![changed]))
        .await
        .unwrap();
    assert_eq!(report.restarted, [run("a")]);
    let third = standing(&runtime, "a", MemberStanding::Active).await;
    assert!(third.generation > second.generation);
    assert_eq!(scene.stage.processes("a"), 1);
    runtime.shutdown().await;
}

async fn a_job_ends_when_every_member_that_is_waited_for_has_ended(world: World) {
    let scene = KeptScene::on(world).await;
    let mut lead = member("lead");
    lead.until = RunsUntil::Exited;
    let runtime = scene
        .build(declared(vec![lead, member("helper")]))
        .await
        .unwrap();
    let running = runtime.run(std::future::pending());
    let ending = async {
        scene
            .stage
            .end("lead", heronry_host::IncarnationEnd::Succeeded);
    };
    let (report, ()) = tokio::join!(running, ending);
    assert_eq!(report.ended_by, RunEndedBy::Done);
    assert!(report.shutdown.is_complete(), "{:?}", report.shutdown);
    assert_eq!(report.shutdown.members, [run("helper")]);
    let ends: Vec<_> = report.members.iter().map(|it| it.ended).collect();
    assert_eq!(ends, [Some(RunEnd::Completed); 2]);
    assert_eq!(scene.events_of(EventKind::RunCompleted).await.len(), 2);
}

async fn a_job_that_was_interrupted_goes_on(world: World) {
    let mut lead = member("lead");
    lead.until = RunsUntil::Exited;
    let job = declared(vec![lead, member("helper")]);
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(job.clone()).await.unwrap();
    let report = runtime.run(std::future::ready(())).await;
    assert_eq!(report.ended_by, RunEndedBy::Asked);
    assert!(report.members.iter().all(|it| it.ended.is_none()));
    let KeptScene {
        world, pool, host, ..
    } = scene;
    drop((runtime, report, pool, host));
    let scene = KeptScene::on(world.restart().await).await;
    let runtime = scene.build(job.clone()).await.unwrap();
    assert_eq!(runtime.bootstrap_report().started.len(), 2);
    let running = runtime.run(std::future::pending());
    let ending = async {
        scene
            .stage
            .end("lead", heronry_host::IncarnationEnd::Succeeded);
    };
    let (report, ()) = tokio::join!(running, ending);
    assert_eq!(report.ended_by, RunEndedBy::Done);
    // A third run finds the job done, and starts nobody.
    let runtime = scene.build(job).await.unwrap();
    let report = runtime.run(std::future::pending()).await;
    assert_eq!(report.ended_by, RunEndedBy::Done);
    assert!(report.members.iter().all(|it| it.ended_earlier));
    assert_eq!(scene.stage.starts().len(), 2);
}

async fn a_member_is_stopped_and_started_by_hand(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    runtime.stop_member(&run("a")).await.unwrap();
    let stopped = standing(&runtime, "a", MemberStanding::Dormant).await;
    assert_eq!(stopped.why.as_deref(), Some("stopped"));
    assert!(runtime.reconcile().await.unwrap().is_unchanged());
    runtime.start_member(&run("a")).await.unwrap();
    let started = standing(&runtime, "a", MemberStanding::Active).await;
    assert!(started.generation > stopped.generation);
    let unknown = runtime.start_member(&run("b")).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "run \"b\" is not in the roster; declare it first"
    );
    runtime.shutdown().await;
}

async fn rediscover_restarts_every_member(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a", "b"])).await.unwrap();
    let report = runtime.rediscover().await.unwrap();
    let mut restarted = report.reconcile.restarted;
    restarted.sort_unstable();
    assert_eq!(restarted, ["a", "b"].map(run));
    assert_eq!(
        (scene.stage.processes("a"), scene.stage.starts().len()),
        (1, 4)
    );
    runtime.shutdown().await;
}

async fn r17_after_a_crash_there_is_one_process_for_each_member(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a", "b"])).await.unwrap();
    assert_eq!(scene.stage.starts().len(), 2);
    let KeptScene {
        world,
        pool,
        host,
        stage,
    } = scene;
    drop((runtime, pool, host));
    heronry_tests::until(|| stage.processes("a") + stage.processes("b") == 0).await;
    let scene = KeptScene::on(world.crash().await).await;
    let runtime = scene.build(named(&["a", "b"])).await.unwrap();
    assert_eq!(runtime.bootstrap_report().started.len(), 2);
    assert_eq!(
        (scene.stage.processes("a"), scene.stage.processes("b")),
        (1, 1)
    );
    let report = runtime.reconcile().await.unwrap();
    assert!(report.is_unchanged());
    runtime.shutdown().await;
}

/// A hook that never returns, and says that it was called.
#[derive(Default)]
struct HangingHook {
    is_called: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl heronry_unified::PostSpawnHook for HangingHook {
    async fn after_spawn(
        &self,
        _: &[heronry_types::RunId],
    ) -> Result<(), heronry_unified::HookError> {
        self.is_called
            .store(true, std::sync::atomic::Ordering::Relaxed);
        std::future::pending().await
    }
}

async fn r49_a_hook_that_is_set_late_is_used_and_one_that_hangs_is_told(world: World) {
    let scene = KeptScene::on(world).await;
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&told);
    let runtime = scene
        .builder(named(&["a"]))
        .with_observer(std::sync::Arc::new(
            move |notice: &heronry_unified::Notice| {
                if let heronry_unified::Notice::Trouble { what } = notice {
                    seen.lock().unwrap().push(what.clone());
                }
            },
        ))
        .build()
        .await
        .unwrap();
    let hook = std::sync::Arc::new(HangingHook::default());
    runtime.set_post_spawn(std::sync::Arc::<HangingHook>::clone(&hook));
    let refreshed = runtime.refresh_topology(named(&["a", "b"]));
    let passing = async {
        let is_called = || hook.is_called.load(std::sync::atomic::Ordering::Relaxed);
        heronry_tests::until(is_called).await;
        scene
            .world
            .clock
            .advance(heronry_types::Millis::from_secs(31));
    };
    let (report, ()) = tokio::join!(refreshed, passing);
    assert_eq!(report.unwrap().started, [run("b")]);
    let expected = "the post-spawn hook did not return within 30 s";
    assert_eq!(*told.lock().unwrap(), [expected]);
    runtime.shutdown().await;
}

async fn a_member_counts_as_started_once_it_is_ready(world: World) {
    let scene = KeptScene::on(world).await;
    let mut slow = member("slow");
    slow.ready.when = ReadyWhen::Line;
    let mut calling = member("calling");
    calling.ready.when = ReadyWhen::FirstCommand;
    let mut building = Box::pin(scene.build(declared(vec![slow, calling])));
    let looking = async {
        processes(&scene, "slow", 1).await;
        processes(&scene, "calling", 1).await;
        heronry_tests::let_others_run().await;
    };
    tokio::select! {
        _ = &mut building => panic!("nobody is ready"),
        () = looking => {}
    }
    scene.stage.tell("slow", &Deed::Ready);
    scene.world.clock.advance(heronry_types::Millis(1));
    let list = ListMembers {
        caller: Caller::Operator,
        after: None,
        max: 10,
    };
    let members = scene.pool.call(list).await.unwrap().members;
    let caller = members.iter().find(|it| it.run == run("calling")).unwrap();
    let caller = World::member("calling", caller.generation);
    let fetch = World::fetch(&caller, "r1", 1);
    scene.pool.call(fetch).await.unwrap();
    let looking = async {
        heronry_tests::let_others_run().await;
        scene.world.clock.advance(heronry_types::Millis(25));
    };
    let (runtime, ()) = tokio::join!(building, looking);
    let runtime = runtime.unwrap();
    assert_eq!(runtime.bootstrap_report().started.len(), 2);
    runtime.shutdown().await;
}
