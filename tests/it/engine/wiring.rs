//! Edges, aliases and labels on every store: they outlive a restart, and the records that they came from.

use heronry_pool::{
    Caller,
    decide::{
        LabelsOf, ListAliases, ListEdges, NewAlias, NewLabels, OnHeld, SetAliases, SetLabels,
        TakeSteward, UnwireEdges, WireEdges, WiredBy,
    },
};
use heronry_runtime::{Holding, Pool};
use heronry_tests::{World, on_every_store_that_is_reopened, run};
use heronry_types::{AliasName, Edge, Labels, StewardToken};

use super::keeping::{forget_snapshots, upto};

on_every_store_that_is_reopened! {
    r23_edges_aliases_and_labels_outlive_a_restart_and_a_trim
}

async fn take_steward(pool: &Pool) -> StewardToken {
    let take = TakeSteward {
        instance: heronry_types::InstanceId::parse("host").unwrap(),
        owner: 1,
        on_held: OnHeld::Refuse,
    };
    pool.call(take).await.unwrap().token
}

fn by_hand() -> WiredBy {
    WiredBy::Hand(Caller::Operator)
}

fn edges(texts: &[[&str; 2]]) -> Vec<Edge> {
    let edges = texts.iter().map(|[a, b]| Edge::parse(a, b).unwrap());
    edges.collect()
}

async fn wire(pool: &Pool) {
    let by_steward = WiredBy::Steward(take_steward(pool).await);
    let wired = WireEdges {
        by: by_steward.clone(),
        edges: edges(&[["lead", "scout"], ["lead", "gone"]]),
    };
    pool.call(wired).await.unwrap();
    let by_operator = WireEdges {
        by: by_hand(),
        edges: edges(&[["scout", "later"]]),
    };
    pool.call(by_operator).await.unwrap();
    let removed = UnwireEdges {
        by: by_hand(),
        edges: edges(&[["lead", "gone"]]),
    };
    pool.call(removed).await.unwrap();
    let alias = AliasName {
        recipient: Some(run("member.scout")),
        channel: None,
    };
    let to = heronry_types::Address::Run {
        run_id: run("scout"),
    };
    let set = SetAliases {
        by: by_steward,
        aliases: vec![NewAlias { alias, to }],
    };
    pool.call(set).await.unwrap();
    let mut labels = Labels::new();
    labels.add("team", "red").unwrap();
    let of = |of| NewLabels {
        of,
        labels: labels.clone(),
    };
    let set = SetLabels {
        by: by_hand(),
        changes: vec![of(None), of(Some(run("scout")))],
    };
    pool.call(set).await.unwrap();
}

/// Returns everything that is known of the wiring, without the head.
async fn told(pool: &Pool) -> String {
    let caller = Caller::Operator;
    let list = ListEdges {
        caller: caller.clone(),
        after: None,
        max: 100,
    };
    let edges = pool.call(list).await.unwrap().edges;
    let list = ListAliases {
        caller: caller.clone(),
        after: None,
        max: 100,
    };
    let aliases = pool.call(list).await.unwrap().aliases;
    let mut labels = Vec::new();
    for of in [None, Some(run("scout"))] {
        let caller = caller.clone();
        let of = pool.call(LabelsOf { caller, of }).await.unwrap();
        labels.push(of.labels);
    }
    format!("{edges:#?} {aliases:#?} {labels:#?}")
}

async fn r23_edges_aliases_and_labels_outlive_a_restart_and_a_trim(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    wire(&pool).await;
    let before = told(&pool).await;
    assert!(before.contains("Removed") && before.contains("AliasView") && before.contains("team"));
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(told(&pool).await, before);
    world.join(&pool, "late").await;
    let trimmed = pool.trim(upto(&pool, pool.head().position), Holding::Heeded);
    trimmed.await.unwrap();
    forget_snapshots(&world, &pool).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(told(&pool).await, before, "from the baseline alone");
}
