//! Keys of a store that keeps them in memory, in the same sorted runs as other stores.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use heronry_types::PoolId;

use crate::{
    Checkpoint, KeyEntry, KeyHash, KeyedEntry, StoreError, StoreErrorKind,
    runs::{
        Edit, KeyRange, NewRun, Order, RunKeys, RunPlace, RunRows, RunShape, Runs, RunsPut, See,
    },
};

/// Each pool has rows of its own, so they all have the same number.
const KEYS: RunKeys = RunKeys(0);

/// Keys in memory, in sorted runs. The adapter checks the fencing token, then delegates.
///
/// After opening it is empty, so the engine folds the journal again.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    pools: RwLock<HashMap<PoolId, PoolKeys>>,
}

#[derive(Debug)]
struct PoolKeys {
    runs: Arc<Runs>,
    rows: KeyRows,
}

#[derive(Debug, Default)]
struct KeyRows(BTreeMap<Vec<u8>, Box<[u8]>>);

impl RunRows for KeyRows {
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

impl KeyRows {
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

impl MemoryKeys {
    /// Returns keys of no pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a run of keys and moves the checkpoint; a key that is there takes the new entry.
    ///
    /// # Errors
    /// [`StoreErrorKind::Closed`] after a panic of another caller.
    pub fn put_run(
        &self,
        pool: &PoolId,
        run: &[KeyedEntry],
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let op = "put keys";
        let run = NewRun::new(run, checkpoint);
        // What takes time is done while others look keys up. If another run was put meanwhile, it
        // is done again.
        loop {
            let (before, put) = {
                let none = KeyRows::default();
                let pools = self.read(op)?;
                let found = pools.get(pool);
                let rows = found.map_or(&none, |found| &found.rows);
                let before = found.map(|found| Arc::clone(&found.runs));
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
        let mut pools = self.write("put keys")?;
        let found = pools.get(pool).map(|keys| &keys.runs);
        let is_same = match (before, found) {
            (None, None) => true,
            (Some(before), Some(found)) => Arc::ptr_eq(before, found),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if is_same {
            let runs = Arc::new(runs);
            let keys = pools.entry(pool.clone()).or_insert_with(|| PoolKeys {
                runs: Arc::clone(&runs),
                rows: KeyRows::default(),
            });
            keys.rows.apply(edit);
            keys.runs = runs;
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
        keys: &[KeyHash],
    ) -> Result<Vec<Option<KeyEntry>>, StoreError> {
        let pools = self.read("find keys")?;
        let Some(found) = pools.get(pool) else {
            return Ok(vec![None; keys.len()]);
        };
        let rows = &found.rows;
        match found.runs.ask(keys) {
            None => Ok(vec![None; keys.len()]),
            Some(asked) => asked.answer(RunPlace { keys: KEYS, rows }),
        }
    }

    /// Returns at most `limit` entries after a key, in the order of their hashes.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn list(
        &self,
        pool: &PoolId,
        after: Option<KeyHash>,
        limit: usize,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        let pools = self.read("list keys")?;
        let Some(PoolKeys { runs, rows }) = pools.get(pool) else {
            return Ok(Vec::new());
        };
        runs.list(RunPlace { keys: KEYS, rows }, after, limit)
    }

    /// Returns how far the keys of a pool have followed its journal.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        let pools = self.read("read the keys checkpoint")?;
        Ok(pools.get(pool).map(|keys| keys.runs.checkpoint()))
    }

    /// Drops everything about a pool.
    ///
    /// # Errors
    /// As [`put_run`](Self::put_run).
    pub fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.write("clear keys")?.remove(pool);
        Ok(())
    }

    fn read(&self, op: &'static str) -> Result<RwLockReadGuard<'_, Pools>, StoreError> {
        self.pools.read().map_err(|_| poisoned(op))
    }

    fn write(&self, op: &'static str) -> Result<RwLockWriteGuard<'_, Pools>, StoreError> {
        self.pools.write().map_err(|_| poisoned(op))
    }
}

type Pools = HashMap<PoolId, PoolKeys>;

fn poisoned(op: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Closed, op, "another caller panicked in it")
}
