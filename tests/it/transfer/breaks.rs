//! Transfers that break off anywhere: every pool is there whole or not at all, and a repeat ends it.

use heronry_store::{Head, Store};
use heronry_testkit::{AppendFault, FaultStore, Faulty};
use heronry_tests::{StoreKind, World, on_every_store_that_is_reopened, pool};
use heronry_transfer::{self as transfer, Pools, TransferError};
use heronry_types::PoolSpec;

use crate::story::{Consumers, bytes_of, carrier, check_untouched, consume, route};

on_every_store_that_is_reopened! {
    a_copy_that_breaks_off_at_any_append_leaves_each_pool_whole_or_absent
    j5_a_move_that_breaks_off_at_any_append_is_finished_by_a_repeat
}

/// Two pools; the larger one takes several appends on its way.
async fn two_pools(world: &World) -> (Head, Vec<Vec<u8>>) {
    let p = world.pool().await;
    let lead = world.join(&p, "lead").await;
    for number in 0..4 {
        let text = "x".repeat(200_000);
        let request = World::to_run("lead", &format!("large-{number}"), &text);
        world.send(&p, &lead, request).await.unwrap();
    }
    let name = pool("q");
    let q = world.runtime.open(&name, PoolSpec::default());
    let q = q.await.unwrap().pool;
    world.join(&q, "loner").await;
    let chunks = bytes_of(&world.chunks(&p).await);
    world.runtime.shutdown().await;
    let head = world.store().journal.head(p.id()).await.unwrap().unwrap();
    (head, chunks)
}

/// Returns the cursors of the consumers of both pools.
async fn consumers(store: &Store) -> Vec<Consumers> {
    let mut found = Vec::new();
    for name in ["p", "q"] {
        found.push(store.cursors.list(&pool(name)).await.unwrap());
    }
    found
}

/// Checks that the consumers of both pools stand where they stood, when the pool is there, and that
/// there are none otherwise.
async fn check_consumers(store: &Store, expected: &[Consumers]) {
    let found = consumers(store).await;
    for (name, (found, expected)) in ["p", "q"].iter().zip(found.iter().zip(expected)) {
        match store.journal.head(&pool(name)).await.unwrap() {
            Some(_) => assert_eq!(found, expected, "{name}"),
            None => assert_eq!(found, &[], "{name}"),
        }
    }
}

/// Returns true when a pool is whole at a store; it is absent otherwise.
async fn is_whole(store: &Store, chunks: &[Vec<u8>]) -> bool {
    let p = pool("p");
    if store.journal.head(&p).await.unwrap().is_none() {
        return false;
    }
    let page = store
        .journal
        .read(&p, heronry_types::Position::ZERO, usize::MAX);
    let found = bytes_of(&page.await.unwrap().chunks);
    assert_eq!(found[..chunks.len()], *chunks);
    true
}

const FAULTS: [AppendFault; 3] = [
    AppendFault::UnknownNotKept,
    AppendFault::UnknownKept,
    AppendFault::Fenced,
];

/// The most appends that a transfer of the two pools takes.
const APPENDS_MAX: u64 = 20;

async fn a_copy_that_breaks_off_at_any_append_leaves_each_pool_whole_or_absent(to: World) {
    let from = World::new(StoreKind::Memory).await;
    let (head, chunks) = two_pools(&from).await;
    let one = Pools::One(pool("p"));
    for (number, fault) in (1..APPENDS_MAX).flat_map(|n| FAULTS.map(|fault| (n, fault))) {
        let target = World::new(to.kind).await;
        let Faulty { store, faults } = FaultStore::over(target.store().clone());
        faults.fail_append(number, fault);
        let by = carrier(&target, number);
        let ended = transfer::copy(from.store(), &store, &one, &by).await;
        let Faulty { store, .. } = faults.reopen().await.unwrap();
        if ended.is_ok() {
            assert!(is_whole(&store, &chunks).await);
            assert!(number > 2, "the copy took several appends");
            assert!(faults.appends() < number, "the copy took more appends");
            let found = from.store().journal.head(&pool("p")).await.unwrap();
            assert_eq!(found, Some(head), "the source is as it was");
            return;
        }
        if is_whole(&store, &chunks).await {
            assert_eq!(fault, AppendFault::UnknownKept, "{number}: {ended:?}");
        } else {
            transfer::copy(from.store(), &store, &one, &by)
                .await
                .unwrap();
            assert!(is_whole(&store, &chunks).await);
        }
    }
    panic!("the copy takes too many appends");
}

async fn j5_a_move_that_breaks_off_at_any_append_is_finished_by_a_repeat(to: World) {
    for (number, fault) in (1..APPENDS_MAX).flat_map(|n| FAULTS.map(|fault| (n, fault))) {
        let source = World::new(StoreKind::Memory).await;
        let target = World::new(to.kind).await;
        let (head, chunks) = two_pools(&source).await;
        for name in ["p", "q"] {
            consume(source.store(), &pool(name)).await;
        }
        let stood = consumers(source.store()).await;
        let Faulty { store, faults } = FaultStore::over(target.store().clone());
        faults.fail_append(number, fault);
        let by = carrier(&target, number);
        let ended = transfer::move_all(source.store(), &store, &route(), &by).await;
        let Faulty { store, .. } = faults.reopen().await.unwrap();
        let seal = source.store().custody.sealed().await.unwrap();
        let arrived = store.journal.pools().await.unwrap();
        check_consumers(&store, &stood).await;
        match &ended {
            Ok(moved) => {
                assert_eq!((moved.len(), arrived.len()), (2, 2));
                assert!(faults.appends() < number, "the move took more appends");
                return;
            }
            Err(TransferError::MoveUnfinished { .. }) => {
                // Nobody can own what is there, so the source can be used as before.
                assert_eq!(seal, None, "{number} {fault:?}");
                assert!(store.custody.reserved().await.unwrap().is_some());
            }
            Err(error) => {
                assert_eq!(arrived, [], "{number} {fault:?}: {error}");
                assert_eq!(seal, None, "{number} {fault:?}: {error}");
                assert_eq!(store.custody.reserved().await.unwrap(), None);
            }
        }
        let moved = transfer::move_all(source.store(), &store, &route(), &by)
            .await
            .unwrap();
        assert_eq!(moved.len(), 2);
        assert!(is_whole(&store, &chunks).await);
        assert_eq!(consumers(&store).await, stood);
        assert_eq!(store.journal.head(&pool("p")).await.unwrap(), Some(head));
        let seal = source.store().custody.sealed().await.unwrap();
        assert_eq!(seal.as_deref(), Some("there"));
    }
    panic!("the move takes too many appends");
}

#[tokio::test]
async fn a_source_that_cannot_be_read_leaves_both_stores_as_they_were() {
    let from = World::new(StoreKind::Memory).await;
    let left = crate::story::story(&from).await;
    let to = World::new(StoreKind::Memory).await;
    let Faulty {
        store: source,
        faults,
    } = FaultStore::over(from.store().clone());
    faults.reopen().await.unwrap();
    let by = carrier(&to, 77);
    let ended = transfer::copy(&source, to.store(), &Pools::All, &by).await;
    assert!(matches!(ended, Err(TransferError::Store(_))), "{ended:?}");
    check_untouched(from.store(), &left).await;
    crate::story::check_empty(to.store()).await;
}
