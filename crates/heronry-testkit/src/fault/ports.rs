//! The ports of a store that fails where a test asks it to.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use heronry_store::{
    AppendError, Checkpoint, Commit, CommitOutcome, ContentPlace, ContentsLayer, CursorsLayer,
    CustodyLayer, FencingToken, Guard, Head, JournalLayer, KeyedEntry, KeysLayer, Layer,
    LeaseError, LeasesLayer, Page, ProjectionsLayer, ReadError, SnapshotsLayer, Store, StoreError,
    StoreErrorKind, Stored,
};
use heronry_types::{ContentRef, Millis, PoolId, Position, Timestamp};

use super::{AppendFault, FaultStore};

impl FaultStore {
    fn check_open_to_write(&self, op: &'static str) -> Result<(), AppendError> {
        self.plan
            .check_open(op)
            .map_err(|error| AppendError::Store {
                outcome: CommitOutcome::None,
                error,
            })
    }

    /// Keeps what a claim of ownership gave, so that a reopening can end it.
    fn keep(&self, pool: &PoolId, token: FencingToken) -> FencingToken {
        self.plan.lock().leases.push((pool.clone(), token));
        token
    }
}

/// Refuses everything after a failed sync.
impl Layer for FaultStore {
    fn inner(&self) -> &Store {
        &self.inner
    }

    fn admit(&self, op: &'static str) -> Result<(), StoreError> {
        self.plan.check_open(op)
    }
}

#[async_trait]
impl JournalLayer for FaultStore {
    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        let op = "append";
        let number = self.plan.appends.fetch_add(1, Ordering::AcqRel) + 1;
        self.check_open_to_write(op)?;
        self.plan.gate.pass().await;
        self.check_open_to_write(op)?;
        let inner = &self.inner.journal;
        match self.plan.fault_of(number) {
            None => inner.append(pool, commit, guard).await,
            Some(AppendFault::UnknownNotKept) => Err(self.plan.failed_sync()),
            Some(AppendFault::UnknownKept) => {
                inner.append(pool, commit, guard).await?;
                Err(self.plan.failed_sync())
            }
            Some(AppendFault::Fenced) => Err(AppendError::Fenced {
                held: guard.token.0,
                current: guard.token.0 + 1,
            }),
            Some(AppendFault::Conflict) => Err(AppendError::Conflict {
                expected: guard.expected_head,
                found: guard.expected_head.next(),
            }),
            Some(AppendFault::Panics) => panic!("the test has this append panic"),
        }
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        self.plan.reads.fetch_add(1, Ordering::AcqRel);
        self.plan.check_open("read the journal")?;
        self.plan.read_gate.pass().await;
        self.plan.check_open("read the journal")?;
        if self.plan.fails_next_read.swap(false, Ordering::AcqRel) {
            let detail = "the test failed this page";
            return Err(StoreError::new(StoreErrorKind::Io, "read the journal", detail).into());
        }
        self.inner.journal.read(pool, after, bytes_max).await
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        self.plan.check_open("watch")?;
        self.inner.journal.watch(pool, after).await?;
        self.plan.check_open("watch")
    }

    async fn closed(&self) -> StoreError {
        self.plan.bells.closing().await;
        self.plan.closed("go on")
    }
}

impl CustodyLayer for FaultStore {}

#[async_trait]
impl ContentsLayer for FaultStore {
    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        self.plan.content_reads.fetch_add(1, Ordering::AcqRel);
        self.plan.check_open("get content")?;
        self.inner.contents.get(pool, content_ref, place).await
    }
}

#[async_trait]
impl LeasesLayer for FaultStore {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        self.plan.check_open("acquire a pool")?;
        let token = self.inner.leases.acquire(pool, owner, now, term).await?;
        Ok(self.keep(pool, token))
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        self.plan.check_open("seize a pool")?;
        let token = self.inner.leases.seize(pool, owner, now, term).await?;
        Ok(self.keep(pool, token))
    }
}

#[async_trait]
impl KeysLayer for FaultStore {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.plan.key_runs.fetch_add(1, Ordering::AcqRel);
        self.plan.check_open("put keys")?;
        self.plan.key_gate.pass().await;
        self.plan.check_open("put keys")?;
        self.inner.keys.put_run(pool, run, checkpoint, token).await
    }
}

impl SnapshotsLayer for FaultStore {}

impl CursorsLayer for FaultStore {}

impl ProjectionsLayer for FaultStore {}
