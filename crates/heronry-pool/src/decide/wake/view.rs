//! The events that the waiter of a wake sees.

use heronry_journal::Body;
use heronry_types::{EventKind, Position, RunId};

use crate::State;

/// Returns true when a run is a member whose view shows the events of the pool.
pub(crate) fn sees(state: &State, run: &RunId) -> bool {
    state
        .members
        .get(run)
        .is_some_and(|member| member.policies.covers(&state.config.policies))
}

/// Returns true for the kinds that a wake takes only when it asks for them.
pub(crate) fn is_about_wakes(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::WakeConditionRegistered
            | EventKind::WakeConditionScanned
            | EventKind::WakeConditionTriggered
            | EventKind::WakeConditionTimedOut
            | EventKind::WakeConditionCancelled
            | EventKind::WakeConditionFailed
            | EventKind::WakeConditionOrphaned
            | EventKind::RunSuspended
            | EventKind::RunResumed
    )
}

/// Returns true when a record suspends a run for this wake: as its registration, this is no event for it.
pub(crate) fn is_suspension_for(body: &Body, registered: Position) -> bool {
    matches!(body, Body::RunSuspended(body) if body.wakes.iter().any(|it| it.registered == registered))
}
