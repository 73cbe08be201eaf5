//! Bodies that are stored by themselves.

use heronry_types::{ContentRef, Cursor, Digest, Durability, Timestamp};
use serde::{Deserialize, Serialize};

/// A body was stored. The answer of `PUT …/contents`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContentStored {
    /// What to name it by.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub content_ref: ContentRef,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The record that it is stored; for a repeat that recorded nothing, the head.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// How safely the store keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
    /// When it was erased; only a repeat of an earlier request says so. Nothing is stored then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub erased_at: Option<Timestamp>,
}

/// What is left of a body that was erased. The answer of `DELETE …/contents/{ref}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContentErased {
    /// What it was named by.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub content_ref: ContentRef,
    /// The media type that it had.
    pub media_type: String,
    /// How many bytes it had.
    pub size_bytes: u64,
    /// The BLAKE3 digest of its bytes, as 64 hex digits.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// When it was erased; a repeat says the same.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub erased_at: Timestamp,
}
