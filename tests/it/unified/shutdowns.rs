//! Shutdowns: in order, with a report that is true.

use heronry_tests::{World, on_every_store, run};
use heronry_types::{EventKind, MemberStanding, Millis};
use heronry_unified::{OrderError, RuntimePhase, StewardshipAfter};
use serde_json::json;

use crate::scene::{KeptScene, declared, member, named, processes, standing};

on_every_store! {
    r9_a_member_that_does_not_end_is_killed_after_its_grace_and_the_report_says_so
    r10_a_second_shutdown_is_harmless_and_killing_ends_at_once
    what_is_dropped_ends
}

async fn r9_a_member_that_does_not_end_is_killed_after_its_grace_and_the_report_says_so(
    world: World,
) {
    let scene = KeptScene::on(world).await;
    let mut stubborn = member("stubborn");
    stubborn.launch = json!("stubborn");
    let runtime = scene
        .build(declared(vec![member("a"), stubborn]))
        .await
        .unwrap();
    let stopping = runtime.shutdown();
    let passing = async {
        processes(&scene, "a", 0).await;
        heronry_tests::let_others_run().await;
        assert_eq!(scene.stage.processes("stubborn"), 1);
        scene.world.clock.advance(Millis::from_secs(5));
    };
    let (report, ()) = tokio::join!(stopping, passing);
    assert_eq!(report.members, ["a", "stubborn"].map(run));
    assert_eq!(report.killed, ["stubborn"]);
    assert_eq!(report.stewardship, StewardshipAfter::Released);
    assert!(report.is_complete());
    assert_eq!(
        scene.kinds().await.last(),
        Some(&EventKind::StewardReleased)
    );
}

async fn r10_a_second_shutdown_is_harmless_and_killing_ends_at_once(world: World) {
    let scene = KeptScene::on(world).await;
    let mut stubborn = member("stubborn");
    stubborn.launch = json!("stubborn");
    let runtime = scene.build(declared(vec![stubborn])).await.unwrap();
    let first = runtime.shutdown();
    let second = async {
        let mut phases = runtime.phases();
        phases
            .wait_for(|phase| *phase == RuntimePhase::Stopping)
            .await
            .unwrap();
        runtime.kill().await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first, second);
    assert_eq!(first.killed, ["stubborn"]);
    assert_eq!(runtime.shutdown().await, first);
    assert_eq!(runtime.phase(), RuntimePhase::Stopped);
    let refused = runtime.start_member(&run("stubborn")).await;
    assert_eq!(refused, Err(OrderError::Stopped));
}

async fn what_is_dropped_ends(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    standing(&runtime, "a", MemberStanding::Active).await;
    drop(runtime);
    processes(&scene, "a", 0).await;
}
