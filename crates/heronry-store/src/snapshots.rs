//! The snapshots port: the state of an engine, so that opening a pool need not fold all of it.

use async_trait::async_trait;
use heronry_types::{PoolId, Position};

use crate::{Checkpoint, FencingToken, Journal, ReadError, StoreError, StoreErrorKind};

/// The largest snapshot that a store takes, in bytes. A pool whose state is larger goes without.
pub const SNAPSHOT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The state of an engine at one point of a pool's journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The version of the layout of `bytes`. Who reads another one than it knows folds the journal.
    pub version: u32,
    /// The point whose state it is: where a chunk ends, and on which chain.
    pub at: Checkpoint,
    /// The state, as its engine wrote it.
    pub bytes: Vec<u8>,
}

/// The latest snapshot of each pool: an accelerator, which may be dropped at any time.
///
/// The journal is the truth: an engine that has no snapshot, or one that it cannot read, folds the
/// journal. A copy of a store carries none.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *latest*: what was put last is returned as it was put: version, point and bytes.
/// 2. *replaced whole*: a reader gets one snapshot or the other, and never a mixture; a put that
///    was refused leaves the one before.
/// 3. *fenced*: a put or delete with a stale token is refused and changes nothing.
/// 4. *on the chain*: a snapshot of a point at which the pool's journal has no end of a chunk with
///    that epoch and hash is refused with [`StoreErrorKind::Foreign`](crate::StoreErrorKind::Foreign),
///    and nothing is returned in its place when the journal was trimmed past it later.
/// 5. *gated*: nothing is returned whose sync has not succeeded.
/// 6. *bounded*: more than [`SNAPSHOT_BYTES_MAX`] bytes are refused with
///    [`StoreErrorKind::TooLarge`](crate::StoreErrorKind::TooLarge).
/// 7. *deleted*: after a delete nothing is returned; a repeat changes nothing.
/// 8. *kept*: what was acknowledged is there after reopening, as `capabilities().durability` promises.
/// 9. *checked*: damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt) or a missing
///    snapshot, never another one; put and delete work on a damaged one.
/// 10. *apart*: a snapshot of one pool is not returned for another.
/// 11. *sealed* and *fail-stop*: as in [`Journal`].
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Puts a snapshot of a pool, in place of the one that is there.
    ///
    /// After a crash the one before is there, or this one.
    ///
    /// # Errors
    /// The store's failure, with the kinds that the contract names; a stale token is
    /// [`StoreErrorKind::Closed`](crate::StoreErrorKind::Closed).
    async fn put(
        &self,
        pool: &PoolId,
        snapshot: Snapshot,
        token: FencingToken,
    ) -> Result<(), StoreError>;

    /// Returns the snapshot that was put last; nothing when there is none, or none of this journal.
    ///
    /// # Errors
    /// The store's failure; damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt).
    async fn latest(&self, pool: &PoolId) -> Result<Option<Snapshot>, StoreError>;

    /// Deletes the snapshot of a pool.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError>;
}

/// Checks what every adapter checks before it puts a snapshot: its size, and that it is of the
/// pool's journal. The adapter checks the fencing token when it writes.
///
/// # Errors
/// [`StoreErrorKind::TooLarge`](crate::StoreErrorKind::TooLarge),
/// [`StoreErrorKind::Foreign`](crate::StoreErrorKind::Foreign), and the store's failure.
pub async fn judge_snapshot<J: Journal + ?Sized>(
    journal: &J,
    pool: &PoolId,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let op = "put a snapshot";
    let bytes = snapshot.bytes.len();
    if bytes > SNAPSHOT_BYTES_MAX {
        let detail = format!("it has {bytes} bytes; the store takes {SNAPSHOT_BYTES_MAX}");
        return Err(StoreError::new(StoreErrorKind::TooLarge, op, detail));
    }
    if stands_on(journal, pool, snapshot.at).await? {
        return Ok(());
    }
    let at = snapshot.at.position;
    let detail = format!("pool {pool}, position {at}: no chunk of its journal ends so");
    Err(StoreError::new(StoreErrorKind::Foreign, op, detail))
}

/// Returns true when a chunk of the journal ends at this point, on this chain, at or above the
/// position before the floor.
///
/// # Errors
/// The store's failure.
pub async fn stands_on<J: Journal + ?Sized>(
    journal: &J,
    pool: &PoolId,
    at: Checkpoint,
) -> Result<bool, StoreError> {
    let Some(head) = journal.head(pool).await? else {
        return Ok(false);
    };
    if at.position == Position::ZERO || at.position > head.head {
        return Ok(false);
    }
    if at.position == head.head {
        return Ok(head.epoch == at.epoch && head.last_hash == at.hash);
    }
    // Below the floor the chunk itself is gone; the one after it names its hash, which covers the
    // epoch too.
    let is_trimmed = at.position < head.floor;
    let after = if is_trimmed {
        at.position
    } else {
        at.position.previous()
    };
    let page = match journal.read(pool, after, 1).await {
        Ok(page) => page,
        Err(ReadError::Trimmed { .. } | ReadError::NoPool) => return Ok(false),
        Err(ReadError::Store(error)) => return Err(error),
    };
    Ok(page.chunks.first().is_some_and(|chunk| {
        let header = chunk.header();
        if is_trimmed {
            header.first == at.position.next() && header.previous == at.hash
        } else {
            chunk.last() == at.position && header.epoch == at.epoch && chunk.hash() == at.hash
        }
    }))
}
