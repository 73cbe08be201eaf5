//! The items of a foreign stream.

use heronry_types::{IdempotencyKey, NewEvent, NewSourceGap, RunId, SourcePosition};

/// An event of a source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceEvent {
    /// The place of the event in its source.
    pub position: SourcePosition,
    /// The run that the event is of. `None`: the one on whose behalf the bridge reports.
    pub run: Option<RunId>,
    /// The event. Its session is that of its run.
    pub event: NewEvent,
}

/// The next thing that a source says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SourceItem {
    /// An event.
    Event(Box<SourceEvent>),
    /// The source dropped events, because they were not taken from it in time.
    Lagged {
        /// The number of events that it dropped.
        missed: u64,
    },
    /// Something of the source cannot be taken.
    Missing(Box<MissingItem>),
}

/// Something of a source that cannot be taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingItem {
    /// The gap.
    pub gap: NewSourceGap,
    /// The key under which the gap is recorded once, also by a later bridge. `None`: the one of its
    /// place, behind the event before it.
    pub key: Option<IdempotencyKey>,
}

impl SourceItem {
    /// Returns the item of an event at a place.
    pub fn event(position: SourcePosition, event: NewEvent) -> Self {
        Self::Event(Box::new(SourceEvent {
            position,
            run: None,
            event,
        }))
    }
}
