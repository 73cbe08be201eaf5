//! Applying records about wakes.

use heronry_journal::{
    Record, WakeCancelled, WakeFailed, WakeRecord, WakeRegistered, WakeTriggered,
};
use heronry_types::{Condition, Position};

use crate::{
    State,
    state::{Due, Earlier, Wake, WakeEnd},
    suspicion,
};

/// Applies a record that changes wakes, or what is suspected of those that wait.
pub(super) fn apply(state: &mut State, record: &Record, body: WakeRecord<'_>) {
    match body {
        WakeRecord::WakeRegistered(body) => registered(state, record, body, None),
        WakeRecord::ConditionRegistered(body) => {
            registered(state, record, &body.wake, Some(&body.condition));
        }
        WakeRecord::WakeScanned(body) => state.wakes.scanned(body.registered),
        WakeRecord::WakeTriggered(body) => triggered(state, record, body),
        WakeRecord::WakeTimedOut(body) => timed_out(state, record, body.registered),
        WakeRecord::WakeCancelled(body) => cancelled(state, record, body),
        WakeRecord::WakeFailed(body) => failed(state, record, body),
        WakeRecord::DeadlockSuspected(body) => suspicion::suspected(state, record, body),
        WakeRecord::WakeOrphaned(body) => suspicion::orphaned(state, record, body),
    }
}

fn registered(
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

fn triggered(state: &mut State, record: &Record, body: &WakeTriggered) {
    let end = WakeEnd::Triggered {
        matches: body.matches.clone(),
    };
    finish(state, body.registered, record.position, end);
    // The last match is the event at which the condition came to hold.
    let by = body.matches.last().map(|by| by.position);
    state.wakes.unfinished = by.filter(|_| body.more_follow);
}

fn timed_out(state: &mut State, record: &Record, registered: Position) {
    finish(state, registered, record.position, WakeEnd::TimedOut);
}

fn cancelled(state: &mut State, record: &Record, body: &WakeCancelled) {
    finish(
        state,
        body.registered,
        record.position,
        WakeEnd::Cancelled {
            reason: body.reason,
        },
    );
}

fn failed(state: &mut State, record: &Record, body: &WakeFailed) {
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
