//! A runtime that owns a pool, as far as a store can tell.

use heronry_store::{AppendError, Checkpoint, Commit, FencingToken, Guard, Head, Store};
use heronry_types::{PoolId, Position};

use super::Failure;
use crate::sample;

/// A runtime that owns a pool, as far as a store can tell.
#[derive(Debug)]
pub(crate) struct CaseWriter {
    pub(crate) store: Store,
    pub(crate) pool: PoolId,
    pub(crate) token: FencingToken,
    pub(crate) head: Option<Head>,
}

impl CaseWriter {
    /// Acquires the pool with a number.
    pub(crate) async fn of(store: &Store, number: u64) -> Result<Self, Failure> {
        let pool = sample::pool(number);
        let token = store
            .leases
            .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
            .await?;
        let head = store.journal.head(&pool).await?;
        Ok(Self {
            store: store.clone(),
            pool,
            token,
            head,
        })
    }

    /// Returns the guard that an honest writer names.
    pub(crate) fn guard(&self) -> Guard {
        Guard {
            expected_head: self.head.map_or(Position::ZERO, |head| head.head),
            token: self.token,
        }
    }

    /// Appends a commit that must be taken.
    pub(crate) async fn append(&mut self, commit: Commit) -> Result<Head, AppendError> {
        let head = self.attempt(commit, self.guard()).await?;
        self.head = Some(head);
        Ok(head)
    }

    /// Appends one chunk for each number of records.
    pub(crate) async fn write(&mut self, records: &[u64]) -> Result<Head, AppendError> {
        self.append(sample::chunks(self.head, records)).await
    }

    /// Appends a commit that may be refused.
    pub(crate) async fn attempt(&self, commit: Commit, guard: Guard) -> Result<Head, AppendError> {
        self.store.journal.append(&self.pool, commit, guard).await
    }

    /// Returns the first and last positions of the chunks after a position.
    pub(crate) async fn chunks(
        &self,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<(u64, u64)>, Failure> {
        let journal = &self.store.journal;
        let page = journal.read(&self.pool, Position(after), bytes).await?;
        let spans = page.chunks.iter();
        Ok(spans
            .map(|chunk| (chunk.first().0, chunk.last().0))
            .collect())
    }

    /// Returns the point at which this writer last wrote.
    pub(crate) fn point(&self) -> Result<Checkpoint, Failure> {
        let head = self
            .head
            .ok_or_else(|| Failure::new("nothing was written"))?;
        Ok(Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        })
    }

    /// Has another owner seize the pool, and returns the token that is stale from here on.
    pub(crate) async fn lose(&mut self) -> Result<FencingToken, Failure> {
        let seize = self.store.leases.seize(
            &self.pool,
            "another",
            sample::time(1),
            heronry_store::LEASE_TERM,
        );
        Ok(std::mem::replace(&mut self.token, seize.await?))
    }

    /// Checks that the pool is as it was when this writer last wrote.
    pub(crate) async fn unchanged(&self) -> Result<(), Failure> {
        let head = self.store.journal.head(&self.pool).await?;
        super::same("the head after a refusal", &head, &self.head)?;
        let last = self.head.map_or(0, |head| head.head.0);
        if last > 0 {
            let after = self.chunks(last - 1, usize::MAX).await?;
            let end = after.last().map(|(_, end)| *end);
            super::same("the last position after a refusal", &end, &Some(last))?;
        }
        Ok(())
    }
}
