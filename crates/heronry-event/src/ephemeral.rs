//! Events without a record: shown live, and never again.

use std::collections::BTreeMap;

use heronry_types::{Cursor, EventKind, OverflowPolicy, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::{Map, Value, json};

use crate::Event;

/// The fields of an event that say where it is recorded: an event without a record has none of them.
const PLACE: [&str; 4] = ["id", "cursor", "position", "recorded_at"];

/// An event without a record. It is shown to who follows, after the record that it follows.
///
/// JSON: `ephemeral` (its number), `after`, `published_at` and `event`, which has every field of an event but
/// `id`, `cursor`, `position` and `recorded_at`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EphemeralEvent {
    /// The number of the event among those without a record. Numbers rise in a pool as long as its server runs.
    pub number: u64,
    /// The event. The cursor in its envelope is that of the record which it follows: readers see it only after
    /// they have passed that one.
    pub event: Event,
}

impl EphemeralEvent {
    /// Returns the cursor of the record after which it may be shown.
    pub fn after(&self) -> Cursor {
        self.event.envelope.id()
    }

    /// Returns the time at which it was published.
    pub fn published_at(&self) -> Timestamp {
        self.event.envelope.stamp.recorded_at
    }
}

/// The JSON form.
#[derive(Deserialize, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(title = "StreamEphemeral")
)]
struct EphemeralForm {
    /// The number of the event among those without a record. Numbers rise in a pool as long as its server runs.
    ephemeral: u64,
    /// The cursor of the record that it follows.
    after: Cursor,
    /// The time at which it was published.
    published_at: Timestamp,
    /// The event, without the fields that say where it is recorded.
    event: Map<String, Value>,
}

impl Serialize for EphemeralEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = serde_json::to_value(&self.event).map_err(ser::Error::custom)?;
        let mut event = match event {
            Value::Object(fields) => fields,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                return Err(ser::Error::custom("an event is an object"));
            }
        };
        event.retain(|name, _| !PLACE.contains(&name.as_str()));
        let form = EphemeralForm {
            ephemeral: self.number,
            after: self.after(),
            published_at: self.published_at(),
            event,
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EphemeralEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut form = EphemeralForm::deserialize(deserializer)?;
        if let Some(name) = PLACE.iter().find(|name| form.event.contains_key(**name)) {
            let why = format_args!("an event without a record has no {name}");
            return Err(de::Error::custom(why));
        }
        let place = [
            ("id", json!(form.after)),
            ("cursor", json!(form.after)),
            ("position", json!(form.after.position)),
            ("recorded_at", json!(form.published_at)),
        ];
        form.event
            .extend(place.map(|(name, value)| (name.to_owned(), value)));
        let event = serde_json::from_value(Value::Object(form.event)).map_err(de::Error::custom)?;
        Ok(Self {
            number: form.ephemeral,
            event,
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EphemeralEvent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EphemeralEvent".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut event = Event::json_schema(generator);
        for list in ["properties", "required"] {
            let fields = event.get_mut(list);
            let Some(fields) = fields else { continue };
            if let Some(properties) = fields.as_object_mut() {
                properties.retain(|name, _| !PLACE.contains(&name.as_str()));
            }
            if let Some(names) = fields.as_array_mut() {
                names.retain(|name| !PLACE.iter().any(|place| name == place));
            }
        }
        event.insert(
            "description".to_owned(),
            "The event, without the fields that say where it is recorded.".into(),
        );
        let mut schema = EphemeralForm::json_schema(generator);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.insert("event".to_owned(), event.into());
        }
        schema
    }
}

/// Events without a record that were dropped because their reader was too slow for them. They concerned this
/// reader, and stood side by side among those that did.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DroppedEphemeral {
    /// The number of events.
    pub dropped: u64,
    /// The number of the first event.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// The policy by which they were dropped.
    pub policy: OverflowPolicy,
    /// The number of events of each kind, when the policy sums them up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<EventKind, u64>,
}
