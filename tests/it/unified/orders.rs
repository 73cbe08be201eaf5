//! Orders to the runtime that keeps a pool, through the use cases that every surface shares.

use heronry_api::{Access, Api, Auth, Identity, Keepers, OperatorToken, kept};
use heronry_tests::{World, on_every_store, pool, run};
use heronry_types::MemberStanding;
use heronry_wire::{ProblemKind, ReconcileRequest};

use crate::scene::{KeptScene, named, processes, standing};

on_every_store! {
    r16_a_reconcile_that_is_ordered_finds_all_retained_and_its_plan_is_empty
    a_member_is_started_and_stopped_by_order_and_one_that_nobody_declared_is_refused
    orders_for_a_pool_that_nobody_keeps_are_refused
}

async fn access(scene: &KeptScene, keepers: Keepers) -> Access {
    let auth = Auth::new(OperatorToken::new("operator-secret"));
    let api = Api::keeping(scene.world.runtime.clone(), auth, keepers);
    let opened = Access::open(&api, &Identity::Operator, &pool("p")).await;
    opened.unwrap()
}

async fn r16_a_reconcile_that_is_ordered_finds_all_retained_and_its_plan_is_empty(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a", "b"])).await.unwrap();
    let keepers = Keepers::default();
    keepers.add(&runtime);
    let access = access(&scene, keepers).await;
    standing(&runtime, "a", MemberStanding::Active).await;
    standing(&runtime, "b", MemberStanding::Active).await;
    let before = scene.pool.head();
    let plan = kept::reconcile(&access, ReconcileRequest { plan: true }).await;
    let plan = plan.unwrap();
    assert_eq!(plan.actions.unwrap(), Vec::<String>::new());
    assert_eq!(plan.report, None);
    let done = kept::reconcile(&access, ReconcileRequest::default()).await;
    let report = done.unwrap().report.unwrap();
    assert!(report.is_complete);
    assert_eq!((report.members.desired, report.members.retained), (2, 2));
    assert_eq!(scene.pool.head(), before, "nothing is recorded");
    runtime.shutdown().await;
}

async fn a_member_is_started_and_stopped_by_order_and_one_that_nobody_declared_is_refused(
    world: World,
) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    let keepers = Keepers::default();
    keepers.add(&runtime);
    let access = access(&scene, keepers).await;
    processes(&scene, "a", 1).await;
    assert_eq!(
        kept::stop(&access, run("a")).await.unwrap().run_id,
        run("a")
    );
    processes(&scene, "a", 0).await;
    kept::start(&access, run("a")).await.unwrap();
    processes(&scene, "a", 1).await;
    let refused = kept::start(&access, run("nobody")).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::NotSpecified);
    let named = refused.problem().text("run_id");
    assert_eq!(named, Some("nobody"));
    runtime.shutdown().await;
    // A runtime that has stopped keeps nothing.
    let refused = kept::stop(&access, run("a")).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::NotKept);
}

async fn orders_for_a_pool_that_nobody_keeps_are_refused(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(named(&["a"])).await.unwrap();
    let keepers = Keepers::default();
    keepers.add(&runtime);
    keepers.remove(&pool("p"));
    let access = access(&scene, keepers).await;
    let refused = kept::reconcile(&access, ReconcileRequest::default()).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::NotKept);
    assert!(refused.to_string().contains("heronry up"), "{refused}");
    let refused = kept::start(&access, run("a")).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::NotKept);
    runtime.shutdown().await;
}
