//! Processes that meet garbage and damage. They have a test program of their own: a process that is
//! being started holds for a moment what this one has open, locks of stores included.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "stores/depth.rs"]
mod depth;
#[path = "stores/flips.rs"]
mod flips;
#[path = "stores/garbage/commands.rs"]
mod garbage;
#[path = "stores/garbage/mutate.rs"]
mod mutate;
#[expect(dead_code, reason = "the tests of the stores use the rest of it")]
#[path = "stores/place.rs"]
mod place;
#[expect(dead_code, reason = "the end-to-end tests use the rest of it")]
#[path = "e2e/support.rs"]
mod support;
#[path = "stores/verify.rs"]
mod verify;
