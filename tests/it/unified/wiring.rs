//! Edges, aliases, labels and the rule who may send to whom.

use heronry_pool::{
    Caller,
    decide::{
        AliasLookup, DescribePool, FindAlias, LabelsOf, ListEdges, UnwireEdges, WireEdges, WiredBy,
    },
};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{Address, AliasName, Edge, EdgeStanding, ManagedBy, MemberStanding, Peering};
use heronry_unified::{Declared, DeclaredParts};

use crate::scene::{KeptScene, member, standing};

on_every_store! {
    r23_edges_are_wired_retained_and_unwired_as_they_are_declared
    r25_an_edge_removed_by_hand_is_healed_and_one_made_by_hand_stays
    r15_labels_change_in_place
    r28_aliases_follow_the_members
    r27_the_rule_who_may_send_to_whom_is_a_setting_of_the_pool
}

on_every_store_that_is_reopened! {
    r24_an_edge_that_is_not_wanted_after_a_restart_is_unwired
}

fn team(names: &[&str], edges: &[(&str, &str)]) -> DeclaredParts {
    DeclaredParts {
        members: names.iter().map(|name| member(name)).collect(),
        edges: edges.iter().map(|(a, b)| edge(a, b)).collect(),
        ..DeclaredParts::default()
    }
}

fn wired(names: &[&str], edges: &[(&str, &str)]) -> Declared {
    Declared::check(team(names, edges)).unwrap()
}

fn edge(a: &str, b: &str) -> Edge {
    Edge::parse(a, b).unwrap()
}

async fn edges(pool: &Pool) -> Vec<String> {
    let list = ListEdges {
        caller: Caller::Operator,
        after: None,
        max: 100,
    };
    let edges = pool.call(list).await.unwrap().edges;
    let wired = edges
        .into_iter()
        .filter(|it| it.standing == EdgeStanding::Wired);
    wired
        .map(|it| format!("{}-{} {}", it.edge.a(), it.edge.b(), it.managed_by))
        .collect()
}

fn by_hand() -> WiredBy {
    WiredBy::Hand(Caller::Operator)
}

async fn r23_edges_are_wired_retained_and_unwired_as_they_are_declared(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene
        .build(wired(&["a", "b"], &[("a", "b"), ("a", "absent")]))
        .await
        .unwrap();
    let report = runtime.bootstrap_edges_report();
    assert_eq!(report.wired, [edge("a", "b")]);
    assert_eq!(report.skipped_missing_members, [edge("a", "absent")]);
    assert!(!report.is_complete());
    assert_eq!(edges(&scene.pool).await, ["a-b steward"]);
    let all = wired(&["a", "b", "c"], &[("a", "b"), ("a", "c")]);
    let report = runtime.refresh_topology(all).await.unwrap().edges;
    assert_eq!((report.retained, report.wired), (1, vec![edge("a", "c")]));
    let one = wired(&["a", "b"], &[]);
    let report = runtime.refresh_topology(one).await.unwrap().edges;
    assert_eq!(report.unwired, [edge("a", "b")]);
    assert_eq!(report.pruned, [edge("a", "c")]);
    assert!(edges(&scene.pool).await.is_empty());
    runtime.shutdown().await;
}

async fn r25_an_edge_removed_by_hand_is_healed_and_one_made_by_hand_stays(world: World) {
    let scene = KeptScene::on(world).await;
    let made = WireEdges {
        by: by_hand(),
        edges: vec![edge("b", "c")],
    };
    scene.pool.call(made).await.unwrap();
    let both = wired(&["a", "b", "c"], &[("a", "b"), ("b", "c")]);
    let runtime = scene.build(both).await.unwrap();
    let report = runtime.bootstrap_edges_report();
    assert_eq!(
        (report.preexisting, report.wired),
        (1, vec![edge("a", "b")])
    );
    let removed = UnwireEdges {
        by: by_hand(),
        edges: vec![edge("a", "b")],
    };
    scene.pool.call(removed).await.unwrap();
    // Nobody asks: the record of the removal is what makes it act.
    for _ in 0..10_000 {
        if edges(&scene.pool).await.len() == 2 {
            break;
        }
        heronry_tests::let_others_run().await;
    }
    assert_eq!(edges(&scene.pool).await, ["a-b steward", "b-c operator"]);
    let none = wired(&["a", "b", "c"], &[]);
    let report = runtime.refresh_topology(none).await.unwrap().edges;
    assert_eq!(report.unwired, [edge("a", "b")]);
    assert_eq!(edges(&scene.pool).await, ["b-c operator"]);
    runtime.shutdown().await;
}

async fn r24_an_edge_that_is_not_wanted_after_a_restart_is_unwired(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene
        .build(wired(&["a", "b"], &[("a", "b")]))
        .await
        .unwrap();
    runtime.shutdown().await;
    let KeptScene {
        world, pool, host, ..
    } = scene;
    drop((runtime, pool, host));
    let scene = KeptScene::on(world.restart().await).await;
    let runtime = scene.build(wired(&["a", "b"], &[])).await.unwrap();
    assert_eq!(runtime.bootstrap_edges_report().unwired, [edge("a", "b")]);
    assert!(edges(&scene.pool).await.is_empty());
    runtime.shutdown().await;
}

async fn r15_labels_change_in_place(world: World) {
    let scene = KeptScene::on(world).await;
    let labelled = |value: &str| {
        let mut parts = team(&["a"], &[]);
        parts.members[0].labels.add("tier", value).unwrap();
        Declared::check(parts).unwrap()
    };
    let runtime = scene.build(labelled("1")).await.unwrap();
    let first = standing(&runtime, "a", MemberStanding::Active).await;
    let report = runtime.refresh_topology(labelled("2")).await.unwrap();
    assert_eq!(report.changed, [run("a")]);
    let second = standing(&runtime, "a", MemberStanding::Active).await;
    assert_eq!(second.generation, first.generation);
    let of = LabelsOf {
        caller: Caller::Operator,
        of: Some(run("a")),
    };
    let labels = scene.pool.call(of).await.unwrap().labels;
    assert_eq!(labels.value("tier"), Some("2"));
    runtime.shutdown().await;
}

async fn r28_aliases_follow_the_members(world: World) {
    let scene = KeptScene::on(world).await;
    let runtime = scene.build(wired(&["a", "b"], &[])).await.unwrap();
    let find = |name: &str| FindAlias {
        caller: Caller::Operator,
        alias: AliasName {
            recipient: Some(run(name)),
            channel: None,
        },
        lookup: AliasLookup::Exact,
    };
    let found = scene.pool.call(find("member.b")).await.unwrap();
    assert_eq!(found.to, Address::Run { run_id: run("b") });
    assert_eq!(found.managed_by, ManagedBy::Steward);
    let report = runtime.refresh_topology(wired(&["a"], &[])).await.unwrap();
    assert_eq!(report.edges.aliases_removed, 1);
    assert!(scene.pool.call(find("member.b")).await.is_err());
    runtime.shutdown().await;
}

async fn r27_the_rule_who_may_send_to_whom_is_a_setting_of_the_pool(world: World) {
    let scene = KeptScene::on(world).await;
    let mut parts = team(&["a"], &[]);
    parts.peering = Some(Peering::Wired);
    let declared = Declared::check(parts).unwrap();
    let runtime = scene.build(declared).await.unwrap();
    let caller = Caller::Operator;
    let view = scene.pool.call(DescribePool { caller }).await.unwrap();
    assert_eq!(view.settings.peering(), Peering::Wired);
    let before = scene.world.head(&scene.pool).await;
    assert!(runtime.reconcile().await.unwrap().is_unchanged());
    assert_eq!(scene.world.head(&scene.pool).await, before);
    runtime.shutdown().await;
}
