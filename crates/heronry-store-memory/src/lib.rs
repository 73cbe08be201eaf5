#![doc = include_str!("../README.md")]

mod cursors;
mod custody;
mod pool;
mod projections;
mod segments;
mod snapshots;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use heronry_journal::Baseline;
use heronry_store::{
    AppendError, Capabilities, Checkpoint, Commit, CommitOutcome, ContentPack, ContentPlace,
    Contents, Doorbells, FencingToken, Guard, Head, Journal, KeyEntry, KeyHash, KeyedEntry, Keys,
    LeaseError, Leases, MemoryKeys, NewContent, Ownership, Page, ReadError, RenewError,
    Reservation, Sharing, StoreError, StoreErrorKind, Stored, StoredContent, judge_content,
    judge_contents,
};
use heronry_types::{
    Body, ContentRef, Durability, LimitName, Millis, PoolId, Position, Timelines, Timestamp,
};

use crate::pool::MemoryPool;

/// A store in memory: all ports behind one lock, nothing kept after the process ends.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<MemoryState>,
    keys: MemoryKeys,
    bells: Doorbells,
    content_bytes_max: u64,
}

#[derive(Debug)]
struct MemoryState {
    pools: HashMap<PoolId, MemoryPool>,
    /// The highest token of the pools that were deleted: those of later ones rise above it.
    last_token: FencingToken,
    /// The place that the pools went to, once the store is sealed.
    moved_to: Option<String>,
    /// The pools that a move brings.
    reservation: Option<Reservation>,
}

impl MemoryState {
    fn entry(&mut self, pool: &PoolId) -> &mut MemoryPool {
        let last_token = self.last_token;
        let pool = self.pools.entry(pool.clone());
        pool.or_insert_with(|| MemoryPool::new(last_token))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self {
            state: Mutex::new(MemoryState {
                pools: HashMap::new(),
                last_token: FencingToken(0),
                moved_to: None,
                reservation: None,
            }),
            keys: MemoryKeys::new(),
            bells: Doorbells::default(),
            content_bytes_max: LimitName::ContentBytesMax.default_value(),
        }
    }

    fn lock(&self, op: &'static str) -> Result<MutexGuard<'_, MemoryState>, StoreError> {
        self.state.lock().map_err(|_| {
            StoreError::new(StoreErrorKind::Closed, op, "another caller panicked in it")
        })
    }

    /// Locks the state to write to it, which a sealed store refuses.
    fn lock_to_write(&self, op: &'static str) -> Result<MutexGuard<'_, MemoryState>, StoreError> {
        let state = self.lock(op)?;
        match &state.moved_to {
            Some(moved_to) => Err(StoreError::sealed(op, moved_to)),
            None => Ok(state),
        }
    }

    fn check_owner(
        &self,
        pool: &PoolId,
        token: FencingToken,
        op: &'static str,
    ) -> Result<(), StoreError> {
        self.lock_to_write(op)?
            .entry(pool)
            .ownership
            .check_aside(token, op)
    }
}

/// Nothing is written before the lock is held, so a store that refuses it has written nothing.
fn unwritten(error: StoreError) -> AppendError {
    AppendError::Store {
        outcome: CommitOutcome::None,
        error,
    }
}

#[async_trait]
impl Journal for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "memory",
            durability: Durability::Memory,
            sharing: Sharing::OneProcess,
            content_bytes_max: self.content_bytes_max,
        }
    }

    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        judge_contents(&commit, self.content_bytes_max)?;
        let (head, seen) = {
            let mut state = self.lock_to_write("append").map_err(unwritten)?;
            let pool = state.entry(pool);
            (pool.append(commit, guard)?, pool.head())
        };
        if let Some(seen) = seen {
            self.bells.ring(pool, seen.head);
        }
        Ok(head)
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        let state = self.lock("read the journal")?;
        let pool = state.pools.get(pool).ok_or(ReadError::NoPool)?;
        pool.read(after, bytes_max)
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        let state = self.lock("read the head")?;
        Ok(state.pools.get(pool).and_then(MemoryPool::head))
    }

    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError> {
        let state = self.lock("read the timelines")?;
        Ok(state.pools.get(pool).and_then(MemoryPool::timelines))
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        let state = self.lock("list pools")?;
        let written = state.pools.iter().filter(|(_, pool)| pool.head().is_some());
        let mut names: Vec<_> = written.map(|(name, _)| name.clone()).collect();
        names.sort();
        Ok(names)
    }

    async fn trim(
        &self,
        pool: &PoolId,
        baseline: Baseline,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        let mut state = self.lock_to_write("trim").map_err(unwritten)?;
        let trimmed = state.entry(pool).trim(baseline, token)?;
        trimmed.ok_or_else(|| {
            let detail = format!("pool {pool} has no journal");
            unwritten(StoreError::new(StoreErrorKind::NotFound, "trim", detail))
        })
    }

    async fn baseline(&self, pool: &PoolId) -> Result<Option<Baseline>, StoreError> {
        let state = self.lock("read the baseline")?;
        Ok(state.pools.get(pool).and_then(MemoryPool::baseline))
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        let op = "delete a pool";
        let mut state = self.lock_to_write(op).map_err(unwritten)?;
        let found = state.entry(pool);
        found.ownership.check(token)?;
        if !found.has_begun() {
            let detail = format!("pool {pool} has no journal");
            let error = StoreError::new(StoreErrorKind::NotFound, op, detail);
            return Err(unwritten(error));
        }
        self.keys.clear(pool).map_err(unwritten)?;
        state.pools.remove(pool);
        // Nobody has this token: whoever had the last one is stale.
        let next = FencingToken(token.0.saturating_add(1));
        state.last_token = state.last_token.max(next);
        drop(state);
        // Who waits for a pool that is gone finds that out when it looks.
        self.bells.ring(pool, Position(u64::MAX));
        Ok(())
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        let rung = self.bells.listen(pool, after);
        if self.head(pool).await?.is_some_and(|head| head.head > after) {
            return Ok(());
        }
        rung.await
    }
}

#[async_trait]
impl Contents for MemoryStore {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        judge_content(body.bytes.len(), self.content_bytes_max)?;
        let content = StoredContent::of(body);
        let mut state = self.lock_to_write("put content")?;
        let pool = state.entry(pool);
        pool.ownership.check_aside(token, "put content")?;
        pool.put(content_ref, content);
        Ok(())
    }

    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        let stored = self
            .lock("get content")?
            .pools
            .get(pool)
            .and_then(|pool| pool.content(content_ref, place));
        Ok(stored)
    }

    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError> {
        let state = self.lock("list contents")?;
        let pool = state.pools.get(pool);
        Ok(pool.map_or_else(Vec::new, |pool| pool.packs(after, bytes_max)))
    }

    async fn list_alone(
        &self,
        pool: &PoolId,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Result<Vec<NewContent>, StoreError> {
        let state = self.lock("list contents")?;
        let pool = state.pools.get(pool);
        Ok(pool.map_or_else(Vec::new, |pool| pool.alone(after, bytes_max)))
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        _: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let mut state = self.lock_to_write("acquire a pool")?;
        if let Some(Reservation { route, pools }) = &state.reservation
            && pools.contains(pool)
        {
            let route = route.clone();
            return Err(LeaseError::Reserved { route });
        }
        state.entry(pool).ownership.acquire(owner, now)
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        _: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let mut state = self.lock_to_write("seize a pool")?;
        Ok(state.entry(pool).ownership.seize(owner, now))
    }

    async fn renew(&self, pool: &PoolId, token: FencingToken, _: Millis) -> Result<(), RenewError> {
        let state = self.lock("renew a lease")?;
        let free = Ownership::free(FencingToken(0));
        let owned = state.pools.get(pool).map_or(&free, |pool| &pool.ownership);
        owned.renew(token)
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        if let Some(pool) = self.lock("release a pool")?.pools.get_mut(pool) {
            pool.ownership.release(token);
        }
        Ok(())
    }
}

#[async_trait]
impl Keys for MemoryStore {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.check_owner(pool, token, "put keys")?;
        self.keys.put_run(pool, &run, checkpoint)
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[KeyHash],
    ) -> Result<Vec<Option<KeyEntry>>, StoreError> {
        self.keys.find(pool, keys)
    }

    async fn list(
        &self,
        pool: &PoolId,
        after: Option<KeyHash>,
        limit: usize,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        self.keys.list(pool, after, limit)
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        self.keys.checkpoint(pool)
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.keys.clear(pool)
    }
}
