//! Trimming a journal, and taking snapshots.

use heronry_types::{Cursor, Millis};
use serde::{Deserialize, Serialize};

/// Asks to drop records at the start of a journal. The body of `POST …/trim`; names either `upto` or `age_ms`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::trim())
)]
pub struct Trim {
    /// The cursor up to which records go, as far as whole chunks end there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upto: Option<Cursor>,
    /// The age in milliseconds beyond which records go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<Millis>,
    /// True when records go that a consumer or a wake still needs: they get a gap, or a typed error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// The journal was trimmed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JournalTrimmed {
    /// The lowest cursor that can be read from.
    pub floor: Cursor,
    /// The head of the pool.
    pub head: Cursor,
}

/// A snapshot was taken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SnapshotTaken {
    /// The cursor whose state it is.
    pub at: Cursor,
    /// Its size in bytes.
    pub bytes: u64,
}
