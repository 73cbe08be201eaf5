//! The errors of trims and snapshots.

use heronry_pool::Rejection;
use heronry_store::{AppendError, ReadError, StoreError};
use heronry_types::Cursor;

use crate::{CallError, OpenError, TrimHold};

/// The reasons why a journal was not trimmed.
#[derive(Debug, thiserror::Error)]
pub enum TrimError {
    /// The cursor is not one of this journal, or ahead of it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A hold still needs the records.
    #[error("records are held by {by}; trim up to {floor}, or {}", by.advice())]
    Held {
        /// The hold.
        by: TrimHold,
        /// The highest cursor up to which nothing is needed.
        floor: Cursor,
    },
    /// The state before the floor could not be folded.
    #[error("state at the floor cannot be folded")]
    Fold(#[from] OpenError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store did not take the trim, or it is not known whether it did.
    #[error("journal cannot be trimmed: {0}")]
    Store(#[source] AppendError),
    /// The pool is stopping.
    #[error(transparent)]
    Stopped(CallError),
}

impl From<StoreError> for TrimError {
    fn from(error: StoreError) -> Self {
        Self::Read(ReadError::Store(error))
    }
}

/// The reasons why no snapshot was taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The pool has no record.
    #[error("pool has no record yet; nothing is to be kept")]
    Empty,
    /// The state could not be folded.
    #[error("state at the head cannot be folded")]
    Fold(#[from] OpenError),
    /// The store did not take it: it is too large, or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The pool is stopping.
    #[error(transparent)]
    Stopped(CallError),
}
