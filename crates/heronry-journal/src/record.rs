//! A record, as the journal keeps it: a part of one decision.

use heronry_types::{Actor, EventKind, Lineage, Position, Timestamp, Visibility};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Body, codec};

/// One record of a pool's journal.
///
/// JSON: `position`, `recorded_at` and the fields of [`Entry`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Record {
    /// The position of the record.
    pub position: Position,
    /// The time at which the record was decided: the time of its chunk.
    pub recorded_at: Timestamp,
    /// The record without its place.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A record without its place: a decision emits it, and the bytes of a record hold it.
///
/// JSON: `kind` (the wire name of its event), `number` and `version` of its schema, `lineage`,
/// `actor`, `visibility`, `body`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The lineage: the pool and run that the record belongs to, and the record that led to it.
    pub lineage: Lineage,
    /// The identity that was authenticated.
    pub actor: Actor,
    /// The author's half of the event's visibility.
    pub visibility: Visibility,
    /// The body: the decision itself.
    pub body: Body,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Entry", 7)?;
        view.serialize_field("kind", &self.body.event_kind())?;
        view.serialize_field("number", &self.body.number())?;
        view.serialize_field("version", &self.body.version())?;
        view.serialize_field("lineage", &self.lineage)?;
        view.serialize_field("actor", &self.actor)?;
        view.serialize_field("visibility", &self.visibility)?;
        view.serialize_field("body", &self.body)?;
        view.end()
    }
}

impl Entry {
    /// Returns the bytes that this build encodes the record to.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(codec::len(self));
        codec::encode(self, &mut bytes);
        bytes
    }
}

impl Record {
    /// Returns the kind of the record, which is the kind of its event.
    pub fn kind(&self) -> EventKind {
        self.entry.body.event_kind()
    }
}
