//! Scenarios of the rules: each test says what a rule does in one case, and is named after the rule.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod departures;
mod leases;
mod members;
mod pools;
mod scenario;
