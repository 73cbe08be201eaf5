//! Engine scenarios through the public API, on every store.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "engine/smoke.rs"]
mod smoke;
