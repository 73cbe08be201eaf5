//! An epoch is of one pool: who comes with another pool's is refused, and changes nothing.

use std::io;

use heronry_store::Store;
use heronry_tests::{StoreKind, World, pool};
use heronry_transfer::{self as transfer, Bodies, Pools, TransferError};
use heronry_types::{Epoch, PoolId, PoolSpec};

use crate::{
    between_every_two_stores,
    story::{carrier, check_empty, route},
};

between_every_two_stores! {
    an_import_with_an_epoch_of_another_pool_is_refused
    a_copy_with_an_epoch_of_another_pool_is_refused
    an_export_with_one_epoch_for_two_pools_is_refused
}

/// Opens a pool of this name in a world of its own, so that its epoch is that of every such world,
/// and returns the epoch.
async fn made(world: &World, name: &str) -> Epoch {
    let name = pool(name);
    let opened = world.runtime.open(&name, PoolSpec::default());
    let opened = opened.await.unwrap().pool;
    for run in ["a", "b", "c", "d"] {
        world.join(&opened, run).await;
    }
    let epoch = opened.epoch();
    world.runtime.shutdown().await;
    epoch
}

/// Returns an export of every pool of a world.
async fn exported(world: &World) -> Vec<u8> {
    let mut lines = Vec::new();
    let all = &Pools::All;
    let exported = transfer::export(world.store(), all, Bodies::Included, &mut lines).await;
    exported.unwrap();
    lines
}

async fn import(world: &World, lines: &[u8], seed: u64) -> Result<(), TransferError> {
    let by = carrier(world, seed);
    let imported = transfer::import(world.store(), || Ok(io::Cursor::new(lines)), &by).await;
    imported.map(|_| ())
}

#[track_caller]
fn check_taken(refused: Result<(), TransferError>, (named, epoch, owner): (&str, Epoch, &str)) {
    let Err(TransferError::EpochTaken {
        pool: refused,
        epoch: found,
        by,
    }) = refused
    else {
        panic!("refused otherwise: {refused:?}");
    };
    assert_eq!((refused, found, by), (pool(named), epoch, pool(owner)));
}

async fn check_pools(store: &Store, expected: &[PoolId]) {
    assert_eq!(store.journal.pools().await.unwrap(), expected);
}

async fn an_import_with_an_epoch_of_another_pool_is_refused(from: World, to: World) {
    // Worlds draw the same ids, as who crafts an export chooses them.
    let epoch = made(&to, "p").await;
    assert_eq!(made(&from, "crafted").await, epoch);
    let lines = exported(&from).await;
    let refused = import(&to, &lines, 78).await;
    check_taken(refused, ("crafted", epoch, "p"));
    check_pools(to.store(), &[pool("p")]).await;

    // An epoch that the pool had before its newest one is its own, too.
    let third = World::new(StoreKind::Memory).await;
    import(&third, &exported(&to).await, 79).await.unwrap();
    let head = third
        .store()
        .journal
        .head(&pool("p"))
        .await
        .unwrap()
        .unwrap();
    assert_ne!(head.epoch, epoch);
    let refused = import(&third, &lines, 80).await;
    check_taken(refused, ("crafted", epoch, "p"));
}

async fn a_copy_with_an_epoch_of_another_pool_is_refused(from: World, to: World) {
    let epoch = made(&to, "p").await;
    assert_eq!(made(&from, "crafted").await, epoch);
    let by = carrier(&to, 78);
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    check_taken(copied.map(|_| ()), ("crafted", epoch, "p"));
    let moved = transfer::move_all(from.store(), to.store(), &route(), &by).await;
    check_taken(moved.map(|_| ()), ("crafted", epoch, "p"));
    check_pools(to.store(), &[pool("p")]).await;
    assert_eq!(from.store().custody.sealed().await.unwrap(), None);
}

async fn an_export_with_one_epoch_for_two_pools_is_refused(from: World, to: World) {
    let other = World::new(StoreKind::Memory).await;
    let epoch = made(&from, "p").await;
    assert_eq!(made(&other, "crafted").await, epoch);
    let both = [exported(&from).await, exported(&other).await].concat();
    check_taken(import(&to, &both, 78).await, ("crafted", epoch, "p"));
    check_empty(to.store()).await;
    import(&to, &exported(&from).await, 79).await.unwrap();
}
