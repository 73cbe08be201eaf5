//! Stores whose process is cut off at one of the things that it writes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use heronry_store::{
    AppendError, Capabilities, Commit, ContentPack, ContentPlace, Contents, Custody, FencingToken,
    Guard, Head, Journal, LeaseError, Leases, NewContent, Outcome, Page, ReadError, Reservation,
    Store, StoreError, StoreErrorKind, Stored,
};
use heronry_types::{Body, ContentRef, PoolId, Position, Timelines, Timestamp};

/// The fate of the last write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kept {
    Yes,
    No,
}

/// A process that ends at the write with a number, whichever store it is to.
#[derive(Debug)]
pub(crate) struct Process {
    at: u64,
    kept: Kept,
    writes: AtomicU64,
    ended: AtomicBool,
}

impl Process {
    pub(crate) fn ending_at(at: u64, kept: Kept) -> Arc<Self> {
        Arc::new(Self {
            at,
            kept,
            writes: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        })
    }

    /// Returns a store as this process has it.
    pub(crate) fn opens(self: &Arc<Self>, store: &Store) -> Store {
        let cut = Arc::new(Cut {
            inner: store.clone(),
            process: Arc::clone(self),
        });
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
            Kept::Yes => drop(write.await),
            Kept::No => {}
        }
        Err(ended())
    }
}

struct Cut {
    inner: Store,
    process: Arc<Process>,
}

fn unknown(error: StoreError) -> AppendError {
    AppendError::Store {
        outcome: Outcome::Unknown,
        error,
    }
}

#[async_trait]
impl Journal for Cut {
    fn capabilities(&self) -> Capabilities {
        self.inner.journal.capabilities()
    }

    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        let append = self.inner.journal.append(pool, commit, guard);
        self.process.write(append).await.map_err(unknown)?
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        self.inner.journal.read(pool, after, bytes_max).await
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        self.inner.journal.head(pool).await
    }

    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError> {
        self.inner.journal.timelines(pool).await
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        self.inner.journal.pools().await
    }

    async fn trim(
        &self,
        pool: &PoolId,
        before: Position,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        self.inner.journal.trim(pool, before, token).await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        let delete = self.inner.journal.delete(pool, token);
        self.process.write(delete).await.map_err(unknown)?
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        self.inner.journal.watch(pool, after).await
    }
}

#[async_trait]
impl Custody for Cut {
    async fn sealed(&self) -> Result<Option<String>, StoreError> {
        self.inner.custody.sealed().await
    }

    async fn seal(&self, moved_to: &str) -> Result<(), StoreError> {
        self.process
            .write(self.inner.custody.seal(moved_to))
            .await?
    }

    async fn unseal(&self) -> Result<(), StoreError> {
        self.process.write(self.inner.custody.unseal()).await?
    }

    async fn reserved(&self) -> Result<Option<Reservation>, StoreError> {
        self.inner.custody.reserved().await
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
impl Contents for Cut {
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

    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        self.inner.contents.get(pool, content_ref, place).await
    }

    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError> {
        self.inner.contents.list_with(pool, after, bytes_max).await
    }

    async fn list_alone(
        &self,
        pool: &PoolId,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Result<Vec<NewContent>, StoreError> {
        self.inner.contents.list_alone(pool, after, bytes_max).await
    }
}

#[async_trait]
impl Leases for Cut {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        let acquire = self.inner.leases.acquire(pool, owner, now);
        self.process.write(acquire).await?
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        let seize = self.inner.leases.seize(pool, owner, now);
        self.process.write(seize).await?
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        let release = self.inner.leases.release(pool, token);
        self.process.write(release).await?
    }
}
