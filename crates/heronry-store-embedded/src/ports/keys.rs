//! Keys of a store over an embedded database.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use heronry_types::PoolId;

use super::Embedded;
use crate::{
    Database,
    job::Work,
    keys::{self, KeysEdit, KeysEnd},
};

use heronry_store::{
    Checkpoint, FencingToken, KeyEntry, KeyHash, KeyedEntry, Keys, StoreError, StoreErrorKind,
    runs::NewRun,
};

/// The pools whose keys were found damaged and dropped, and were not begun anew since.
///
/// A run that is on its way then would be all that is left, and its checkpoint would say that there is no more.
#[derive(Debug, Default)]
pub(crate) struct GivenUpKeys(Mutex<HashSet<PoolId>>);

impl GivenUpKeys {
    fn pools(&self) -> MutexGuard<'_, HashSet<PoolId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, pool: &PoolId, op: &'static str) -> Result<(), StoreError> {
        if self.pools().contains(pool) {
            let detail = "the keys of the pool are damaged; open it anew";
            return Err(StoreError::new(StoreErrorKind::Corrupt, op, detail));
        }
        Ok(())
    }
}

impl<D: Database> Embedded<D> {
    async fn edit_keys(&self, pool: &PoolId, edit: KeysEdit) -> Result<KeysEnd, StoreError> {
        let op = edit.op();
        self.ask(pool, |reply| Work::Keys(edit, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed(op)))
    }

    async fn put_keys(
        &self,
        pool: &PoolId,
        run: NewRun,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let op = "put keys";
        if let Some(moved_to) = self.readable.look(op, |view| view.moved_to.clone())? {
            return Err(StoreError::sealed(op, &moved_to));
        }
        let run = Arc::new(run);
        loop {
            self.given_up.check(pool, op)?;
            let view = self.readable.pool(op, pool)?;
            let view = view.ok_or_else(|| keys::unowned(op))?;
            let (before, database) = ((view.keys, view.no), self.database(op)?);
            // Runs are merged, which reads and sorts.
            let run = Arc::clone(&run);
            let merge = move || KeysEdit::put(database, before, &run, token);
            let edit = self.read_long(op, merge).await?;
            if self.edit_keys(pool, edit).await? == KeysEnd::Done {
                return Ok(());
            }
        }
    }

    async fn clear_keys(&self, pool: &PoolId) -> Result<(), StoreError> {
        loop {
            let view = self.readable.pool("clear keys", pool)?;
            let Some(keys) = view.and_then(|view| view.keys) else {
                return Ok(());
            };
            let edit = KeysEdit::clear(Some(keys));
            if self.edit_keys(pool, edit).await? == KeysEnd::Done {
                return Ok(());
            }
        }
    }

    /// Gives damaged keys up, so that they are folded again, as far as the journal is kept.
    async fn give_up_damaged<T>(
        &self,
        pool: &PoolId,
        end: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = &end
            && error.kind() == StoreErrorKind::Corrupt
        {
            self.given_up.pools().insert(pool.clone());
            // What is reported is the damage; without it the next opening finds the same.
            drop(self.clear_keys(pool).await);
        }
        end
    }
}

#[async_trait]
impl<D: Database> Keys for Embedded<D> {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let run = NewRun::new(&run, checkpoint);
        let end = self.put_keys(pool, run, token).await;
        self.give_up_damaged(pool, end).await
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[KeyHash],
    ) -> Result<Vec<Option<KeyEntry>>, StoreError> {
        let database = || self.database("find keys");
        let found = keys::find(database, &self.readable, (pool, keys));
        self.give_up_damaged(pool, found).await
    }

    async fn list(
        &self,
        pool: &PoolId,
        after: Option<KeyHash>,
        limit: usize,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        let op = "list keys";
        let (database, readable, pool) =
            (self.database(op)?, Arc::clone(&self.readable), pool.clone());
        // Damaged keys are not given up: whoever lists them takes them along, and they are nowhere else.
        let list = move || keys::list(&database, &readable, &pool, after, limit);
        self.read_long(op, list).await
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        let view = self.readable.pool("read the keys checkpoint", pool)?;
        let keys = view.and_then(|view| view.keys);
        Ok(keys.map(|keys| keys.checkpoint()))
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.clear_keys(pool).await?;
        self.given_up.pools().remove(pool);
        Ok(())
    }
}
