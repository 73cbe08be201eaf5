#![doc = include_str!("../README.md")]

mod pool;
mod segments;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use heronry_store::{
    AppendError, Capabilities, Checkpoint, ClaimEntry, ClaimKey, Claims, Commit, ContentPlace,
    Contents, Doorbells, FencingToken, Guard, Head, Journal, LeaseError, Leases, MemoryClaims,
    Outcome, Page, ReadError, StoreError, StoreErrorKind, StoredContent, judge_content,
    judge_contents,
};
use heronry_types::{Body, ContentRef, Durability, LimitName, PoolId, Position, Timestamp};

use crate::pool::Pool;

/// A store in memory: all ports behind one lock, nothing kept after the process ends.
#[derive(Debug)]
pub struct MemoryStore {
    pools: Mutex<HashMap<PoolId, Pool>>,
    claims: MemoryClaims,
    bells: Doorbells,
    content_bytes_max: u64,
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
            pools: Mutex::default(),
            claims: MemoryClaims::new(),
            bells: Doorbells::default(),
            content_bytes_max: LimitName::ContentBytesMax.default_value(),
        }
    }

    fn lock(&self, op: &'static str) -> Result<MutexGuard<'_, HashMap<PoolId, Pool>>, StoreError> {
        self.pools.lock().map_err(|_| {
            StoreError::new(StoreErrorKind::Closed, op, "another caller panicked in it")
        })
    }

    fn check_owner(
        &self,
        pool: &PoolId,
        token: FencingToken,
        op: &'static str,
    ) -> Result<(), StoreError> {
        let mut pools = self.lock(op)?;
        entry(&mut pools, pool).ownership.check_aside(token, op)
    }
}

fn entry<'a>(pools: &'a mut HashMap<PoolId, Pool>, pool: &PoolId) -> &'a mut Pool {
    pools.entry(pool.clone()).or_insert_with(Pool::new)
}

/// Nothing is written before the lock is held, so a closed store has written nothing.
fn closed(error: StoreError) -> AppendError {
    AppendError::Store {
        outcome: Outcome::None,
        error,
    }
}

#[async_trait]
impl Journal for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "memory",
            durability: Durability::Memory,
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
        let head = {
            let mut pools = self.lock("append").map_err(closed)?;
            entry(&mut pools, pool).append(commit, guard)?
        };
        self.bells.ring(pool, head.head);
        Ok(head)
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        let pools = self.lock("read the journal")?;
        let pool = pools.get(pool).ok_or(ReadError::NoPool)?;
        pool.read(after, bytes_max)
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        let pools = self.lock("read the head")?;
        Ok(pools.get(pool).and_then(Pool::head))
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        let pools = self.lock("list pools")?;
        let written = pools.iter().filter(|(_, pool)| pool.head().is_some());
        let mut names: Vec<_> = written.map(|(name, _)| name.clone()).collect();
        names.sort();
        Ok(names)
    }

    async fn trim(
        &self,
        pool: &PoolId,
        before: Position,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        let mut pools = self.lock("trim").map_err(closed)?;
        let trimmed = entry(&mut pools, pool).trim(before, token)?;
        trimmed.ok_or_else(|| {
            let detail = format!("pool {pool} has no journal");
            closed(StoreError::new(StoreErrorKind::NotFound, "trim", detail))
        })
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
        let mut pools = self.lock("put content")?;
        let pool = entry(&mut pools, pool);
        pool.ownership.check_aside(token, "put content")?;
        pool.put(content_ref, body);
        Ok(())
    }

    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<StoredContent>, StoreError> {
        let body = self
            .lock("get content")?
            .get(pool)
            .and_then(|pool| pool.content(content_ref, place));
        Ok(body.map(StoredContent::of))
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        let mut pools = self.lock("acquire a pool")?;
        entry(&mut pools, pool).ownership.acquire(owner, now)
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        let mut pools = self.lock("seize a pool")?;
        Ok(entry(&mut pools, pool).ownership.seize(owner, now))
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        if let Some(pool) = self.lock("release a pool")?.get_mut(pool) {
            pool.ownership.release(token);
        }
        Ok(())
    }
}

#[async_trait]
impl Claims for MemoryStore {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<(ClaimKey, ClaimEntry)>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.check_owner(pool, token, "put claims")?;
        self.claims.put_run(pool, run, checkpoint)
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[ClaimKey],
    ) -> Result<Vec<Option<ClaimEntry>>, StoreError> {
        self.claims.find(pool, keys)
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        self.claims.checkpoint(pool)
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.claims.clear(pool)
    }
}
