//! Trims beside what still needs the records, and beside what comes to need them meanwhile.

use heronry_pool::{Caller, decide::RetirePool};
use heronry_runtime::SnapshotError;
use heronry_tests::{World, let_others_run, on_every_store, pool, until};
use heronry_types::PoolSpec;

on_every_store! {
    s8_a_pool_that_stops_waits_for_no_fold_of_another
}

async fn s8_a_pool_that_stops_waits_for_no_fold_of_another(world: World) {
    let one = world.pool().await;
    let other = pool("other");
    let other = world.runtime.open(&other, PoolSpec::default()).await;
    let other = other.unwrap().pool;
    // Folds take turns, and this one is held half way.
    let hold = world.faults.hold_reads();
    let folded = other.clone();
    let folding = tokio::spawn(async move { folded.snapshot().await });
    hold.reached(1).await;
    let waiting = one.clone();
    let waiting = tokio::spawn(async move { waiting.snapshot().await });
    let_others_run().await;
    let retire = RetirePool {
        caller: Caller::Operator,
        expected: None,
    };
    let (runtime, id) = (world.runtime.clone(), one.id().clone());
    let deleting = tokio::spawn(async move { runtime.delete(&id, retire).await });
    until(|| deleting.is_finished()).await;
    deleting.await.unwrap().unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, SnapshotError::Stopped(_)), "{error}");
    assert!(!folding.is_finished());
    hold.release();
    assert_eq!(folding.await.unwrap().unwrap().at, other.head());
}
