//! How many event streams are open, by pool.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_types::{LimitExceeded, LimitName, PoolId};

/// How many event streams are open, by pool.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<HashMap<PoolId, u64>>);

/// One open stream; it is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream {
    streams: Arc<Streams>,
    pool: PoolId,
}

impl Streams {
    /// A panic while the lock is held cannot leave a count half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<PoolId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many streams of a pool are open.
    pub(crate) fn of(&self, pool: &PoolId) -> u64 {
        self.lock().get(pool).copied().unwrap_or(0)
    }

    /// Returns how many streams are open.
    pub(crate) fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    /// Counts one more stream of a pool that may have `max`.
    pub(crate) fn open(
        self: &Arc<Self>,
        pool: &PoolId,
        max: u64,
    ) -> Result<OpenStream, LimitExceeded> {
        let mut counts = self.lock();
        let count = counts.entry(pool.clone()).or_default();
        if *count >= max {
            return Err(LimitExceeded::new(
                LimitName::SubscriptionsMax,
                max,
                *count + 1,
            ));
        }
        *count += 1;
        Ok(OpenStream {
            streams: Arc::clone(self),
            pool: pool.clone(),
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut counts = self.streams.lock();
        if let Some(count) = counts.get_mut(&self.pool) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.pool);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_counted_up_to_their_limit_until_they_are_dropped() {
        let streams = Arc::new(Streams::default());
        let (pool, other) = ("p".parse().unwrap(), "q".parse().unwrap());
        let first = streams.open(&pool, 2).unwrap();
        let second = streams.open(&pool, 2).unwrap();
        let third = streams.open(&pool, 2).unwrap_err();
        assert_eq!(
            (third.limit, third.max, third.actual),
            (LimitName::SubscriptionsMax, 2, 3)
        );
        let _other = streams.open(&other, 2).unwrap();
        assert_eq!((streams.of(&pool), streams.total()), (2, 3));
        drop(first);
        assert_eq!(streams.of(&pool), 1);
        drop(second);
        assert_eq!((streams.of(&pool), streams.total()), (0, 1));
    }
}
