//! Applying records about the pool as a whole.

use heronry_journal::{EpochStarted, PoolCreated, PoolRecord, Record};
use heronry_types::{EpochReason, Settings, Timestamp};

use crate::{
    State,
    apply::message::inbox::{self, HOLD_MIN},
    state::{ClaimOf, CopySlot, Due},
};

/// Applies a record that changes the pool as a whole.
pub(super) fn apply(state: &mut State, record: &Record, body: PoolRecord<'_>) {
    match body {
        PoolRecord::PoolCreated(body) => created(state, body),
        PoolRecord::PoolConfigured(body) => configured(state, &body.settings, body.version),
        PoolRecord::EpochStarted(body) => epoch_started(state, record, body),
        PoolRecord::PoolResumed(_) => resumed(state, record),
    }
}

/// A timeline that begins in another place has a roster that nobody applied there yet.
fn epoch_started(state: &mut State, record: &Record, body: &EpochStarted) {
    state.timelines.start(record.position, body.epoch);
    match body.reason {
        EpochReason::Fork | EpochReason::Import | EpochReason::Copy | EpochReason::Restore => {
            state
                .roster
                .begin_elsewhere(record.position, &state.members);
        }
        EpochReason::TailLost => {}
    }
}

fn created(state: &mut State, body: &PoolCreated) {
    state.config = body.config.clone();
    configured(state, &body.settings, 1);
}

fn configured(state: &mut State, settings: &Settings, version: u64) {
    state.settings = settings.clone();
    state.settings_version = version;
}

/// Gives each live claim its term or [`HOLD_MIN`] from here on, whichever is shorter.
fn resumed(state: &mut State, record: &Record) {
    let now = record.recorded_at;
    let soon: Vec<_> = state
        .deadlines
        .due(now.after(HOLD_MIN))
        .filter_map(Due::lapse)
        .map(|ClaimOf { run, claim }| (run.clone(), claim))
        .collect();
    for (run, claim) in soon {
        if let Some(until) = held_until(state, ClaimOf { run: &run, claim }, now) {
            inbox::hold_until(state, &run, claim, until);
        }
    }
}

/// Until when a claim holds after a pause, when that is later than it held before.
fn held_until(
    state: &State,
    ClaimOf { run, claim }: ClaimOf<'_>,
    now: Timestamp,
) -> Option<Timestamp> {
    let receive = state.members.get(run)?.inbox.receives.get(&claim.fetched)?;
    let copy = state.messages.get(claim.accepted)?.copy_of(run)?;
    let CopySlot::Claimed { until, .. } = copy.slot else {
        return None;
    };
    let again = now.after(receive.claim_ms.min(HOLD_MIN));
    (again > until).then_some(again)
}
