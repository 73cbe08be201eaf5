//! Data that many readers share, as an event.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{EphemeralEvent, Event};

/// An event that many readers share.
pub type SharedEvent = Shared<Event>;

/// An event without a record that many readers share.
pub type SharedEphemeral = Shared<EphemeralEvent>;

/// Plain data that many readers share. Cheap to clone; all clones are the same, and the JSON is written
/// once for all of them.
pub struct Shared<T>(Arc<WrittenOnce<T>>);

struct WrittenOnce<T> {
    data: T,
    json: OnceLock<Box<[u8]>>,
}

impl<T: Serialize> Shared<T> {
    /// Returns the JSON in one line, in UTF-8. The first call writes it.
    pub fn json(&self) -> &[u8] {
        self.0.json.get_or_init(|| {
            let mut text = Vec::with_capacity(1_024);
            write(&self.0.data, &mut text);
            text.into_boxed_slice()
        })
    }

    /// Returns true when the JSON is written already.
    pub fn is_written(&self) -> bool {
        self.0.json.get().is_some()
    }

    /// Adds the JSON to `text`. What only this reader has is written right there, and not kept.
    pub fn write_json(&self, text: &mut Vec<u8>) {
        let is_shared = Arc::strong_count(&self.0) > 1 || self.is_written();
        if is_shared {
            text.extend_from_slice(self.json());
        } else {
            write(&self.0.data, text);
        }
    }
}

impl SharedEvent {
    /// Returns the event itself, copied when others share it.
    pub fn into_event(self) -> Event {
        match Arc::try_unwrap(self.0) {
            Ok(written) => written.data,
            Err(shared) => shared.data.clone(),
        }
    }
}

fn write(data: &impl Serialize, text: &mut Vec<u8>) {
    // Writing plain data into memory cannot fail.
    let _ = serde_json::to_writer(text, data);
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(data: T) -> Self {
        let json = OnceLock::new();
        Self(Arc::new(WrittenOnce { data, json }))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.data
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.data.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.data == other.0.data
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.data.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Shared<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
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
