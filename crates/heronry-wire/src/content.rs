//! Bodies that are stored by themselves.

use heronry_types::{ContentRef, Cursor, Durability};
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
    /// The head when it was stored: a body stands beside the journal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// How safely the store keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
}
