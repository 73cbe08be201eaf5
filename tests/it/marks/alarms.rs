//! No false alarm: whatever a process ends by, its store is not taken for one that was rolled back.

use std::sync::Arc;

use heronry_runtime::marks::{MarkKeeper, MarkedStore, Restored, begin_again, rolled_back};
use heronry_store::{AppendError, FencingToken, Guard, Head, Store};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{AppendFault, FaultStore, Faults, Faulty, ManualClock, SeededIds, sample};
use heronry_tests::{as_many_as_asked, let_others_run, tries::Draw};
use heronry_transfer::Carrier;
use heronry_types::{PoolId, Position};

use crate::place::{MemoryMark, ProcessEnd};

/// The number of restarts, unless `HERONRY_RESTARTS` sets it.
const RESTARTS: usize = 300;
const POOLS: u64 = 5;

/// One life of a process: a store that it opened, and the keeper of its mark.
struct Life {
    store: Store,
    faults: Faults,
    keeper: MarkKeeper,
}

impl Life {
    async fn begin(opened: Faulty, place: &Arc<MemoryMark>, seed: u64) -> Self {
        let Faulty { store, faults } = opened;
        let MarkedStore { store, keeper } = MarkKeeper::over(store, place.open());
        let lost = rolled_back(&store, &keeper.marks()).await.unwrap();
        assert_eq!(lost, [], "life {seed}: a false alarm");
        let by = Carrier {
            clock: Arc::new(ManualClock::default()),
            ids: Arc::new(SeededIds::new(seed)),
            owner: "a test".to_owned(),
        };
        let begun = begin_again(&store, &keeper, Restored::NotSaid, &by).await;
        assert_eq!(begun.unwrap(), []);
        Self {
            store,
            faults,
            keeper,
        }
    }

    /// Does one thing; returns false when the store has closed.
    async fn act(&self, draw: &mut Draw) -> bool {
        let pool = sample::pool(draw.below(POOLS));
        match draw.below(16) {
            0 => self.delete(&pool).await,
            1 => self.trim(&pool, draw).await,
            2 => self.keeper.settle().await,
            3 => {
                let fault = [AppendFault::UnknownKept, AppendFault::UnknownNotKept];
                self.faults
                    .fail_next_append(fault[usize::from(draw.below(2) == 0)]);
                assert!(self.append(&pool, 1).await.is_err());
                return false;
            }
            4 => {
                for _ in 0..300 {
                    self.append(&pool, 1).await.unwrap();
                }
            }
            records => {
                self.append(&pool, records).await.unwrap();
            }
        }
        if draw.below(2) == 0 {
            let_others_run().await;
        }
        true
    }

    async fn own(&self, pool: &PoolId) -> (Option<Head>, FencingToken) {
        let head = self.store.journal.head(pool).await.unwrap();
        let token =
            self.store
                .leases
                .acquire(pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
        (head, token.await.unwrap())
    }

    async fn append(&self, pool: &PoolId, records: u64) -> Result<Head, AppendError> {
        let (head, token) = self.own(pool).await;
        let guard = Guard {
            expected_head: head.map_or(Position::ZERO, |head| head.head),
            token,
        };
        let commit = sample::commit(head, records);
        let appended = self.store.journal.append(pool, commit, guard).await;
        if appended.is_ok() {
            self.store.leases.release(pool, token).await.unwrap();
        }
        appended
    }

    async fn trim(&self, pool: &PoolId, draw: &mut Draw) {
        let (head, token) = self.own(pool).await;
        if let Some(head) = head {
            let before = Position(draw.below(head.head.0 + 2));
            let trimmed = sample::trim(&*self.store.journal, pool, before, token).await;
            trimmed.unwrap();
        }
        self.store.leases.release(pool, token).await.unwrap();
    }

    async fn delete(&self, pool: &PoolId) {
        let (head, token) = self.own(pool).await;
        if head.is_none() {
            return self.store.leases.release(pool, token).await.unwrap();
        }
        self.store.journal.delete(pool, token).await.unwrap();
    }

    async fn end(self, place: &MemoryMark, draw: &mut Draw) -> Faulty {
        let end = match draw.below(4) {
            0 => {
                self.keeper.settle().await;
                ProcessEnd::Killed
            }
            1 => ProcessEnd::Killed,
            _ => ProcessEnd::PowerCut {
                writes: draw.below(4),
                bytes: draw.below(80),
            },
        };
        place.end(end);
        self.faults.reopen().await.unwrap()
    }
}

#[tokio::test]
async fn o22_no_restart_and_no_crash_is_taken_for_a_rollback() {
    let (restarts, mut draw) = (as_many_as_asked("HERONRY_RESTARTS", RESTARTS), Draw(0x5eed));
    let place = Arc::new(MemoryMark::default());
    let mut opened = FaultStore::over(Store::of(Arc::new(MemoryStore::new())));
    for seed in 0..u64::try_from(restarts).unwrap() {
        let life = Life::begin(opened, &place, seed).await;
        let mut left = draw.below(20);
        while left > 0 && life.act(&mut draw).await {
            left -= 1;
        }
        opened = life.end(&place, &mut draw).await;
    }
    assert_ne!(place.marks().iter().count(), 0, "the mark names pools");
}
