//! Stores against a model of what their ports promise; damage of stored bits; garbage at every decoder.
//!
//! `PROPTEST_CASES` deepens every test here: 256 is the default, 2560 means ten times as much.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and what it does not name is all the same to it"
)]

mod bits;
mod garbage;
mod io_errors;
mod layers;
mod machine;
mod newer;
mod reconnects;
