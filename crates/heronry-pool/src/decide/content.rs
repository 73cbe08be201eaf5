//! Rules about bodies: storing and erasing them.

mod erase;
pub(super) mod store;

pub use erase::{EraseContent, ErasureAccess};
pub use store::{AdmitBody, ContentShare, StoreContent, counted_bytes};
