//! Translation of sled's errors into errors that tell a caller the remedy.

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::files::kind_of_io;
use sled::transaction::TransactionError;

/// Turns a fault of sled into the error of an operation.
pub(crate) fn failed(op: &'static str, error: sled::Error) -> StoreError {
    StoreError::new(kind_of(&error), op, error.to_string()).with_source(error)
}

/// Returns what a caller can do about a fault of sled.
pub(crate) fn kind_of(error: &sled::Error) -> StoreErrorKind {
    match error {
        sled::Error::Corruption { .. }
        | sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_) => StoreErrorKind::Corrupt,
        sled::Error::ReportableBug(_) => StoreErrorKind::Io,
        sled::Error::Io(error) => kind_of_io(error),
    }
}

/// Turns a fault of a transaction, which this crate never aborts, into the error of an operation.
pub(crate) fn failed_transaction(op: &'static str, error: TransactionError<()>) -> StoreError {
    match error {
        TransactionError::Storage(error) => failed(op, error),
        TransactionError::Abort(()) => {
            StoreError::new(StoreErrorKind::Io, op, "the transaction was aborted")
        }
    }
}
