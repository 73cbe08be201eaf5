//! Claims of a store that keeps them in memory, in the same sorted runs as other stores.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use heronry_types::PoolId;

use crate::{
    Checkpoint, ClaimEntry, ClaimKey, NamedClaim, StoreError, StoreErrorKind,
    runs::{
        Edit, KeyRange, NewRun, Order, RunKeys, RunPlace, RunRows, RunShape, Runs, RunsPut, See,
    },
};

/// Each pool has rows of its own, so they all have the same number.
const KEYS: RunKeys = RunKeys(0);

/// Claims in memory, in sorted runs. The adapter checks the fencing token, then delegates.
///
/// After opening it is empty, so the engine folds the journal again.
#[derive(Debug, Default)]
pub struct MemoryClaims {
    pools: RwLock<HashMap<PoolId, PoolClaims>>,
}

#[derive(Debug)]
struct PoolClaims {
    runs: Arc<Runs>,
    rows: ClaimRows,
}

#[derive(Debug, Default)]
struct ClaimRows(BTreeMap<Vec<u8>, Box<[u8]>>);

impl RunRows for ClaimRows {
    fn walk(
        &self,
        KeyRange { from, to }: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError> {
        let range = (Bound::Included(from), Bound::Included(to));
        let mut rows = self.0.range::<[u8], _>(range);
        while let Some((key, row)) = match order {
            Order::Ascending => rows.next(),
            Order::Descending => rows.next_back(),
        } {
            if see(key, row).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl ClaimRows {
    fn apply(&mut self, edit: Edit) {
        for (from, to) in edit.removes {
            let range = (
                Bound::Included(from.as_slice()),
                Bound::Excluded(to.as_slice()),
            );
            let keys: Vec<_> = self
                .0
                .range::<[u8], _>(range)
                .map(|(key, _)| key.clone())
                .collect();
            for key in keys {
                self.0.remove(&key);
            }
        }
        let rows = edit.inserts.into_iter();
        self.0
            .extend(rows.map(|(key, row)| (key, row.into_boxed_slice())));
    }
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
        run: &[NamedClaim],
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let op = "put claims";
        let run = NewRun::new(run, checkpoint);
        // What takes time is done while others look claims up. If another run was put meanwhile, it
        // is done again.
        loop {
            let (before, put) = {
                let none = ClaimRows::default();
                let pools = self.read(op)?;
                let claims = pools.get(pool);
                let rows = claims.map_or(&none, |claims| &claims.rows);
                let before = claims.map(|claims| Arc::clone(&claims.runs));
                let place = RunPlace { keys: KEYS, rows };
                let put = Runs::put(before.as_deref(), place, &run, RunShape::default())?;
                (before, put)
            };
            if self.install(pool, before.as_ref(), put)? {
                return Ok(());
            }
        }
    }

    /// Takes over what a put led to; returns false when something else was put before it.
    fn install(
        &self,
        pool: &PoolId,
        before: Option<&Arc<Runs>>,
        RunsPut { runs, edit }: RunsPut,
    ) -> Result<bool, StoreError> {
        let mut pools = self.write("put claims")?;
        let found = pools.get(pool).map(|claims| &claims.runs);
        let is_same = match (before, found) {
            (None, None) => true,
            (Some(before), Some(found)) => Arc::ptr_eq(before, found),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if is_same {
            let runs = Arc::new(runs);
            let claims = pools.entry(pool.clone()).or_insert_with(|| PoolClaims {
                runs: Arc::clone(&runs),
                rows: ClaimRows::default(),
            });
            claims.rows.apply(edit);
            claims.runs = runs;
        }
        Ok(is_same)
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
        let pools = self.read("find claims")?;
        let Some(claims) = pools.get(pool) else {
            return Ok(vec![None; keys.len()]);
        };
        let rows = &claims.rows;
        match claims.runs.ask(keys) {
            None => Ok(vec![None; keys.len()]),
            Some(asked) => asked.answer(RunPlace { keys: KEYS, rows }),
        }
    }

    /// Returns how far the claims of a pool have followed its journal.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        let pools = self.read("read the claims checkpoint")?;
        Ok(pools.get(pool).map(|claims| claims.runs.checkpoint()))
    }

    /// Drops everything about a pool.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.write("clear claims")?.remove(pool);
        Ok(())
    }

    fn read(&self, op: &'static str) -> Result<RwLockReadGuard<'_, Pools>, StoreError> {
        self.pools.read().map_err(|_| poisoned(op))
    }

    fn write(&self, op: &'static str) -> Result<RwLockWriteGuard<'_, Pools>, StoreError> {
        self.pools.write().map_err(|_| poisoned(op))
    }
}

type Pools = HashMap<PoolId, PoolClaims>;

fn poisoned(op: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Closed, op, "another caller panicked in it")
}
