//! Applying records about wakes.

use heronry_journal::{Record, WakeCancelled, WakeFailed, WakeRegistered, WakeTriggered};
use heronry_types::{Condition, Position};

use crate::{
    State,
    state::{Due, Earlier, Wake, WakeEnd},
};

pub(super) fn registered(
    state: &mut State,
    record: &Record,
    body: &WakeRegistered,
    condition: Option<&Condition>,
) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let wake = Wake {
        run: run.clone(),
        registered: body.clone(),
        condition: condition.cloned().map(Box::new),
        earlier: body.scan_to.map_or(Earlier::Seen, Earlier::Pending),
        end: None,
    };
    state.wakes.insert(record.position, wake);
    if let Some(at) = body.deadline {
        state
            .deadlines
            .insert(at, Due::WakeTimeout(record.position));
    }
    if let Some(member) = state.members.get_mut(run) {
        member.wakes.insert(record.position);
    }
}

pub(super) fn triggered(state: &mut State, record: &Record, body: &WakeTriggered) {
    let end = WakeEnd::Triggered {
        matches: body.matches.clone(),
    };
    finish(state, body.registered, record.position, end);
    // The last match is the event at which the condition came to hold.
    let by = body.matches.last().map(|by| by.position);
    state.wakes.unfinished = by.filter(|_| body.more_follow);
}

pub(super) fn timed_out(state: &mut State, record: &Record, registered: Position) {
    finish(state, registered, record.position, WakeEnd::TimedOut);
}

pub(super) fn cancelled(state: &mut State, record: &Record, body: &WakeCancelled) {
    finish(
        state,
        body.registered,
        record.position,
        WakeEnd::Cancelled {
            reason: body.reason,
        },
    );
}

pub(super) fn failed(state: &mut State, record: &Record, body: &WakeFailed) {
    let end = WakeEnd::Failed { why: body.why };
    finish(state, body.registered, record.position, end);
}

fn finish(state: &mut State, registered: Position, at: Position, end: WakeEnd) {
    let Some(wake) = state.wakes.end(registered, at, end) else {
        return;
    };
    let (run, deadline) = (wake.run.clone(), wake.registered.deadline);
    if let Some(deadline) = deadline {
        state
            .deadlines
            .remove(deadline, Due::WakeTimeout(registered));
    }
    if let Some(member) = state.members.get_mut(&run) {
        member.wakes.remove(&registered);
    }
}
