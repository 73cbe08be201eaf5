//! Stores against a model of what their ports promise; damage of stored bits; garbage at every decoder.
//!
//! `PROPTEST_CASES` deepens every test here: 256 is the default, 2560 means ten times as much.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and what it does not name is all the same to it"
)]

#[path = "stores/bits.rs"]
mod bits;
#[path = "stores/depth.rs"]
mod depth;
#[path = "stores/flips.rs"]
mod flips;
#[path = "stores/garbage.rs"]
mod garbage;
#[path = "stores/io_errors.rs"]
mod io_errors;
#[path = "stores/machine.rs"]
mod machine;
#[path = "stores/newer.rs"]
mod newer;
#[path = "stores/place.rs"]
mod place;
#[path = "stores/reconnects.rs"]
mod reconnects;
