//! The lag of a mark, and its cost.

use std::sync::{Arc, atomic::Ordering};

use heronry_runtime::marks::{MARK_BEHIND_COMMITS_MAX, MARK_BEHIND_MS_MAX, MarkKeeper};
use heronry_store::{FencingToken, Guard, Head, Store};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{ManualClock, sample};
use heronry_tests::until;
use heronry_types::{Millis, Position};

use crate::place::Place;

/// A store of which the mark is kept, with a pool that is written to.
struct Kept {
    store: Store,
    keeper: MarkKeeper,
    place: Arc<Place>,
    clock: ManualClock,
    token: FencingToken,
    head: Option<Head>,
}

impl Kept {
    async fn new() -> Self {
        let place = Arc::new(Place::default());
        let inner = Store::of(Arc::new(MemoryStore::new()));
        let (store, keeper) = MarkKeeper::over(inner, place.open());
        let pool = sample::pool(1);
        let token = store.leases.acquire(&pool, "a test", sample::time(0)).await;
        let clock = ManualClock::default();
        tokio::spawn(keeper.clone().run(Arc::new(clock.clone())));
        Self {
            token: token.unwrap(),
            store,
            keeper,
            place,
            clock,
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
async fn a_mark_is_behind_for_a_second_at_the_most_and_no_commit_waits_for_it() {
    let mut kept = Kept::new().await;
    for at in 1..4 {
        kept.write().await;
        let clock = kept.clock.clone();
        until(|| clock.next_alarm().is_some()).await;
        assert_eq!(kept.marked(), at - 1, "nobody waits for it");
        kept.clock.advance(Millis(MARK_BEHIND_MS_MAX));
        until(|| kept.marked() == at).await;
    }
    assert_eq!(kept.place.synced.load(Ordering::Acquire), 0, "no sync");
    let writes = kept.place.writes.load(Ordering::Acquire);
    assert_eq!(writes, 3, "one write a period, and none without a commit");
}

#[tokio::test]
async fn a_mark_is_behind_by_a_count_of_commits_at_the_most() {
    let mut kept = Kept::new().await;
    for _ in 0..MARK_BEHIND_COMMITS_MAX {
        kept.write().await;
    }
    // The clock stands still.
    until(|| kept.marked() == u64::from(MARK_BEHIND_COMMITS_MAX)).await;
}

#[tokio::test]
async fn a_mark_is_exact_when_it_is_settled_and_names_no_pool_that_was_deleted() {
    let mut kept = Kept::new().await;
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
    let mut kept = Kept::new().await;
    kept.write().await;
    let stale = FencingToken(kept.token.0 + 1);
    let refused = kept.store.journal.delete(&sample::pool(1), stale).await;
    refused.unwrap_err();
    kept.keeper.settle().await;
    assert_eq!(kept.marked(), 1);
}

#[tokio::test]
async fn where_a_mark_cannot_be_written_commits_go_on_and_a_deleted_pool_is_in_none() {
    let mut kept = Kept::new().await;
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
