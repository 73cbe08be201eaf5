//! Applying that runs are suspended and resumed.

use heronry_journal::{Record, RunSuspended};
use heronry_types::{Position, RunId, Timestamp};

use crate::{
    State,
    apply::message::inbox::{self, HOLD_MIN},
    state::{ClaimOf, CopySlot, Due, Suspension},
    suspicion,
};

/// Suspends a run, or lets its suspension wait for something else. What it holds does not lapse.
pub(in crate::apply) fn suspended(state: &mut State, record: &Record, body: &RunSuspended) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let Some(member) = state.members.get(run) else {
        return;
    };
    for claim in member.inbox.held().collect::<Vec<_>>() {
        inbox::hold_until(state, run, claim, Timestamp::LAST);
    }
    over(state, run);
    if let Some(until) = body.until {
        state.deadlines.insert(until, Due::Suspended(run.clone()));
    }
    let suspension = Suspension {
        position: record.position,
        wakes: body.wakes.clone(),
        until: body.until,
        suspected: None,
        orphaned: Vec::new(),
    };
    state.members.set_suspended(run, Some(suspension));
}

/// Lets a run go on: each claim that it held when it was suspended holds for its term again.
pub(super) fn resumed(state: &mut State, record: &Record, run: &RunId) {
    if over(state, run).is_none() {
        return;
    }
    let Some(member) = state.members.get(run) else {
        return;
    };
    for claim in member.inbox.held().collect::<Vec<_>>() {
        if let Some(until) = held_until(state, ClaimOf { run, claim }, record.recorded_at) {
            inbox::hold_until(state, run, claim, until);
        }
    }
}

/// The run is not suspended any more, if it was; its claims are the caller's.
pub(super) fn over(state: &mut State, run: &RunId) -> Option<Position> {
    let suspension = state.members.set_suspended(run, None)?;
    if let Some(at) = suspension.suspected {
        suspicion::over(state, at);
    }
    if let Some(until) = suspension.until {
        state.deadlines.remove(until, Due::Suspended(run.clone()));
    }
    Some(suspension.position)
}

/// Until when a claim holds that had no end: for its term again, but past the expiry of its message
/// no longer than every claim is held for.
fn held_until(
    state: &State,
    ClaimOf { run, claim }: ClaimOf<'_>,
    now: Timestamp,
) -> Option<Timestamp> {
    let term = state
        .members
        .get(run)?
        .inbox
        .receives
        .get(&claim.fetched)?
        .claim_ms;
    let message = state.messages.get(claim.accepted)?;
    let CopySlot::Claimed {
        until: Timestamp::LAST,
        ..
    } = message.copy_of(run)?.slot
    else {
        return None;
    };
    let again = now.after(term);
    let least = now.after(term.min(HOLD_MIN));
    let expires = message.accepted.expires_at;
    Some(expires.map_or(again, |expires| again.min(expires.max(least))))
}
