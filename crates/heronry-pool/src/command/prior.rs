//! Idempotency: what a repeated command gets.

use heronry_journal::RequestHash;
use heronry_store::KeyEntry;
use heronry_types::Position;

use crate::{Rejection, State, rejection::ConflictField};

/// The earlier decisions under a command's names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Prior {
    /// The one under its idempotency key.
    pub key: Option<KeyEntry>,
    /// The one under its message or wake id; of a batch of a source, its last record.
    pub id: Option<KeyEntry>,
}

/// Returns the record that an equal command led to, or nothing when the names are fresh.
pub(crate) fn repeat(
    state: &State,
    prior: Prior,
    hash: RequestHash,
    id: ConflictField,
) -> Result<Option<Position>, Rejection> {
    let conflict = |first, field| {
        Err(Rejection::IdempotencyConflict {
            first: state.cursor(first),
            field,
        })
    };
    match (prior.key, prior.id) {
        (Some(key), _) if key.request_hash == hash => Ok(Some(key.first)),
        (Some(key), _) => conflict(key.first, ConflictField::IdempotencyKey),
        (None, Some(other)) => conflict(other.first, id),
        (None, None) => Ok(None),
    }
}
