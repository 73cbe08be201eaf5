//! The mark beside a store: a journal that lost its end is told from one that did not.
//!
//! `HERONRY_RESTARTS` says how many restarts and crashes are gone through without a false alarm: 300 is the
//! default; `HERONRY_FLIPS` how often a killed store is harmed: 100 is the default.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod alarms;
mod exact;
mod killed;
mod lost;
mod place;
