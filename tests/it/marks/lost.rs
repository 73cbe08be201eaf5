//! A store that does not hold what its mark says.

use std::sync::Arc;

use heronry_journal::Body;
use heronry_runtime::marks::{
    BegunAgain, MarkKeeper, MarkPlace, MarkSync, MarkedStore, Marks, Restored, RolledBack,
    begin_again, rolled_back,
};
use heronry_store::{Checkpoint, Guard, Head, JournalExt, Store};
use heronry_testkit::{AppendFault, FaultStore, Faulty, SeededIds, sample};
use heronry_tests::{World, on_every_store_that_is_reopened};
use heronry_transfer::Carrier;
use heronry_types::{Cursor, EpochReason, Position};

use crate::place::MemoryMark;

on_every_store_that_is_reopened! {
    j5_a_pool_that_lost_its_end_goes_on_in_a_new_epoch
    a_pool_with_another_record_at_the_mark_goes_on_in_a_new_epoch
    a_pool_that_is_gone_is_named_and_forgotten
    j5_a_declared_restore_starts_an_epoch_in_every_pool
    j5_a_crash_before_the_mark_is_taken_over_starts_no_second_epoch
    j5_an_epoch_that_may_not_have_been_kept_is_started_once
}

/// Appends chunks of so many records to a pool of a store.
async fn write(store: &Store, pool: u64, chunks: &[u64]) -> Head {
    let pool = sample::pool(pool);
    let token = store
        .leases
        .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
    let token = token.await.unwrap();
    let mut head = store.journal.head(&pool).await.unwrap();
    for records in chunks {
        let guard = Guard {
            expected_head: head.map_or(Position::ZERO, |head| head.head),
            token,
        };
        let commit = sample::commit(head, *records);
        head = Some(store.journal.append(&pool, commit, guard).await.unwrap());
    }
    store.leases.release(&pool, token).await.unwrap();
    head.unwrap()
}

/// Makes the mark of a store in which pools stand elsewhere than here.
fn mark(world: &World, pools: &[(u64, Head)]) -> (Store, MarkKeeper, Arc<MemoryMark>) {
    let mut marks = Marks::default();
    for (pool, head) in pools {
        let at = Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        };
        marks.set(sample::pool(*pool), at);
    }
    let place = Arc::new(MemoryMark::default());
    let written = place.open().replace(&marks.encode(), MarkSync::Now);
    written.unwrap();
    let MarkedStore { store, keeper } = MarkKeeper::over(world.store().clone(), place.open());
    (store, keeper, place)
}

fn carrier(world: &World) -> Carrier {
    Carrier {
        clock: Arc::new(world.clock.clone()),
        ids: Arc::new(SeededIds::new(99)),
        owner: "a test".to_owned(),
    }
}

fn at(head: Head) -> Cursor {
    Cursor::new(head.epoch, head.head)
}

/// Checks that a pool goes on, and that its last record says why.
async fn check_begun(
    store: &Store,
    begun: &BegunAgain,
    (reason, lost): (EpochReason, Option<Cursor>),
) {
    let head = store.journal.head(&begun.pool).await.unwrap().unwrap();
    assert_eq!(begun.head, at(head));
    assert_eq!(begun.head.position, begun.diverged_at.position.next());
    assert_ne!(begun.head.epoch, begun.diverged_at.epoch);
    let after = begun.diverged_at.position;
    let page = store.journal.records(&begun.pool, after, 10).await;
    let page = page.unwrap().unwrap();
    let Body::EpochStarted(started) = &page.records[0].entry.body else {
        panic!("another record: {page:?}");
    };
    assert_eq!(started.reason, reason);
    assert_eq!(started.lost, lost);
    let timelines = store.journal.timelines(&begun.pool).await.unwrap().unwrap();
    let past = Cursor::new(begun.diverged_at.epoch, begun.head.position);
    let foreign = timelines.check(past).unwrap_err();
    assert_eq!(foreign.diverged_at, Some(begun.diverged_at));
    timelines.check(begun.diverged_at).unwrap();
}

/// Checks that the mark that is written now fits.
async fn check_settled(store: &Store, place: &MemoryMark) {
    assert_eq!(rolled_back(store, &place.marks()).await.unwrap(), []);
}

async fn j5_a_pool_that_lost_its_end_goes_on_in_a_new_epoch(world: World) {
    let before = World::new(heronry_tests::StoreKind::Memory).await;
    let newer = write(before.store(), 1, &[3, 2, 4]).await;
    let other = write(before.store(), 2, &[2]).await;
    let found = write(world.store(), 1, &[3, 2]).await;
    write(world.store(), 2, &[2, 1]).await;
    let (store, keeper, place) = mark(&world, &[(1, newer), (2, other)]);
    let lost = rolled_back(&store, &keeper.marks()).await.unwrap();
    let expected = RolledBack {
        pool: sample::pool(1),
        marked: at(newer),
        found: Some(at(found)),
    };
    assert_eq!(lost, [expected]);
    let line = lost[0].to_string();
    for head in [at(newer), at(found)] {
        assert!(line.contains(&head.to_string()), "{line}");
    }
    let by = carrier(&world);
    let begun = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    let begun = begun.unwrap();
    assert_eq!(begun.len(), 1, "the other pool is ahead of its mark");
    assert_eq!(begun[0].diverged_at, at(found));
    check_begun(&store, &begun[0], (EpochReason::TailLost, Some(at(newer)))).await;
    check_settled(&store, &place).await;
    // Once is enough.
    let again = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    assert_eq!(again.unwrap(), []);
    drop((store, keeper));
    let world = world.restart().await;
    check_settled(world.store(), &place).await;
}

async fn a_pool_with_another_record_at_the_mark_goes_on_in_a_new_epoch(world: World) {
    let before = World::new(heronry_tests::StoreKind::Memory).await;
    let marked = write(before.store(), 1, &[3, 2]).await;
    let found = write(world.store(), 1, &[3, 1, 4]).await;
    let (store, keeper, place) = mark(&world, &[(1, marked)]);
    let by = carrier(&world);
    let begun = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    let begun = begun.unwrap();
    assert_eq!(begun[0].diverged_at, at(found));
    check_begun(&store, &begun[0], (EpochReason::TailLost, Some(at(marked)))).await;
    check_settled(&store, &place).await;
}

async fn a_pool_that_is_gone_is_named_and_forgotten(world: World) {
    let before = World::new(heronry_tests::StoreKind::Memory).await;
    let marked = write(before.store(), 1, &[3]).await;
    let (store, keeper, place) = mark(&world, &[(1, marked)]);
    let lost = rolled_back(&store, &keeper.marks()).await.unwrap();
    assert_eq!((lost.len(), lost[0].found), (1, None));
    let by = carrier(&world);
    let begun = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    assert_eq!(begun.unwrap(), []);
    assert_eq!(place.marks(), Marks::default());
}

async fn j5_a_declared_restore_starts_an_epoch_in_every_pool(world: World) {
    let heads = [
        (1, write(world.store(), 1, &[3]).await),
        (2, write(world.store(), 2, &[1, 1]).await),
    ];
    let (store, keeper, place) = mark(&world, &heads);
    let by = carrier(&world);
    let begun = begin_again(&store, &keeper, Restored::Declared, &by).await;
    let begun = begun.unwrap();
    assert_eq!(begun.len(), 2);
    for (begun, (_, before)) in begun.iter().zip(heads) {
        assert_eq!(begun.diverged_at, at(before));
        check_begun(&store, begun, (EpochReason::Restore, None)).await;
    }
    check_settled(&store, &place).await;
}

/// A pool of a store whose mark names a head that the store does not hold.
async fn lost_end(world: &World) -> (Store, MarkKeeper, Arc<MemoryMark>, Head) {
    let before = World::new(heronry_tests::StoreKind::Memory).await;
    let newer = write(before.store(), 1, &[3, 2, 4]).await;
    write(world.store(), 1, &[3, 2]).await;
    let (store, keeper, place) = mark(world, &[(1, newer)]);
    (store, keeper, place, newer)
}

async fn j5_a_crash_before_the_mark_is_taken_over_starts_no_second_epoch(world: World) {
    let (store, keeper, place, newer) = lost_end(&world).await;
    let before = place.bytes().unwrap();
    let by = carrier(&world);
    let begun = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    let begun = begun.unwrap();
    check_begun(&store, &begun[0], (EpochReason::TailLost, Some(at(newer)))).await;
    // The process ended between the two, so the mark is the one of before.
    for _ in 0..2 {
        place.open().replace(&before, MarkSync::Now).unwrap();
        let MarkedStore { store, keeper } = MarkKeeper::over(world.store().clone(), place.open());
        assert_eq!(rolled_back(&store, &keeper.marks()).await.unwrap().len(), 1);
        let again = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
        assert_eq!(again.unwrap(), begun, "the same timeline, and no other");
        check_settled(&store, &place).await;
    }
    // Where somebody has worked with the pool since, another rollback under the same mark is another.
    let head = write(&store, 1, &[1]).await;
    place.open().replace(&before, MarkSync::Now).unwrap();
    let MarkedStore { store, keeper } = MarkKeeper::over(world.store().clone(), place.open());
    let again = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    assert_eq!(again.unwrap()[0].diverged_at, at(head));
}

async fn j5_an_epoch_that_may_not_have_been_kept_is_started_once(mut world: World) {
    let before = World::new(heronry_tests::StoreKind::Memory).await;
    let newer = write(before.store(), 1, &[3, 2, 4]).await;
    let found = write(world.store(), 1, &[3, 2]).await;
    let (_, _, place) = mark(&world, &[(1, newer)]);
    let by = carrier(&world);
    for fault in [AppendFault::UnknownNotKept, AppendFault::UnknownKept] {
        let Faulty { store, faults } = FaultStore::over(world.store().clone());
        let MarkedStore { store, keeper } = MarkKeeper::over(store, place.open());
        faults.fail_next_append(fault);
        let failed = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
        failed.unwrap_err();
        drop((store, keeper, faults));
        world = world.restart().await;
        let lost = rolled_back(world.store(), &place.marks()).await.unwrap();
        assert_eq!(lost.len(), 1, "the mark is taken over after it is durable");
    }
    let MarkedStore { store, keeper } = MarkKeeper::over(world.store().clone(), place.open());
    let begun = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
    let begun = begun.unwrap();
    assert_eq!(begun[0].diverged_at, at(found), "one timeline after all");
    check_begun(&store, &begun[0], (EpochReason::TailLost, Some(at(newer)))).await;
    check_settled(&store, &place).await;
}
