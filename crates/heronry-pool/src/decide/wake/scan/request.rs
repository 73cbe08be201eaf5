//! The earlier events that are looked through for a wake.

use heronry_event::filter::Filter;
use heronry_types::{Condition, Position, RunId};

use crate::{State, decide::WakeEvents, state::Earlier};

/// Earlier events to look through before a wake is decided.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// Events after this position.
    pub after: Position,
    /// And up to this one.
    pub until: Position,
    /// The condition that is looked for.
    pub condition: Condition<Filter>,
    /// The choice to count events about wakes or not.
    pub wake_events: WakeEvents,
    /// The run whose view it is.
    pub run: RunId,
}

impl ScanRequest {
    /// Returns what is to be looked through for a wake that was registered before that was done.
    pub(crate) fn of_pending(state: &State, registered: Position) -> Option<Self> {
        let wake = state.wakes.get(registered)?;
        let Earlier::Pending(until) = wake.earlier else {
            return None;
        };
        let body = &wake.registered;
        let alone = || Condition::Filter(body.filter.clone());
        let condition = wake.condition.as_deref().cloned().unwrap_or_else(alone);
        // It was compiled when it was registered, and when the pool was opened.
        let compiled = condition.try_map(&mut |text: &String| Filter::compile(text));
        Some(Self {
            after: body.since,
            until,
            condition: compiled.ok()?,
            wake_events: WakeEvents::of(body),
            run: wake.run.clone(),
        })
    }
}
