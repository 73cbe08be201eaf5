//! Bodies that are stored by themselves.

use heronry_types::{ContentRef, Cursor, Digest, Durability, Timestamp};
use serde::{Deserialize, Serialize};

/// A body was stored. The answer of `PUT …/contents`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContentStored {
    /// The reference of the body, which messages name.
    pub content_ref: ContentRef,
    /// The media type of the body.
    pub media_type: String,
    /// The size of the body in bytes.
    pub size_bytes: u64,
    /// The cursor of the record that the body is stored; for a repeat that recorded nothing, the head.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
    /// The time at which the body was erased; only the repeat of an earlier request has it. Nothing
    /// is stored then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
}

/// The tombstone of a body that was erased. The answer of `DELETE …/contents/{ref}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContentErased {
    /// The reference that the body had.
    pub content_ref: ContentRef,
    /// The media type that the body had.
    pub media_type: String,
    /// The size that the body had, in bytes.
    pub size_bytes: u64,
    /// The BLAKE3 digest of the body's bytes, as 64 hex digits.
    pub digest: Digest,
    /// The time at which the body was erased; a repeat says the same.
    pub erased_at: Timestamp,
}
