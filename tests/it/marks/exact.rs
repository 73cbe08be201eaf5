//! A mark says every commit that was acknowledged, and no device is waited for.

use std::sync::{Arc, atomic::Ordering};

use heronry_runtime::marks::{MarkKeeper, MarkedStore, rolled_back};
use heronry_store::{FencingToken, Guard, Head, Store};
use heronry_store_memory::MemoryStore;
use heronry_testkit::sample;
use heronry_types::Position;

use crate::place::MemoryMark;

/// A store of which the mark is kept, with a pool that is written to.
struct MarkedPool {
    store: Store,
    keeper: MarkKeeper,
    place: Arc<MemoryMark>,
    token: FencingToken,
    head: Option<Head>,
}

impl MarkedPool {
    async fn new() -> Self {
        let place = Arc::new(MemoryMark::default());
        let inner = Store::of(Arc::new(MemoryStore::new()));
        let MarkedStore { store, keeper } = MarkKeeper::over(inner, place.open());
        let pool = sample::pool(1);
        let token = store
            .leases
            .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
            .await;
        Self {
            token: token.unwrap(),
            store,
            keeper,
            place,
            head: None,
        }
    }

    async fn write(&mut self) {
        let guard = Guard {
            expected_head: self.head.map_or(Position::ZERO, |head| head.head),
            token: self.token,
        };
        let (pool, commit) = (sample::pool(1), sample::commit(self.head, 1));
        let appended = self.store.journal.append(&pool, commit, guard).await;
        self.head = Some(appended.unwrap());
    }

    fn marked(&self) -> u64 {
        let at = self.place.marks().of(&sample::pool(1));
        at.map_or(0, |at| at.position.0)
    }
}

#[tokio::test]
async fn a_mark_says_every_commit_when_it_is_answered_and_nothing_is_synced_for_it() {
    let mut kept = MarkedPool::new().await;
    for at in 1..=10_000 {
        kept.write().await;
        assert_eq!(kept.marked(), at);
    }
    assert_eq!(kept.place.synced.load(Ordering::Acquire), 0, "no sync");
    let writes = kept.place.writes.load(Ordering::Acquire);
    assert!((10_000..10_010).contains(&writes), "{writes} writes");
    let bytes = kept.place.bytes().unwrap().len();
    assert!(bytes < 300 * 1024, "it is written anew when it grew");
}

#[tokio::test]
async fn commits_that_land_together_are_all_marked() {
    let (pools, place) = (50, Arc::new(MemoryMark::default()));
    let inner = Store::of(Arc::new(MemoryStore::new()));
    let MarkedStore {
        store,
        keeper: _keeper,
    } = MarkKeeper::over(inner, place.open());
    let appends = (0..pools).map(|number| {
        let (store, pool) = (store.clone(), sample::pool(number));
        tokio::spawn(async move {
            let acquired =
                store
                    .leases
                    .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
            let guard = Guard {
                expected_head: Position::ZERO,
                token: acquired.await.unwrap(),
            };
            let commit = sample::commit(None, 1);
            store.journal.append(&pool, commit, guard).await.unwrap();
            pool
        })
    });
    for append in futures::future::join_all(appends).await {
        assert!(place.marks().of(&append.unwrap()).is_some());
    }
}

#[tokio::test]
async fn a_pool_that_was_trimmed_beyond_its_mark_raises_no_alarm() {
    let mut kept = MarkedPool::new().await;
    kept.write().await;
    // So a power cut may leave it.
    let behind = kept.place.marks();
    for _ in 0..5 {
        kept.write().await;
    }
    let pool = sample::pool(1);
    for (before, floor) in [(2, 2), (3, 3), (4, 4), (99, 6)] {
        let trimmed = sample::trim(&*kept.store.journal, &pool, Position(before), kept.token);
        assert_eq!(trimmed.await.unwrap().floor, Position(floor));
        for marks in [&behind, &kept.place.marks()] {
            assert_eq!(rolled_back(&kept.store, marks).await.unwrap(), []);
        }
    }
}

#[tokio::test]
async fn a_mark_is_exact_when_it_is_settled_and_names_no_pool_that_was_deleted() {
    let mut kept = MarkedPool::new().await;
    kept.write().await;
    kept.keeper.settle().await;
    assert_eq!(kept.marked(), 1);
    assert_eq!(kept.place.synced.load(Ordering::Acquire), 1);
    let pool = sample::pool(1);
    let deleted = kept.store.journal.delete(&pool, kept.token).await;
    deleted.unwrap();
    assert_eq!(kept.marked(), 0);
    assert_eq!(kept.place.synced.load(Ordering::Acquire), 2, "before it");
}

#[tokio::test]
async fn a_deletion_that_is_refused_leaves_the_mark_as_it_was() {
    let mut kept = MarkedPool::new().await;
    kept.write().await;
    let stale = FencingToken(kept.token.0 + 1);
    let refused = kept.store.journal.delete(&sample::pool(1), stale).await;
    refused.unwrap_err();
    kept.keeper.settle().await;
    assert_eq!(kept.marked(), 1);
}

#[tokio::test]
async fn where_a_mark_cannot_be_written_commits_go_on_and_a_deleted_pool_is_in_none() {
    let mut kept = MarkedPool::new().await;
    kept.write().await;
    kept.keeper.settle().await;
    kept.place.is_full.store(true, Ordering::Release);
    kept.write().await;
    kept.keeper.settle().await;
    assert_eq!(kept.marked(), 1, "the one before stays");
    let pool = sample::pool(1);
    let deleted = kept.store.journal.delete(&pool, kept.token).await;
    deleted.unwrap();
    assert_eq!(kept.place.bytes(), None);
}

#[tokio::test]
async fn a_mark_that_cannot_be_written_is_tried_again_now_and_then() {
    let mut kept = MarkedPool::new().await;
    kept.write().await;
    kept.place.is_full.store(true, Ordering::Release);
    for _ in 0..200 {
        kept.write().await;
    }
    // Once where there is room, and then as a whole, one time in nine.
    let refused = kept.place.refused.load(Ordering::Acquire);
    assert_eq!(refused, 1 + 200_u64.div_ceil(9));
    assert_eq!(kept.marked(), 1);
    kept.place.is_full.store(false, Ordering::Release);
    for _ in 0..9 {
        kept.write().await;
    }
    assert_eq!(kept.marked(), 210, "exact again");
}
