//! A pool that is kept as it was declared, through the public API, on every store.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod building;
mod members;
mod restarts;
mod scene;
mod shutdowns;
mod sleepers;
mod stewards;
mod wiring;
