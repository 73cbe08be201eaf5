//! The cursors port: how far named consumers have come.

use async_trait::async_trait;
use heronry_types::{ConsumerId, Cursor, Millis, PoolId, Position, Timestamp};

use crate::StoreError;

/// The most consumers of a pool.
pub const CONSUMERS_PER_POOL_MAX: usize = 1_000;

/// The SHA-256 fingerprint of a filter in its canonical form.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FilterFingerprint(pub [u8; 32]);

/// The progress of a consumer, with the fingerprint of its filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConsumerCursor {
    /// The last point that it is done with.
    pub cursor: Cursor,
    /// The fingerprint of the consumer's filter. The cursor has no meaning for a consumer with
    /// another filter.
    pub filter: FilterFingerprint,
    /// The tenure of the holder that committed it.
    pub tenure: Tenure,
}

/// The tenure of the holder of a consumer.
///
/// A store keeps it with the cursor, and reads nothing out of it. What was kept before tenures were
/// has the default one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tenure {
    /// The generation of the holder. It rises with each holder, so that of two holders only the last
    /// one commits; 0 before the first.
    pub generation: u64,
    /// The time of the last commit; `None` before the first that notes it.
    pub committed_at: Option<Timestamp>,
    /// The time after the last commit in which the consumer keeps records after its cursor from
    /// being trimmed. Zero holds nothing.
    pub hold_for: Millis,
}

impl ConsumerCursor {
    /// Returns the cursor of a consumer that nobody has held yet.
    pub fn new(cursor: Cursor, filter: FilterFingerprint) -> Self {
        Self {
            cursor,
            filter,
            tenure: Tenure::default(),
        }
    }
}

impl Tenure {
    /// Returns the time at which the consumer stops to hold records; `None` when it holds none.
    pub fn holds_until(&self) -> Option<Timestamp> {
        let committed_at = self.committed_at.filter(|_| self.hold_for.0 > 0)?;
        Some(committed_at.after(self.hold_for))
    }
}

/// The error of a cursor that was not committed.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The consumer does not stand where the caller believes: another process consumes under the
    /// same name, or looks for something else. Nothing was written.
    #[error("consumer stands elsewhere, or has another filter; read its cursor again")]
    Conflict {
        /// The present progress of the consumer; `None` when there is no such consumer.
        found: Option<ConsumerCursor>,
    },
    /// The cursor is ahead of the pool's journal. Nothing was written.
    #[error("cursor is at {requested}, and the pool's head at {head}; commit what was read")]
    Ahead {
        /// The position that was to be committed.
        requested: Position,
        /// The pool's head.
        head: Position,
    },
    /// The pool has no journal in this store.
    #[error("no such pool in this store")]
    NoPool,
    /// The pool has as many consumers as a pool may have.
    #[error("pool has {max} consumers, which is the most; delete one that is not used any more")]
    TooMany {
        /// The most, a count.
        max: usize,
    },
    /// A change of a projection is larger than a store takes, or its projection would be. Nothing
    /// was written, and no row is cut.
    #[error("the {what} is {found}, and the most is {max}; write less, or remove rows")]
    TooLarge {
        /// The part that is too large, as `length of a key in bytes`.
        what: &'static str,
        /// The size that was asked for.
        found: usize,
        /// The most.
        max: usize,
    },
    /// A row of a projection has an empty key. Nothing was written.
    #[error("a row has an empty key; give it one of at least a byte")]
    EmptyKey,
    /// The store failed. A commit that was under way may have been kept: read the cursor again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A consumer of a pool, and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsumerStanding {
    /// The consumer.
    pub consumer: ConsumerId,
    /// Its cursor, and the filter that it belongs to.
    pub cursor: ConsumerCursor,
}

/// Named durable positions of consumers. Unlike a projection they cannot be folded from the journal.
///
/// A consumer owns no pool, so no fencing token guards its cursor: a commit names the cursor that
/// the consumer believes to have. A copy of a store carries no cursors: the copy is another
/// timeline, and whoever consumes it is another consumer. A move carries every cursor: nothing but
/// the place changes.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *committed*: what was committed last is returned, cursor, filter and tenure.
/// 2. *compared*: a commit with another expectation than what is there is refused, says what is
///    there, and writes nothing.
/// 3. *one winner*: of several commits with the same expectation at the same time one is taken.
/// 4. *behind the head*: a cursor above the durable head is refused.
/// 5. *apart*: consumers are apart by pool and by name, whatever characters the names have.
/// 6. *listed*: every consumer of a pool, in the order of the names.
/// 7. *bounded*: at most [`CONSUMERS_PER_POOL_MAX`] consumers of a pool; names are ids, of up to
///    512 bytes.
/// 8. *deleted*: after a delete there is no such consumer, and no row of its
///    [projection](crate::Projections); a repeat changes nothing.
/// 9. *gated*: nothing is returned whose sync has not succeeded.
/// 10. *kept*: what was acknowledged is there after reopening, as `capabilities().durability` promises.
/// 11. *checked*: damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt), never
///     another cursor; delete works on a damaged one.
/// 12. *sealed* and *fail-stop*: as in [`Journal`](crate::Journal).
/// 13. *arriving*: what [`Commit::consumers`](crate::Commit::consumers) names is there when the pool
///     is, with it or not at all. It is refused, and nothing written, with an append that does not
///     show a new pool, or when one stands above the head or there are too many.
#[async_trait]
pub trait Cursors: Send + Sync {
    /// Returns where a consumer stands; nothing when there is no such consumer.
    ///
    /// # Errors
    /// The store's failure; damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt).
    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
    ) -> Result<Option<ConsumerCursor>, StoreError>;

    /// Moves a consumer from where it is expected to stand, forwards or backwards; from nothing
    /// makes it.
    ///
    /// After a crash it stands there, or where it stood.
    ///
    /// # Errors
    /// [`ConsumerError`].
    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        expected: Option<ConsumerCursor>,
        next: ConsumerCursor,
    ) -> Result<(), ConsumerError>;

    /// Returns every consumer of a pool and where it stands, in the order of their names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn list(&self, pool: &PoolId) -> Result<Vec<ConsumerStanding>, StoreError>;

    /// Deletes a consumer, wherever it stands.
    ///
    /// # Errors
    /// The store's failure.
    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError>;
}

/// A move of a consumer, to be judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CursorMove {
    /// The cursor that the consumer has; `None` when there is no such consumer.
    pub found: Option<ConsumerCursor>,
    /// The cursor that the caller believes it to have.
    pub expected: Option<ConsumerCursor>,
    /// The cursor that it is to have.
    pub next: ConsumerCursor,
}

/// Checks what every adapter checks before it moves a cursor: where the consumer stands, where the
/// journal ends, and how many consumers there are when this one is new.
///
/// # Errors
/// [`ConsumerError::NoPool`], [`ConsumerError::Conflict`], [`ConsumerError::Ahead`] or
/// [`ConsumerError::TooMany`].
pub fn judge_cursor(
    head: Option<Position>,
    asked: CursorMove,
    consumers: impl FnOnce() -> Result<usize, StoreError>,
) -> Result<(), ConsumerError> {
    let CursorMove {
        found,
        expected,
        next,
    } = asked;
    let head = head.ok_or(ConsumerError::NoPool)?;
    if found != expected {
        return Err(ConsumerError::Conflict { found });
    }
    let requested = next.cursor.position;
    if requested > head {
        return Err(ConsumerError::Ahead { requested, head });
    }
    let max = CONSUMERS_PER_POOL_MAX;
    if found.is_none() && consumers()? >= max {
        return Err(ConsumerError::TooMany { max });
    }
    Ok(())
}
