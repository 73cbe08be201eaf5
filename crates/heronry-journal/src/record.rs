//! One record: what the journal keeps of one decision.

use heronry_types::{Actor, EventKind, Lineage, Position, Timestamp, Visibility};

use crate::Body;

/// One record of a pool's journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// When it was decided: the time of its chunk.
    pub recorded_at: Timestamp,
    /// What was decided.
    pub entry: Entry,
}

/// A record without its place: what a decision emits and what the bytes of a record hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Where it belongs, and what led to it.
    pub lineage: Lineage,
    /// Who was authenticated.
    pub actor: Actor,
    /// The author's half of the event's visibility.
    pub visibility: Visibility,
    /// What was decided.
    pub body: Body,
}

impl Record {
    /// Returns the kind of the record, which is the kind of its event.
    pub fn kind(&self) -> EventKind {
        self.entry.body.event_kind()
    }
}
