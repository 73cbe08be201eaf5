//! Scenarios of the rules: each test says what a rule does in one case, and is named after the rule.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod claims;
mod conditions;
mod contents;
mod cursors;
mod dead;
mod departures;
mod dormant;
mod effects;
mod endings;
mod events;
mod golden;
mod identity;
mod leases;
mod looks;
mod members;
mod messages;
mod order;
mod peering;
mod pools;
mod repeats;
mod replies;
mod room;
mod roster;
mod scenario;
mod sources;
mod stalls;
mod suspending_wakes;
mod suspensions;
mod wake_ends;
mod wakes;
mod wiring;
