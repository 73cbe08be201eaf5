//! The HTTP surface, black-box, on every store.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod app_events;
mod bad_input;
mod bodies;
mod chosen_ids;
mod connections;
mod consumers;
mod contents;
mod contract;
mod crafted;
mod cursors;
mod damaged_bodies;
mod dead;
mod deletions;
mod document;
mod effective_limits;
mod effects;
mod ephemeral;
mod events;
mod examples;
mod failure;
mod figures;
mod headers;
mod health;
mod identity;
mod inbox;
mod limits;
mod lingering;
mod matrix;
mod members;
mod messages;
mod plain_words;
mod pools;
mod prove;
mod receipts;
mod replies;
mod rosters;
mod shares;
mod sources;
mod strangers;
mod suspend;
mod timelines;
mod trims;
mod trips;
mod viewers;
mod wake_policies;
mod wakes;
mod wiring;
