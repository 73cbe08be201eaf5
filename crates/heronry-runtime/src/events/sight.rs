//! The view that a viewer has of records.

use heronry_event::{CloseReason, Event};
use heronry_journal::{Body, Record};
use heronry_pool::{decide::Viewer, project};
use heronry_types::{Payload, Position, RunId, Timelines, Visibility, WakePayload};

use super::EventQuery;

/// The request of a reader; it stays the same while the reader reads.
#[derive(Debug)]
pub(super) struct ReadRequest {
    pub(super) query: EventQuery,
    /// The most of an event's payload that the viewer sees.
    pub(super) payload: WakePayload,
}

/// A way in which a run departs, or is replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Departure {
    Left,
    Ended,
    TakenOver,
}

impl Departure {
    /// Returns the departure that a record is about.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let body = &record.entry.body;
        if matches!(body, Body::MemberLeft(_)) {
            Some(Self::Left)
        } else if matches!(body, Body::RunEnded(_)) {
            Some(Self::Ended)
        } else if matches!(body, Body::MemberTakenOver(_)) {
            Some(Self::TakenOver)
        } else {
            None
        }
    }
}

impl ReadRequest {
    /// Returns true when the viewer sees only what is in scope.
    pub(super) fn is_scoped(&self) -> bool {
        match self.query.viewer {
            Viewer::Operator => false,
            Viewer::Member { .. } | Viewer::AsMember { .. } => true,
        }
    }

    /// Returns the run with whose eyes the viewer looks.
    pub(super) fn viewing_run(&self) -> Option<&RunId> {
        match &self.query.viewer {
            Viewer::Operator => None,
            Viewer::Member { run, .. } | Viewer::AsMember { run, .. } => Some(run),
        }
    }

    /// Returns the event of a record, when this viewer sees it and wants it.
    pub(super) fn see(&self, timelines: &Timelines, record: &Record) -> Option<Event> {
        if self.is_scoped() && record.entry.visibility == Visibility::OutOfScope {
            return None;
        }
        let mut event = project(timelines, record);
        if !self.query.filter.matches(&event.envelope) {
            return None;
        }
        if is_reduced(&event.payload, self.payload) {
            event.payload = Payload::EnvelopeOnly;
        }
        Some(event)
    }

    /// Returns why the viewer sees nothing after this record, when it is about the viewer itself.
    pub(super) fn closes(&self, record: &Record) -> Option<CloseReason> {
        let run = record.entry.lineage.run.as_ref()?;
        let departure = Departure::of(record)?;
        self.closed_by(record.position, run, departure)
    }

    /// Returns why the viewer sees nothing after this position, when the run that departs there is the
    /// one with whose eyes it looks.
    pub(super) fn closed_by(
        &self,
        position: Position,
        departed: &RunId,
        departure: Departure,
    ) -> Option<CloseReason> {
        let (run, since, at_takeover) = match &self.query.viewer {
            Viewer::Operator => return None,
            Viewer::Member { run, generation } => (run, generation, Some(CloseReason::Revoked)),
            Viewer::AsMember { run, since } => (run, since, None),
        };
        if departed != run || position <= since.0 {
            return None;
        }
        match departure {
            Departure::Left => Some(CloseReason::Left),
            Departure::Ended => Some(CloseReason::RunEnded),
            Departure::TakenOver => at_takeover,
        }
    }
}

/// Returns true when the pool's wake policy does not let members see this payload.
pub(super) fn is_reduced(payload: &Payload, most: WakePayload) -> bool {
    match (payload, most) {
        (Payload::EnvelopeOnly, _)
        | (_, WakePayload::Refs)
        | (Payload::Summary { .. }, WakePayload::Summary) => false,
        (Payload::Refs { .. }, WakePayload::Summary) | (_, WakePayload::EnvelopeOnly) => true,
    }
}
