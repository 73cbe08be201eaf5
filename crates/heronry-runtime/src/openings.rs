//! The pools that are being opened: how far each is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_store::Clock;
use heronry_types::{Millis, PoolId, Position};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most journals that are folded at once, each on a thread of its own.
const FOLDS_MAX: usize = 16;
/// The time between two lines of the log about one pool.
const LOG_EVERY: Millis = Millis(1_000);

/// A pool that is being opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PoolOpening {
    /// The pool.
    pub pool: PoolId,
    /// The part of its journal that is folded, in percent.
    pub percent: u8,
}

/// The pools of a runtime that are being opened.
#[derive(Debug)]
pub(crate) struct PoolOpenings {
    folding: Mutex<BTreeMap<PoolId, u8>>,
    permits: Semaphore,
}

impl Default for PoolOpenings {
    fn default() -> Self {
        Self {
            folding: Mutex::default(),
            permits: Semaphore::new(FOLDS_MAX),
        }
    }
}

impl PoolOpenings {
    /// Waits until another journal may be folded. Nothing closes the permits, so there is one by and by.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// Begins to show a pool that is opened.
    pub(crate) fn begin(
        self: &Arc<Self>,
        pool: &PoolId,
        clock: &Arc<dyn Clock>,
    ) -> OpeningProgress {
        self.lock().insert(pool.clone(), 0);
        OpeningProgress {
            openings: Arc::clone(self),
            pool: pool.clone(),
            clock: Arc::clone(clock),
            said: clock.now().monotonic,
        }
    }

    /// Returns the pools that are being opened, by name.
    pub(crate) fn list(&self) -> Vec<PoolOpening> {
        let folding = self.lock();
        let shown = folding.iter().map(|(pool, percent)| PoolOpening {
            pool: pool.clone(),
            percent: *percent,
        });
        shown.collect()
    }

    /// The list stays whole under a panic: each change is one call on a collection.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PoolId, u8>> {
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The progress of one opening. The pool is shown until this is dropped.
#[derive(Debug)]
pub(crate) struct OpeningProgress {
    openings: Arc<PoolOpenings>,
    pool: PoolId,
    clock: Arc<dyn Clock>,
    /// The time of the last line of the log.
    said: Millis,
}

impl OpeningProgress {
    /// Says that the journal is folded up to a position.
    pub(crate) fn reach(&mut self, at: Position, head: Position) {
        let percent = percent(at, head);
        self.openings.lock().insert(self.pool.clone(), percent);
        let now = self.clock.now().monotonic;
        if now.0.saturating_sub(self.said.0) >= LOG_EVERY.0 {
            self.said = now;
            tracing::info!("opening pool {}: {percent} %", self.pool);
        }
    }
}

impl Drop for OpeningProgress {
    fn drop(&mut self) {
        self.openings.lock().remove(&self.pool);
    }
}

fn percent(at: Position, head: Position) -> u8 {
    let part = u128::from(at.0) * 100 / u128::from(head.0.max(1));
    u8::try_from(part.min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    #[tokio::test]
    async fn an_opening_is_shown_until_it_ends() {
        let openings = Arc::new(PoolOpenings::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let pool = PoolId::parse("p").unwrap();
        let shown = |percent| {
            let pool = pool.clone();
            vec![PoolOpening { pool, percent }]
        };
        let mut progress = openings.begin(&pool, &clock);
        assert_eq!(openings.list(), shown(0));
        progress.reach(Position(61), Position(100));
        assert_eq!(openings.list(), shown(61));
        progress.reach(Position(u64::MAX), Position(u64::MAX));
        assert_eq!(openings.list(), shown(100));
        drop(progress);
        assert_eq!(openings.list(), []);
    }
}
