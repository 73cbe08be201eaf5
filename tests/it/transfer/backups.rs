//! Backups: as the pools were, with their consumers, and put back on a timeline of their own.

use std::io;

use heronry_journal::Body as RecordBody;
use heronry_store::{Reservation, Store};
use heronry_tests::{World, pool};
use heronry_transfer::{self as transfer, Export, RestoredTimeline, TransferError};
use heronry_types::{Cursor, EpochReason, PoolId};

use crate::{
    between_every_two_stores,
    story::{Consumers, Left, carrier, check_bodies, check_kept, consume, route, story},
};

between_every_two_stores! {
    o23_a_backup_has_every_pool_as_it_was_with_its_consumers
    o23_the_lines_of_a_server_make_the_same_backup
    o23_a_restore_starts_a_timeline_and_keeps_consumers_unless_it_is_a_move
    o23_a_store_whose_pools_went_elsewhere_or_are_on_their_way_is_not_backed_up
}

/// The pools of the story.
fn names() -> [PoolId; 2] {
    [pool("p"), pool("q")]
}

async fn consumers(store: &Store) -> [Consumers; 2] {
    let [p, q] = names();
    [consume(store, &p).await, consume(store, &q).await]
}

async fn check_consumers(store: &Store, before: &[Consumers; 2]) {
    for (name, before) in names().iter().zip(before) {
        assert_eq!(&store.cursors.list(name).await.unwrap(), before);
    }
}

/// Checks that a store has the pools of the story as they were left, and no record more.
async fn check_as_left(from: &World, to: &World, left: &Left) {
    for name in &names() {
        let heads = [from, to].map(|world| world.store().journal.head(name));
        let [one, other] = heads;
        assert_eq!(one.await.unwrap(), other.await.unwrap());
    }
    let p = to.runtime.find(&pool("p")).await.unwrap();
    assert_eq!(p.epoch(), left.head.epoch);
    check_kept(to, &p, left).await;
    check_bodies(&p, left).await;
}

async fn o23_a_backup_has_every_pool_as_it_was_with_its_consumers(from: World, to: World) {
    let left = story(&from).await;
    let before = consumers(from.store()).await;
    let by = carrier(&to, 77);
    let backup = transfer::back_up(from.store(), to.store(), &by);
    assert_eq!(backup.await.unwrap().len(), 2);
    check_consumers(to.store(), &before).await;
    check_as_left(&from, &to, &left).await;
    // The source goes on.
    check_consumers(from.store(), &before).await;
    assert_eq!(from.store().custody.sealed().await.unwrap(), None);
}

async fn o23_the_lines_of_a_server_make_the_same_backup(from: World, to: World) {
    let left = story(&from).await;
    let before = consumers(from.store()).await;
    let mut lines = Vec::new();
    for name in &names() {
        let mut export = Export::open_whole(from.store(), name).await.unwrap();
        while let Some(more) = export.next().await.unwrap() {
            lines.extend(more);
        }
    }
    let by = carrier(&to, 77);
    let cut = &lines[..lines.len() - 5];
    let refused = transfer::receive(to.store(), || Ok(io::Cursor::new(cut)), &by).await;
    assert!(matches!(refused, Err(TransferError::Line { .. })));
    assert_eq!(to.store().journal.pools().await.unwrap(), []);
    let received = transfer::receive(to.store(), || Ok(io::Cursor::new(&lines)), &by).await;
    assert_eq!(received.unwrap().len(), 2);
    check_consumers(to.store(), &before).await;
    check_as_left(&from, &to, &left).await;
    // An import of the same lines is another timeline, and has other consumers.
    let third = World::new(heronry_tests::StoreKind::Memory).await;
    let by = carrier(&third, 78);
    let imported = transfer::import(third.store(), || Ok(io::Cursor::new(&lines)), &by).await;
    imported.unwrap();
    check_consumers(third.store(), &[Vec::new(), Vec::new()]).await;
}

async fn o23_a_restore_starts_a_timeline_and_keeps_consumers_unless_it_is_a_move(
    from: World,
    to: World,
) {
    let left = story(&from).await;
    let before = consumers(from.store()).await;
    let by = carrier(&to, 77);
    let new = RestoredTimeline::New;
    let restored = transfer::restore(from.store(), to.store(), &by, new).await;
    let restored = restored.unwrap();
    assert_eq!(restored[0].head.position, left.head.head.next());
    assert_ne!(restored[0].head.epoch, left.head.epoch);
    check_consumers(to.store(), &before).await;
    let [p, _] = names();
    let timelines = to.store().journal.timelines(&p).await.unwrap().unwrap();
    let past = Cursor::new(left.head.epoch, left.head.head.next());
    let foreign = timelines.check(past).unwrap_err();
    let parted = Cursor::new(left.head.epoch, left.head.head);
    assert_eq!(foreign.diverged_at, Some(parted));
    let page = to
        .store()
        .journal
        .read(&p, left.head.head, 1)
        .await
        .unwrap();
    let start = page.chunks[0].record(page.chunks[0].first()).unwrap();
    let RecordBody::EpochStarted(started) = start.entry.body else {
        panic!("no timeline starts: {start:?}");
    };
    assert_eq!(started.reason, EpochReason::Restore);
    // There once, it is not written over.
    let again = transfer::restore(from.store(), to.store(), &by, new).await;
    assert!(matches!(again, Err(TransferError::PoolExists { .. })));

    let third = World::new(heronry_tests::StoreKind::Memory).await;
    let by = carrier(&third, 78);
    let as_before = RestoredTimeline::AsBefore;
    let moved = transfer::restore(from.store(), third.store(), &by, as_before).await;
    moved.unwrap();
    check_consumers(third.store(), &before).await;
    check_as_left(&from, &third, &left).await;
}

async fn o23_a_store_whose_pools_went_elsewhere_or_are_on_their_way_is_not_backed_up(
    from: World,
    to: World,
) {
    story(&from).await;
    let by = carrier(&to, 77);
    let reservation = Reservation {
        route: route(),
        pools: [pool("r")].into(),
    };
    from.store().custody.reserve(&reservation).await.unwrap();
    let refused = transfer::back_up(from.store(), to.store(), &by).await;
    assert!(matches!(refused, Err(TransferError::OtherMove { .. })));
    from.store().custody.unreserve().await.unwrap();
    from.store().custody.seal("there").await.unwrap();
    let refused = transfer::back_up(from.store(), to.store(), &by).await;
    assert!(matches!(refused, Err(TransferError::Sealed { .. })));
    assert_eq!(to.store().journal.pools().await.unwrap(), []);
}
