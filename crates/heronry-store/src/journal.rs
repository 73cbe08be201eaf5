//! The journal port: the only truth.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_journal::{Baseline, Chunk, ChunkHash};
use heronry_types::{Body, ContentRef, Durability, Epoch, PoolId, Position, Timelines};

use crate::{
    AppendError, ConsumerStanding, Erasure, FencingToken, ReadError, Sharing, StoreError, Stored,
    StoredContent,
};

/// The present state of a pool's journal: its timeline, its head and its floor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// The newest timeline.
    pub epoch: Epoch,
    /// The last position that is kept as the store's durability promises.
    pub head: Position,
    /// The oldest position that is kept; 1 until something is trimmed.
    pub floor: Position,
    /// The hash of the last chunk.
    pub last_hash: ChunkHash,
}

/// One atomic append: whole chunks, and the bodies that their records refer to.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The chunks in order; at least one.
    pub chunks: Vec<Chunk>,
    /// The bodies that ride in the same transaction.
    pub contents: Vec<NewContent>,
    /// The bodies that are erased in the same transaction: of appends before it, or by themselves.
    pub erasures: Vec<Erasure>,
    /// The cursors of consumers of a pool that is brought from elsewhere on the timeline that it
    /// had. They come with the append that shows the pool, and with no other.
    pub consumers: Vec<ConsumerStanding>,
    /// The relation of the append to the timeline.
    pub timeline: Timeline,
    /// The completeness of the pool after the append.
    pub arrival: Arrival,
    /// The state before the first chunk, when a new pool is brought from a journal that was trimmed.
    /// It comes with the first append of a new pool, and with no other; the first chunk then begins at
    /// its floor.
    pub baseline: Option<Box<Baseline>>,
}

/// The relation of an append to the timeline: it continues it, or starts one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Timeline {
    /// Every chunk is of the pool's epoch.
    #[default]
    Continues,
    /// A chunk of it starts a new epoch.
    Starts,
}

/// The completeness of a pool after an append.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Arrival {
    /// The pool is whole: everybody sees it.
    #[default]
    Whole,
    /// More of a new pool follows before anybody sees it, as when it is copied from elsewhere.
    Part,
}

/// A body that is stored together with the records that refer to it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NewContent {
    /// The reference.
    pub content_ref: ContentRef,
    /// The body, or its tombstone when a pool is brought from elsewhere.
    pub stored: Stored,
}

impl NewContent {
    /// Returns a body under a reference; computes its digest, which takes time in proportion to it.
    pub fn new(content_ref: ContentRef, body: Body) -> Self {
        Self::of(content_ref, Stored::Kept(StoredContent::of(body)))
    }

    /// Returns a body whose digest is known, or a tombstone. What is stored with another digest is
    /// damaged.
    pub fn of(content_ref: ContentRef, stored: Stored) -> Self {
        Self {
            content_ref,
            stored,
        }
    }
}

/// The conditions under which an append is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Guard {
    /// The head that the writer decided on; zero creates the pool.
    pub expected_head: Position,
    /// The writer's proof of ownership.
    pub token: FencingToken,
}

/// Whole chunks from a journal, in order.
#[derive(Clone, Debug)]
pub struct Page {
    /// The chunks; the first may begin before the position that was asked for. Empty when nothing
    /// follows yet.
    pub chunks: Vec<Chunk>,
    /// The head of the journal.
    pub head: Head,
}

/// The promises of a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capabilities {
    /// The store's name, as `redb`.
    pub name: &'static str,
    /// The durability of an acknowledged append.
    pub durability: Durability,
    /// The number of processes that the store serves, and with it what ends the ownership of a pool.
    pub sharing: Sharing,
    /// The largest single content in bytes.
    pub content_bytes_max: u64,
}

/// Append-only journals, one for each pool.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *dense*: positions of a pool are 1, 2, 3, … without a gap.
/// 2. *whole*: an append is kept with all its chunks and contents, or not at all.
/// 3. *guarded*: an append with another expected head is refused and writes nothing.
/// 4. *fenced*: an append with a stale token is refused and writes nothing.
/// 5. *kept*: what was acknowledged is there after reopening, as `capabilities().durability` promises.
/// 6. *bounded*: a page holds at least one chunk when one follows, and stops after `bytes_max`.
/// 7. *epoch-stable*: a pool's epoch changes only by an append that says that a timeline starts.
/// 8. *gated*: `read`, `head` and `watch` show nothing above the last successful sync.
/// 9. *exclusive*: of a store of [one process](Sharing::OneProcess) that is kept somewhere, a second opener of the same
///    place is refused with [`StoreErrorKind::Locked`](crate::StoreErrorKind::Locked). A [shared](Sharing::Shared) store
///    is *open to several*: all of them see one journal.
/// 10. *fail-stop*: after a failed sync nothing is written any more, every call says so, and `closed`
///     completes.
/// 11. *arriving*: a new pool that is appended in parts is not seen before its last part, in later
///     processes neither. A first append starts it over; contents that were stored by themselves stay.
/// 12. *deleted*: nothing of a deleted pool is seen through any port, in this process and in later
///     ones, and what was stored for it is removed. After a crash it is all there or gone.
/// 13. *begun anew*: a pool of the name of a deleted one has nothing of it, and its tokens rise
///     above those of the deleted one.
/// 14. *stood for*: a floor moves only together with a baseline that carries the hash of the chunk before
///     it; both are there after a crash, or neither.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Returns the promises of the store.
    fn capabilities(&self) -> Capabilities;

    /// Appends whole chunks and their contents in one atomic transaction, and returns the new head.
    ///
    /// The caller owns the pool (`guard.token`) and chained the chunks to the head it names. A
    /// repeat is refused as a conflict. After a crash all of it is there or nothing.
    ///
    /// # Errors
    /// [`AppendError`]; only `Store { outcome: Unknown }` leaves the outcome open.
    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError>;

    /// Returns whole chunks, starting at the last one whose first position is at most `after + 1`.
    ///
    /// Returns an empty page when nothing follows `after` yet. Stops before the chunk that would
    /// exceed `bytes_max`, but returns at least one.
    ///
    /// # Errors
    /// [`ReadError::Trimmed`] when records after `after` are gone, [`ReadError::NoPool`], or the store's failure.
    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError>;

    /// Returns where a pool's journal stands; nothing when it has none.
    ///
    /// # Errors
    /// The store's failure.
    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError>;

    /// Returns the timelines of a pool's journal; nothing when it has none.
    ///
    /// The answer shows as much as [`head`](Self::head) does, and the timelines of trimmed records,
    /// too. The call reads no chunk, so it takes as long for a missing pool as for an existing one.
    ///
    /// # Errors
    /// The store's failure.
    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError>;

    /// Returns every pool, sorted.
    ///
    /// # Errors
    /// The store's failure.
    async fn pools(&self) -> Result<Vec<PoolId>, StoreError>;

    /// Moves the floor to that of a baseline: drops the chunks before it, and keeps the baseline in their
    /// place, in one transaction. [`JournalExt::trim_point`](crate::JournalExt::trim_point) finds the floors
    /// that there may be.
    ///
    /// The caller owns the pool (`token`). Contents that rode with the chunks stay: a live message may
    /// need its body. A floor at or below the present one drops nothing, and leaves the baseline that is
    /// there. After a crash the chunks are all there with the baseline of before, or all gone with this one.
    ///
    /// # Errors
    /// As [`append`](Self::append); [`AppendError::Discontinuous`] when no chunk begins at the floor, or
    /// the one that does follows another hash or timeline than the baseline carries.
    async fn trim(
        &self,
        pool: &PoolId,
        baseline: Baseline,
        token: FencingToken,
    ) -> Result<Head, AppendError>;

    /// Returns what stands in for the records before the floor; nothing while the floor is 1. A journal that
    /// an earlier build trimmed has none.
    ///
    /// To copy a trimmed journal, append it with the first chunks ([`Commit::baseline`]).
    ///
    /// # Errors
    /// The store's failure; damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt), and a layout
    /// of a newer build [`StoreErrorKind::NewerSchema`](crate::StoreErrorKind::NewerSchema).
    async fn baseline(&self, pool: &PoolId) -> Result<Option<Baseline>, StoreError>;

    /// Deletes a pool: its journal, contents, keys, snapshot and consumers. What has arrived of a new
    /// pool is deleted, too.
    ///
    /// The caller owns the pool (`token`), and owns it no more afterwards. A repeat is refused as
    /// stale. Room that it took can be used again, at once or soon after.
    ///
    /// # Errors
    /// [`AppendError::Fenced`], and [`NotFound`](crate::StoreErrorKind::NotFound) when there is no
    /// such pool; only `Store { outcome: Unknown }` leaves open whether it is gone.
    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError>;

    /// Completes when the head may have passed `after`: a hint, never a promise.
    ///
    /// # Errors
    /// The store's failure.
    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError>;

    /// Completes when the store has closed for this process, with the error that every later call
    /// returns; [`StoreError::cause`] says why it closed. It never completes for a store that
    /// cannot close.
    async fn closed(&self) -> StoreError {
        std::future::pending().await
    }
}
