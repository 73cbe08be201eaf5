//! Stores whose process is cut off at one of the things that it writes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use heronry_store::{
    AppendError, Commit, CommitOutcome, ContentsLayer, CustodyLayer, FencingToken, Guard, Head,
    JournalLayer, Layer, Layered, LeaseError, LeasesLayer, Reservation, Store, StoreError,
    StoreErrorKind,
};
use heronry_types::{Body, ContentRef, Millis, PoolId, Timestamp};

/// The fate of the last write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WriteFate {
    Yes,
    No,
}

/// A process that ends at the write with a number, whichever store it is to.
#[derive(Debug)]
pub(crate) struct Process {
    at: u64,
    kept: WriteFate,
    writes: AtomicU64,
    ended: AtomicBool,
}

impl Process {
    pub(crate) fn ending_at(at: u64, kept: WriteFate) -> Arc<Self> {
        Arc::new(Self {
            at,
            kept,
            writes: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        })
    }

    /// Returns a store as this process has it.
    pub(crate) fn opens(self: &Arc<Self>, store: &Store) -> Store {
        let cut = Arc::new(Layered(CutStore {
            inner: store.clone(),
            process: Arc::clone(self),
        }));
        Store {
            journal: Arc::clone(&cut) as _,
            custody: Arc::clone(&cut) as _,
            contents: Arc::clone(&cut) as _,
            leases: cut,
            ..store.clone()
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Writes, unless the process ends before that or with it.
    async fn write<T>(&self, write: impl Future<Output = T>) -> Result<T, StoreError> {
        let ended = || StoreError::new(StoreErrorKind::Io, "write", "the process ended");
        if self.has_ended() {
            return Err(ended());
        }
        if self.writes.fetch_add(1, Ordering::AcqRel) + 1 < self.at {
            return Ok(write.await);
        }
        self.ended.store(true, Ordering::Release);
        match self.kept {
            WriteFate::Yes => drop(write.await),
            WriteFate::No => {}
        }
        Err(ended())
    }
}

struct CutStore {
    inner: Store,
    process: Arc<Process>,
}

fn unknown(error: StoreError) -> AppendError {
    AppendError::Store {
        outcome: CommitOutcome::Unknown,
        error,
    }
}

impl Layer for CutStore {
    fn inner(&self) -> &Store {
        &self.inner
    }
}

#[async_trait]
impl JournalLayer for CutStore {
    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        let append = self.inner.journal.append(pool, commit, guard);
        self.process.write(append).await.map_err(unknown)?
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        let delete = self.inner.journal.delete(pool, token);
        self.process.write(delete).await.map_err(unknown)?
    }
}

#[async_trait]
impl CustodyLayer for CutStore {
    async fn seal(&self, moved_to: &str) -> Result<(), StoreError> {
        self.process
            .write(self.inner.custody.seal(moved_to))
            .await?
    }

    async fn unseal(&self) -> Result<(), StoreError> {
        self.process.write(self.inner.custody.unseal()).await?
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let reserve = self.inner.custody.reserve(reservation);
        self.process.write(reserve).await?
    }

    async fn unreserve(&self) -> Result<(), StoreError> {
        self.process.write(self.inner.custody.unreserve()).await?
    }
}

#[async_trait]
impl ContentsLayer for CutStore {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let put = self.inner.contents.put(pool, content_ref, body, token);
        self.process.write(put).await?
    }
}

#[async_trait]
impl LeasesLayer for CutStore {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let acquire = self.inner.leases.acquire(pool, owner, now, term);
        self.process.write(acquire).await?
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let seize = self.inner.leases.seize(pool, owner, now, term);
        self.process.write(seize).await?
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        let release = self.inner.leases.release(pool, token);
        self.process.write(release).await?
    }
}
