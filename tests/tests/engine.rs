//! Engine scenarios through the public API, on every store.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "engine/app_events.rs"]
mod app_events;
#[path = "engine/bad_input.rs"]
mod bad_input;
#[path = "engine/bulk.rs"]
mod bulk;
#[path = "engine/cancel.rs"]
mod cancel;
#[path = "engine/ceilings.rs"]
mod ceilings;
#[path = "engine/claims.rs"]
mod claims;
#[path = "engine/contents_once.rs"]
mod contents_once;
#[path = "engine/crash.rs"]
mod crash;
#[path = "engine/dead.rs"]
mod dead;
#[path = "engine/deletions.rs"]
mod deletions;
#[path = "engine/delivery.rs"]
mod delivery;
#[path = "engine/effects.rs"]
mod effects;
#[path = "engine/erasures.rs"]
mod erasures;
#[path = "engine/expiry.rs"]
mod expiry;
#[path = "engine/faults.rs"]
mod faults;
#[path = "engine/finished.rs"]
mod finished;
#[path = "engine/idempotency.rs"]
mod idempotency;
#[path = "engine/identity.rs"]
mod identity;
#[path = "engine/inbox.rs"]
mod inbox;
#[path = "engine/inbox_waits.rs"]
mod inbox_waits;
#[path = "engine/kills.rs"]
mod kills;
#[path = "engine/leases.rs"]
mod leases;
#[path = "engine/leaving.rs"]
mod leaving;
#[path = "engine/limits.rs"]
mod limits;
#[path = "engine/matching.rs"]
mod matching;
#[path = "engine/members.rs"]
mod members;
#[path = "engine/model.rs"]
mod model;
#[path = "engine/ownership.rs"]
mod ownership;
#[path = "engine/policies.rs"]
mod policies;
#[path = "engine/pools.rs"]
mod pools;
#[path = "engine/reading.rs"]
mod reading;
#[path = "engine/receipts.rs"]
mod receipts;
#[path = "engine/replies.rs"]
mod replies;
#[path = "engine/reply_rules.rs"]
mod reply_rules;
#[path = "engine/reply_times.rs"]
mod reply_times;
#[path = "engine/resume.rs"]
mod resume;
#[path = "engine/resume_hook.rs"]
mod resume_hook;
#[path = "engine/scope.rs"]
mod scope;
#[path = "engine/selected.rs"]
mod selected;
#[path = "engine/send.rs"]
mod send;
#[path = "engine/smoke.rs"]
mod smoke;
#[path = "engine/stalls.rs"]
mod stalls;
#[path = "engine/start_runs.rs"]
mod start_runs;
#[path = "engine/stops.rs"]
mod stops;
#[path = "engine/streams.rs"]
mod streams;
#[path = "engine/suspend.rs"]
mod suspend;
#[path = "engine/suspending_wakes.rs"]
mod suspending_wakes;
#[path = "engine/takeovers.rs"]
mod takeovers;
#[path = "engine/threads.rs"]
mod threads;
#[path = "engine/time.rs"]
mod time;
#[path = "engine/under_way.rs"]
mod under_way;
#[path = "engine/unnamed_contents.rs"]
mod unnamed_contents;
#[path = "engine/viewers.rs"]
mod viewers;
#[path = "engine/waits_for.rs"]
mod waits_for;
#[path = "engine/wake_behind.rs"]
mod wake_behind;
#[path = "engine/wake_conditions.rs"]
mod wake_conditions;
#[path = "engine/wake_costs.rs"]
mod wake_costs;
#[path = "engine/wake_crowds.rs"]
mod wake_crowds;
#[path = "engine/wake_ends.rs"]
mod wake_ends;
#[path = "engine/wake_explain.rs"]
mod wake_explain;
#[path = "engine/wake_many.rs"]
mod wake_many;
#[path = "engine/wake_policies.rs"]
mod wake_policies;
#[path = "engine/wake_races.rs"]
mod wake_races;
#[path = "engine/wake_scans.rs"]
mod wake_scans;
#[path = "engine/wake_slices.rs"]
mod wake_slices;
#[path = "engine/wake_summaries.rs"]
mod wake_summaries;
#[path = "engine/wakes.rs"]
mod wakes;
