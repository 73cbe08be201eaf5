//! Reporting events.

use heronry_types::{Cursor, Durability, Generation, IdempotencyKey, NewEvent, RunId, SourceId};
use serde::{Deserialize, Serialize};

/// Reports a batch of events: all of them, in order and without a gap, or none. The body of
/// `POST …/events`. The idempotency key may come as a header instead.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::append_events())
)]
pub struct AppendEvents {
    /// The run that reports. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The events, at least one.
    pub events: Vec<NewEvent>,
    /// The idempotency key: the same key with the same events has the same outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// The foreign source that the events come from; each says its place there, and those that were taken
    /// before are left out. Absent: the run reports by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// The attachment of the bridge that reports from the source. Absent: no bridge has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_generation: Option<Generation>,
}

impl AppendEvents {
    /// Returns a batch of these events under this key.
    pub fn new(events: Vec<NewEvent>, idempotency_key: IdempotencyKey) -> Self {
        Self {
            run_id: None,
            events,
            idempotency_key: Some(idempotency_key),
            source: None,
            source_generation: None,
        }
    }
}

/// Events were reported. The answer of `POST …/events`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventsAppended {
    /// The cursor of the first event of the batch, which is also its id; the head when none was appended.
    pub first: Cursor,
    /// The cursor of the last event of the batch; those between stand side by side.
    pub last: Cursor,
    /// The number of events that were appended.
    pub count: u64,
    /// The durability of the store.
    pub durability: Durability,
    /// The number of further events of the request, which were taken from their source before.
    #[serde(default, skip_serializing_if = "is_none")]
    pub already_taken: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Publishes events without a record: those who follow the pool and ask for such events see them, and nobody
/// later. The body of `POST …/events/ephemeral`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::publish_ephemeral())
)]
pub struct PublishEphemeral {
    /// The run that reports. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The events, at least one; none of them of a kind that ends something.
    pub events: Vec<NewEvent>,
}

impl PublishEphemeral {
    /// Returns a request to publish these events.
    pub fn new(events: Vec<NewEvent>) -> Self {
        Self {
            run_id: None,
            events,
        }
    }
}

/// Events without a record were published. The answer of `POST …/events/ephemeral`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EphemeralPublished {
    /// The number of the first event. Numbers rise in a pool as long as its server runs.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// The number of events.
    pub count: u64,
    /// The cursor that they follow: readers see them once they have passed it.
    pub after: Cursor,
}
