//! Two runtimes on one pool.

use heronry_tests::{World, on_every_store, run};
use heronry_types::{EventKind, MemberStanding};
use heronry_unified::{OnHeld, RunEndedBy, RuntimePhase, StewardshipAfter};

use crate::scene::{KeptScene, named, standing};

on_every_store! {
    r12_a_second_runtime_is_refused
    r12_a_second_runtime_takes_over_by_choice_and_no_member_runs_twice
}

async fn r12_a_second_runtime_is_refused(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    let before = scene.world.head(&scene.pool).await;
    let refused = scene.build(named(&["a"])).await.unwrap_err();
    assert_eq!(refused.phase, RuntimePhase::Steward);
    assert_eq!(scene.world.head(&scene.pool).await, before);
    assert_eq!(scene.stage.processes("a"), 1);
    runtime.shutdown().await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    runtime.shutdown().await;
}

async fn r12_a_second_runtime_takes_over_by_choice_and_no_member_runs_twice(world: World) {
    let scene = KeptScene::on(world).await;
    let first = scene.build(named(&["a", "b"])).await.unwrap();
    let before = standing(&first, "a", MemberStanding::Active).await;
    let second = scene.builder(named(&["a"])).with_on_held(OnHeld::TakeOver);
    let second = second.build().await.unwrap();
    let mut phases = first.phases();
    phases
        .wait_for(|phase| *phase == RuntimePhase::Fenced)
        .await
        .unwrap();
    let adopted = standing(&second, "a", MemberStanding::Active).await;
    assert_eq!(
        adopted.generation, before.generation,
        "what runs as declared is adopted"
    );
    assert_eq!(
        (scene.stage.processes("a"), scene.stage.processes("b")),
        (1, 0)
    );
    assert_eq!(second.bootstrap_report().retired, [run("b")]);
    let report = first.run(std::future::pending()).await;
    assert_eq!(report.ended_by, RunEndedBy::Fenced);
    assert_eq!(report.shutdown.stewardship, StewardshipAfter::Lost);
    assert_eq!(scene.stage.processes("a"), 1, "the second one has it");
    assert_eq!(scene.events_of(EventKind::StewardTaken).await.len(), 2);
    assert!(second.shutdown().await.is_complete());
    assert_eq!(scene.stage.processes("a"), 0);
}
