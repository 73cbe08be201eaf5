//! Errors of calls of a pool.

use heronry_pool::{Rejection, engine::UnreadableFilter};
use heronry_store::{
    AppendError, CommitOutcome, LeaseError, ReadError, StoreError, StoreErrorKind,
};
use heronry_types::{Millis, PoolId, Position};

/// The error of a call.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The rules say no; nothing was recorded.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The pool has too much to do; nothing was recorded.
    #[error(
        "all {places} places of the pool's command queue are taken; try again in {retry_after}"
    )]
    Busy {
        /// The number of commands that may wait:
        /// [`CommandQueueMax`](heronry_types::LimitName::CommandQueueMax).
        places: u64,
        /// The time after which to try again.
        retry_after: Millis,
    },
    /// The pool stopped, because its store failed, its ownership was lost, or it was shut down.
    #[error("the pool has stopped ({why}); outcome: {}", outcome_name(*.outcome))]
    Stopped {
        /// The knowledge about the command: not recorded, or perhaps recorded.
        outcome: CommitOutcome,
        /// The reason why the pool stopped.
        why: StopReason,
    },
}

fn outcome_name(outcome: CommitOutcome) -> &'static str {
    match outcome {
        CommitOutcome::None => "none, repeat it when the pool is open again",
        CommitOutcome::Unknown => {
            "unknown, repeat it with the same key when the pool is open again"
        }
    }
}

/// The reason why a pool stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StopReason {
    /// The pool was shut down.
    Shutdown,
    /// The store of the pool failed, for this cause.
    StoreFenced(StoreErrorKind),
    /// The pool is being deleted.
    Deleting,
    /// Another owner took the pool.
    OwnershipLost,
    /// A record that the pool made did not fit: a bug.
    Internal,
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shutdown => "it was shut down",
            Self::Deleting => "it is being deleted",
            Self::StoreFenced(cause) => return write!(f, "its store failed: {cause}"),
            Self::OwnershipLost => "another owner took it",
            Self::Internal => "a record did not fit its chunk",
        })
    }
}

/// The error of opening a pool.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store has no such pool.
    #[error("there is no such pool in this store; create it first")]
    NotFound,
    /// Another runtime owns the pool, or the store failed.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The pool exists with another configuration, or the runtime refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal is damaged.
    #[error("journal of this pool is damaged at {at}; run `heronry journal verify`")]
    Damaged {
        /// The position where it is damaged.
        at: Position,
        /// The damage.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A record was written by a newer build.
    #[error("journal has a record of a newer build at {at}; use that build")]
    Newer {
        /// The position of the record.
        at: Position,
        /// The error of decoding the record.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A wake cannot be matched.
    #[error(transparent)]
    Filter(#[from] Box<UnreadableFilter>),
    /// Records at the start of the journal are gone, and no baseline replaces them.
    #[error("records before {floor} are trimmed and the state cannot be rebuilt")]
    Trimmed {
        /// The oldest position that is kept.
        floor: Position,
    },
    /// Records at the start of the journal are gone, and what the store knew of their keys and ids is damaged.
    #[error(
        "records before {floor} are trimmed, and what the store knew of their idempotency keys and message ids is \
         missing or damaged, so a repeat would be a second message; restore a backup, or copy the store and go on with the \
         copy, where those keys are free"
    )]
    KeysLost {
        /// The oldest position that is kept.
        floor: Position,
    },
}

/// The reasons why a pool was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// There is no such pool, or it cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store did not delete it, or it is not known whether it did.
    #[error("pool cannot be deleted: {error}")]
    Store {
        /// The error of the store.
        #[source]
        error: AppendError,
    },
}

/// The error of reading events.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The rules say no, or the pool has stopped.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal is damaged.
    #[error("journal of this pool is damaged at {at}; run `heronry journal verify`")]
    Damaged {
        /// The position where it is damaged.
        at: Position,
    },
    /// The pool is gone from the store.
    #[error("pool {0:?} is not in this store")]
    NoPool(PoolId),
}
