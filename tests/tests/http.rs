//! The HTTP surface, black-box, on every store.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "http/support.rs"]
mod support;

#[path = "http/app_events.rs"]
mod app_events;
#[path = "http/bad_input.rs"]
mod bad_input;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/chosen_ids.rs"]
mod chosen_ids;
#[path = "http/connections.rs"]
mod connections;
#[path = "http/contents.rs"]
mod contents;
#[path = "http/contract.rs"]
mod contract;
#[path = "http/crafted.rs"]
mod crafted;
#[path = "http/cursors.rs"]
mod cursors;
#[path = "http/damaged_bodies.rs"]
mod damaged_bodies;
#[path = "http/dead.rs"]
mod dead;
#[path = "http/deletions.rs"]
mod deletions;
#[path = "http/effective_limits.rs"]
mod effective_limits;
#[path = "http/effects.rs"]
mod effects;
#[path = "http/events.rs"]
mod events;
#[path = "http/failure.rs"]
mod failure;
#[path = "http/headers.rs"]
mod headers;
#[path = "http/health.rs"]
mod health;
#[path = "http/identity.rs"]
mod identity;
#[path = "http/inbox.rs"]
mod inbox;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/lingering.rs"]
mod lingering;
#[path = "http/matrix.rs"]
mod matrix;
#[path = "http/members.rs"]
mod members;
#[path = "http/messages.rs"]
mod messages;
#[path = "http/plain_words.rs"]
mod plain_words;
#[path = "http/pools.rs"]
mod pools;
#[path = "http/prove.rs"]
mod prove;
#[path = "http/receipts.rs"]
mod receipts;
#[path = "http/replies.rs"]
mod replies;
#[path = "http/shares.rs"]
mod shares;
#[path = "http/strangers.rs"]
mod strangers;
#[path = "http/suspend.rs"]
mod suspend;
#[path = "http/timelines.rs"]
mod timelines;
#[path = "http/viewers.rs"]
mod viewers;
#[path = "http/wake_policies.rs"]
mod wake_policies;
#[path = "http/wakes.rs"]
mod wakes;
