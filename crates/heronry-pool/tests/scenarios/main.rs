//! Scenarios of the rules: each test says what a rule does in one case, and is named after the rule.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod claims;
mod dead;
mod departures;
mod endings;
mod identity;
mod leases;
mod members;
mod messages;
mod order;
mod pools;
mod repeats;
mod replies;
mod scenario;
