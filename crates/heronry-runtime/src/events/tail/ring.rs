//! The recent events of a pool, each decoded and projected once.

use std::{collections::VecDeque, sync::OnceLock};

use heronry_event::{Event, SharedEvent};
use heronry_journal::Record;
use heronry_pool::project;
use heronry_types::{Payload, Position, RunId, Timelines, Visibility, WakePayload};

use super::{EventRoom, mailbox::SizedEvent};
use crate::events::sight::{Departure, is_reduced};

/// A record as readers near the head share it.
#[derive(Debug)]
pub(crate) struct TailEvent {
    event: SharedEvent,
    /// The event without its payload, for viewers that see none of it.
    bare: OnceLock<SharedEvent>,
    visibility: Visibility,
    departure: Option<Departure>,
    /// About the size of the record in bytes.
    bytes: usize,
}

/// A run that departs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departing<'a> {
    pub(super) run: &'a RunId,
    pub(super) departure: Departure,
}

impl TailEvent {
    /// Projects a record of about this many bytes.
    pub(super) fn of(timelines: &Timelines, record: &Record, bytes: usize) -> Self {
        Self {
            event: project(timelines, record).into(),
            bare: OnceLock::new(),
            visibility: record.entry.visibility,
            departure: Departure::of(record),
            bytes,
        }
    }

    pub(super) fn position(&self) -> Position {
        self.event.envelope.id().position
    }

    pub(super) fn event(&self) -> &Event {
        &self.event
    }

    /// Returns true when a viewer that sees only what is in scope does not see it.
    pub(super) fn is_out_of_scope(&self) -> bool {
        self.visibility == Visibility::OutOfScope
    }

    /// Returns the departure of a run that this event is about.
    pub(super) fn departs(&self) -> Option<Departing<'_>> {
        Some(Departing {
            run: self.event.envelope.identity.run.as_ref()?,
            departure: self.departure?,
        })
    }

    /// Returns the event as it waits for a viewer that sees at most this much of its payload.
    pub(super) fn sized(&self, most: WakePayload) -> SizedEvent {
        SizedEvent {
            event: self.shown(most),
            bytes: self.bytes,
        }
    }

    /// Returns the event with at most this much of its payload.
    fn shown(&self, most: WakePayload) -> SharedEvent {
        if !is_reduced(&self.event.payload, most) {
            return self.event.clone();
        }
        let bare = || Event::new(self.event.envelope.clone(), Payload::EnvelopeOnly).into();
        self.bare.get_or_init(bare).clone()
    }
}

/// The newest events, without a gap between them.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<TailEvent>,
    bytes: usize,
    /// The position before the oldest event.
    below: Position,
}

impl Ring {
    /// Returns a ring to which the event after this position comes first.
    pub(super) fn after(below: Position) -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            below,
        }
    }

    /// Adds the next event, and lets the oldest ones go until the others have room.
    pub(super) fn push(&mut self, event: TailEvent, room: EventRoom) {
        self.bytes += event.bytes;
        self.events.push_back(event);
        while self.events.len() > room.events || self.bytes > room.bytes {
            let Some(oldest) = self.events.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes;
            self.below = oldest.position();
        }
    }

    /// Returns the events after a position; nothing when one of them is gone.
    pub(super) fn since(
        &self,
        after: Position,
    ) -> Option<impl ExactSizeIterator<Item = &TailEvent>> {
        let skipped = after.0.checked_sub(self.below.0)?;
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        Some(self.events.range(skipped.min(self.events.len())..))
    }
}
