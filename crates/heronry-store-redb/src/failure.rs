//! Translation of the errors of redb and of the file system into errors that tell a caller the
//! remedy.

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::files::kind_of_io;

/// Turns a fault of redb into the error of an operation.
pub(crate) fn failed(op: &'static str, error: impl Into<redb::Error>) -> StoreError {
    let error = error.into();
    let detail = error.to_string();
    let failed = if matches!(error, redb::Error::PreviousIo) {
        // Who reads while a write fails meets this a moment before the store closes.
        StoreError::closed(op, StoreErrorKind::Io, detail)
    } else {
        StoreError::new(kind_of(&error), op, detail)
    };
    failed.with_source(error)
}

/// Returns what a caller can do about a fault of redb.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is redb's, and most of its variants cannot come from what is called here"
)]
pub(crate) fn kind_of(error: &redb::Error) -> StoreErrorKind {
    match error {
        redb::Error::DatabaseAlreadyOpen => StoreErrorKind::Locked,
        redb::Error::Corrupted(_)
        | redb::Error::RepairAborted
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableDoesNotExist(_) => StoreErrorKind::Corrupt,
        redb::Error::UpgradeRequired(_) => StoreErrorKind::NotAStore,
        redb::Error::ValueTooLarge(_) => StoreErrorKind::TooLarge,
        redb::Error::PreviousIo
        | redb::Error::DatabaseClosed
        | redb::Error::TransactionPoisoned
        | redb::Error::LockPoisoned(_) => StoreErrorKind::Closed,
        redb::Error::Io(error) => kind_of_io(error),
        _ => StoreErrorKind::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_failure_of_the_device_stops_names_the_device_as_its_cause() {
        let error = failed("read", redb::Error::PreviousIo);
        assert_eq!(error.kind(), StoreErrorKind::Closed);
        assert_eq!(error.cause(), StoreErrorKind::Io);
    }
}
