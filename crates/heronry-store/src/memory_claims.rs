//! Claims in memory, for every adapter that refolds them on open.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use heronry_types::PoolId;

use crate::{Checkpoint, ClaimEntry, ClaimKey, KeyedMap, StoreError, StoreErrorKind};

/// Claims in memory. The adapter checks the fencing token, then delegates.
///
/// After opening it is empty, so the engine folds the journal again.
#[derive(Debug, Default)]
pub struct MemoryClaims {
    pools: Mutex<HashMap<PoolId, PoolClaims>>,
}

#[derive(Debug)]
struct PoolClaims {
    entries: KeyedMap<ClaimKey, ClaimEntry>,
    checkpoint: Checkpoint,
}

impl MemoryClaims {
    /// Returns claims of no pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a run of claims and moves the checkpoint; a key that is there takes the new entry.
    ///
    /// # Errors
    /// [`StoreErrorKind::Closed`] after a panic of another caller.
    pub fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<(ClaimKey, ClaimEntry)>,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let mut pools = self.lock("put claims")?;
        let claims = pools.entry(pool.clone()).or_insert_with(|| PoolClaims {
            entries: KeyedMap::default(),
            checkpoint,
        });
        claims.entries.extend(run);
        claims.checkpoint = checkpoint;
        Ok(())
    }

    /// Looks keys up; one answer for each key, in order.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn find(
        &self,
        pool: &PoolId,
        keys: &[ClaimKey],
    ) -> Result<Vec<Option<ClaimEntry>>, StoreError> {
        let pools = self.lock("find claims")?;
        let claims = pools.get(pool);
        let find = |key| claims.and_then(|claims| claims.entries.get(key)).copied();
        Ok(keys.iter().map(find).collect())
    }

    /// Returns how far the claims of a pool have followed its journal.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        let pools = self.lock("read the claims checkpoint")?;
        Ok(pools.get(pool).map(|claims| claims.checkpoint))
    }

    /// Drops everything about a pool.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.lock("clear claims")?.remove(pool);
        Ok(())
    }

    fn lock(
        &self,
        op: &'static str,
    ) -> Result<MutexGuard<'_, HashMap<PoolId, PoolClaims>>, StoreError> {
        self.pools.lock().map_err(|_| {
            StoreError::new(StoreErrorKind::Closed, op, "another caller panicked in it")
        })
    }
}
