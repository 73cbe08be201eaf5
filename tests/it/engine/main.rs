//! Engine scenarios through the public API, on every store.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod app_events;
mod bad_input;
mod bridge;
mod bridge_handle;
mod bulk;
mod cancel;
mod ceilings;
mod consumer_resets;
mod consumers;
mod contents_once;
mod crash;
mod dead;
mod deletions;
mod delivery;
mod effects;
mod ephemeral;
mod erasures;
mod expiry;
mod exports;
mod faults;
mod finished;
mod hub;
mod idempotency;
mod inbox;
mod inbox_waits;
mod keeping;
mod keys;
mod kills;
mod leases;
mod leaving;
mod limits;
mod matching;
mod members;
mod model;
mod openings;
mod ownership;
mod policies;
mod pools;
mod reading;
mod receipts;
mod replies;
mod reply_rules;
mod reply_times;
mod resume;
mod resume_hook;
mod rooms;
mod scope;
mod send;
mod shared;
mod smoke;
mod stalls;
mod start_runs;
mod stops;
mod streams;
mod suspend;
mod suspending_wakes;
mod takeovers;
mod threads;
mod time;
mod trimmed_messages;
mod under_way;
mod unnamed_contents;
mod viewers;
mod waits_for;
mod wake_behind;
mod wake_conditions;
mod wake_costs;
mod wake_crowds;
mod wake_ends;
mod wake_explain;
mod wake_many;
mod wake_policies;
mod wake_races;
mod wake_scans;
mod wake_slices;
mod wake_summaries;
mod wakes;
