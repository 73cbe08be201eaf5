//! Applying what is suspected of suspended runs. It changes nothing but what is shown.

use heronry_journal::{DeadlockSuspected, Record, WakeOrphaned};
use heronry_types::Position;

use crate::State;

pub(crate) fn suspected(state: &mut State, record: &Record, body: &DeadlockSuspected) {
    for run in &body.runs {
        if let Some(suspension) = state.members.suspension_mut(run) {
            suspension.suspected = Some(record.position);
        }
    }
}

pub(crate) fn orphaned(state: &mut State, record: &Record, body: &WakeOrphaned) {
    let run = record.entry.lineage.run.as_ref();
    let suspension = run.and_then(|run| state.members.suspension_mut(run));
    if let Some(suspension) = suspension.filter(|it| it.waits_for(body.registered)) {
        suspension.orphaned.push(body.registered);
    }
}

/// One of those runs is not suspended any more: the others do not wait only on each other.
pub(crate) fn over(state: &mut State, at: Position) {
    state.members.each_suspension(|suspension| {
        if suspension.suspected == Some(at) {
            suspension.suspected = None;
        }
    });
}

/// Somebody has come who may be able to resume them: what still holds is said again.
pub(crate) fn forget(state: &mut State) {
    state.members.each_suspension(|suspension| {
        suspension.suspected = None;
        suspension.orphaned.clear();
    });
}
