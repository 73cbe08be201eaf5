//! An event that many readers share.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Event;

/// An event that many readers share. Cheap to clone; all clones are the same event, and its JSON is
/// written once for all of them.
#[derive(Clone)]
pub struct SharedEvent(Arc<WrittenOnce>);

struct WrittenOnce {
    event: Event,
    json: OnceLock<Box<[u8]>>,
}

impl SharedEvent {
    /// Returns the JSON of the event in one line, in UTF-8. The first call writes it.
    pub fn json(&self) -> &[u8] {
        self.0.json.get_or_init(|| {
            let mut text = Vec::with_capacity(1_024);
            write(&self.0.event, &mut text);
            text.into_boxed_slice()
        })
    }

    /// Adds the JSON of the event to `text`. What only this reader has is written right there, and not
    /// kept.
    pub fn write_json(&self, text: &mut Vec<u8>) {
        let is_shared = Arc::strong_count(&self.0) > 1 || self.0.json.get().is_some();
        if is_shared {
            text.extend_from_slice(self.json());
        } else {
            write(&self.0.event, text);
        }
    }

    /// Returns the event itself, copied when others share it.
    pub fn into_event(self) -> Event {
        match Arc::try_unwrap(self.0) {
            Ok(written) => written.event,
            Err(shared) => shared.event.clone(),
        }
    }
}

fn write(event: &Event, text: &mut Vec<u8>) {
    // Writing plain data into memory cannot fail.
    let _ = serde_json::to_writer(text, event);
}

impl From<Event> for SharedEvent {
    fn from(event: Event) -> Self {
        let json = OnceLock::new();
        Self(Arc::new(WrittenOnce { event, json }))
    }
}

impl Deref for SharedEvent {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.0.event
    }
}

impl fmt::Debug for SharedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.event.fmt(f)
    }
}

impl PartialEq for SharedEvent {
    fn eq(&self, other: &Self) -> bool {
        self.0.event == other.0.event
    }
}

impl Eq for SharedEvent {}

impl Serialize for SharedEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.event.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Event::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SharedEvent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Event::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Event::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use heronry_types::{
        Cursor, EntityKind, EntityRef, Epoch, EventKind, PoolId, Position, SourceKind, SourceRef,
        Timestamp,
    };

    use super::*;
    use crate::{Envelope, Identity, Stamp};

    fn event() -> Event {
        let pool = PoolId::parse("review").unwrap();
        let at = Cursor::new(Epoch([7; 16]), Position(4));
        let stamp = Stamp::new(at, Timestamp::from_millis(0));
        let subject = EntityRef::new(EntityKind::AgentPool, pool.retype());
        let source = SourceRef::new(SourceKind::Sdk, pool.retype());
        let kind = EventKind::AgentPoolRunJoined;
        Event::from(Envelope::new(
            stamp,
            kind,
            Identity::new(pool),
            subject,
            source,
        ))
    }

    #[test]
    fn the_json_is_the_events_shared_or_not() {
        let expected = serde_json::to_vec(&event()).unwrap();
        let alone = SharedEvent::from(event());
        let mut text = Vec::new();
        alone.write_json(&mut text);
        assert_eq!(text, expected);
        let other = alone.clone();
        text.clear();
        other.write_json(&mut text);
        assert_eq!((text.as_slice(), alone.json()), (&*expected, &*expected));
        assert_eq!(serde_json::to_vec(&alone).unwrap(), expected);
        assert_eq!(
            serde_json::from_slice::<SharedEvent>(&expected).unwrap(),
            alone
        );
    }

    #[test]
    fn an_event_is_taken_out_of_the_last_and_of_one_of_many() {
        let (one, other) = (SharedEvent::from(event()), SharedEvent::from(event()));
        let kept = other.clone();
        assert_eq!((one.into_event(), other.into_event()), (event(), event()));
        assert_eq!(*kept, event());
    }
}
