//! The ports of a store that fails where a test asks it to.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use heronry_store::{
    AppendError, Capabilities, Checkpoint, ClaimEntry, ClaimKey, Claims, Commit, ContentPack,
    ContentPlace, Contents, Custody, FencingToken, Guard, Head, Journal, LeaseError, Leases,
    NamedClaim, NewContent, Outcome, Page, ReadError, Reservation, StoreError, StoreErrorKind,
    Stored,
};
use heronry_types::{Body, ContentRef, PoolId, Position, Timelines, Timestamp};

use super::{AppendFault, FaultStore};

impl FaultStore {
    fn check_open_to_write(&self, op: &'static str) -> Result<(), AppendError> {
        self.plan
            .check_open(op)
            .map_err(|error| AppendError::Store {
                outcome: Outcome::None,
                error,
            })
    }

    /// Keeps what a claim of ownership gave, so that a reopening can end it.
    fn keep(&self, pool: &PoolId, token: FencingToken) -> FencingToken {
        self.plan.lock().leases.push((pool.clone(), token));
        token
    }
}

#[async_trait]
impl Journal for FaultStore {
    fn capabilities(&self) -> Capabilities {
        self.inner.journal.capabilities()
    }

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

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        self.plan.check_open("read the head")?;
        self.inner.journal.head(pool).await
    }

    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError> {
        self.plan.check_open("read the timelines")?;
        self.inner.journal.timelines(pool).await
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        self.plan.check_open("list pools")?;
        self.inner.journal.pools().await
    }

    async fn trim(
        &self,
        pool: &PoolId,
        before: Position,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        self.check_open_to_write("trim")?;
        self.inner.journal.trim(pool, before, token).await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        self.check_open_to_write("delete a pool")?;
        self.inner.journal.delete(pool, token).await
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

#[async_trait]
impl Custody for FaultStore {
    async fn sealed(&self) -> Result<Option<String>, StoreError> {
        self.plan.check_open("look for a seal")?;
        self.inner.custody.sealed().await
    }

    async fn seal(&self, moved_to: &str) -> Result<(), StoreError> {
        self.plan.check_open("seal the store")?;
        self.inner.custody.seal(moved_to).await
    }

    async fn unseal(&self) -> Result<(), StoreError> {
        self.plan.check_open("unseal the store")?;
        self.inner.custody.unseal().await
    }

    async fn reserved(&self) -> Result<Option<Reservation>, StoreError> {
        self.plan.check_open("look for a reservation")?;
        self.inner.custody.reserved().await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), StoreError> {
        self.plan.check_open("reserve pools")?;
        self.inner.custody.reserve(reservation).await
    }

    async fn unreserve(&self) -> Result<(), StoreError> {
        self.plan.check_open("reserve pools")?;
        self.inner.custody.unreserve().await
    }
}

#[async_trait]
impl Contents for FaultStore {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.plan.check_open("put content")?;
        self.inner
            .contents
            .put(pool, content_ref, body, token)
            .await
    }

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

    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError> {
        self.plan.check_open("list contents")?;
        self.inner.contents.list_with(pool, after, bytes_max).await
    }

    async fn list_alone(
        &self,
        pool: &PoolId,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Result<Vec<NewContent>, StoreError> {
        self.plan.check_open("list contents")?;
        self.inner.contents.list_alone(pool, after, bytes_max).await
    }
}

#[async_trait]
impl Leases for FaultStore {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        self.plan.check_open("acquire a pool")?;
        let token = self.inner.leases.acquire(pool, owner, now).await?;
        Ok(self.keep(pool, token))
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        self.plan.check_open("seize a pool")?;
        let token = self.inner.leases.seize(pool, owner, now).await?;
        Ok(self.keep(pool, token))
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        if self.plan.lock().closed {
            return Err(self.plan.closed("release a pool"));
        }
        self.inner.leases.release(pool, token).await
    }
}

#[async_trait]
impl Claims for FaultStore {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<NamedClaim>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.plan.check_open("put claims")?;
        self.inner
            .claims
            .put_run(pool, run, checkpoint, token)
            .await
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[ClaimKey],
    ) -> Result<Vec<Option<ClaimEntry>>, StoreError> {
        self.plan.check_open("find claims")?;
        self.inner.claims.find(pool, keys).await
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        self.plan.check_open("read the claims checkpoint")?;
        self.inner.claims.checkpoint(pool).await
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.plan.check_open("clear claims")?;
        self.inner.claims.clear(pool).await
    }
}
