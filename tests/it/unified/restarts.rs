//! Restarts: what is started again, and when that ends.

use heronry_host::{IncarnationEnd, RestartRule};
use heronry_tests::{World, on_every_store, run};
use heronry_types::{
    EventKind, MemberStanding, Millis, ReadyWhen, RestartPolicy, RunEnd, RunsUntil,
};

use crate::scene::{Deed, KeptScene, declared, member, processes, standing};

on_every_store! {
    r18_a_member_is_started_again_after_its_pause_until_its_restarts_are_used_up
    r18_the_policy_decides_what_an_end_means
    r18_a_panic_is_an_end
    r19_a_broken_member_and_a_hanging_start_hold_up_nobody
}

async fn r18_a_member_is_started_again_after_its_pause_until_its_restarts_are_used_up(
    world: World,
) {
    let scene = KeptScene::on(world).await;
    let mut fragile = member("a");
    fragile.until = RunsUntil::Exited;
    fragile.restart.budget = 2;
    let runtime = scene.build(declared(vec![fragile])).await.unwrap();
    let mut generation = None;
    for pause in [250, 500] {
        let active = standing(&runtime, "a", MemberStanding::Active).await;
        assert!(active.generation > generation);
        generation = active.generation;
        scene.stage.end("a", IncarnationEnd::Signal(9));
        let why = format!("signal 9; starts again in {pause} ms");
        let due = standing(&runtime, "a", MemberStanding::Starting).await;
        assert_eq!(due.why, Some(why));
        scene.world.clock.advance(Millis(pause - 1));
        heronry_tests::let_others_run().await;
        assert_eq!(scene.stage.processes("a"), 0);
        scene.world.clock.advance(Millis(1));
        processes(&scene, "a", 1).await;
    }
    standing(&runtime, "a", MemberStanding::Active).await;
    scene.stage.end("a", IncarnationEnd::ExitCode(1));
    let broken = standing(&runtime, "a", MemberStanding::Broken).await;
    assert_eq!(
        broken.why.as_deref(),
        Some("exit code 1 after 2 restarts in a row")
    );
    assert_eq!(broken.restarts, 2);
    let report = runtime.run(std::future::pending()).await;
    assert_eq!(report.members[0].ended, Some(RunEnd::Failed));
    let ended = scene.events_of(EventKind::RunFailed).await;
    let shown = format!("{:?}", ended[0].payload);
    assert!(shown.contains("exit code 1 after 2 restarts"), "{shown}");
}

async fn r18_the_policy_decides_what_an_end_means(world: World) {
    let scene = KeptScene::on(world).await;
    let of = |name: &str, policy| {
        let mut spec = member(name);
        spec.restart = RestartRule::of(policy);
        spec
    };
    let members = vec![
        of("always", RestartPolicy::Always),
        of("never", RestartPolicy::Never),
        of("on-failure", RestartPolicy::OnFailure),
    ];
    let runtime = scene.build(declared(members)).await.unwrap();
    for name in ["always", "never", "on-failure"] {
        standing(&runtime, name, MemberStanding::Active).await;
        let is_bad = name == "never";
        let end = if is_bad {
            IncarnationEnd::ExitCode(4)
        } else {
            IncarnationEnd::Succeeded
        };
        scene.stage.end(name, end);
    }
    standing(&runtime, "always", MemberStanding::Starting).await;
    let broken = standing(&runtime, "never", MemberStanding::Broken).await;
    assert_eq!(broken.why.as_deref(), Some("exit code 4"));
    assert_eq!(broken.ended, None, "it is a member all the same");
    processes(&scene, "on-failure", 0).await;
    let completed = scene.events_of(EventKind::RunCompleted).await;
    assert_eq!(completed[0].envelope.identity.run, Some(run("on-failure")));
    runtime.shutdown().await;
}

async fn r18_a_panic_is_an_end(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(declared(vec![member("a")])).await.unwrap();
    scene.stage.tell("a", &Deed::Panic);
    let due = standing(&runtime, "a", MemberStanding::Starting).await;
    assert_eq!(
        due.why.as_deref(),
        Some("it panicked: told to; starts again in 250 ms")
    );
    runtime.shutdown().await;
}

async fn r19_a_broken_member_and_a_hanging_start_hold_up_nobody(world: World) {
    let scene = KeptScene::on(world).await;
    let mut broken = member("broken");
    broken.restart = RestartRule::of(RestartPolicy::Never);
    broken.ready.when = ReadyWhen::Line;
    let mut hanging = member("hanging");
    hanging.ready.when = ReadyWhen::Line;
    let mut members = vec![broken, hanging];
    members.extend((0..50).map(|number| member(&format!("m{number:02}"))));
    let building = scene.build(declared(members));
    let watching = async {
        processes(&scene, "hanging", 1).await;
        processes(&scene, "broken", 1).await;
        scene.stage.end("broken", IncarnationEnd::ExitCode(1));
        // Nobody needs the time that the hanging start has.
        processes(&scene, "m49", 1).await;
        assert_eq!(scene.stage.processes("hanging"), 1);
        heronry_tests::let_others_run().await;
        scene.world.clock.advance(Millis::from_secs(30));
    };
    let (runtime, ()) = tokio::join!(building, watching);
    let runtime = runtime.unwrap();
    let report = runtime.bootstrap_report();
    assert_eq!((report.started.len(), report.failures.len()), (50, 2));
    let late = "it was not ready within 30000 ms";
    assert!(
        report.failures.iter().any(|it| it.message == late),
        "{:?}",
        report.failures
    );
    standing(&runtime, "broken", MemberStanding::Broken).await;
    let events = scene.events_of(EventKind::MemberStanding).await;
    let told = events
        .iter()
        .filter(|it| it.envelope.identity.run == Some(run("broken")));
    assert!(told.count() >= 2, "starting, and broken");
    runtime.shutdown().await;
}
