//! Records of events that members report. The run stands in the lineage.

use heronry_types::{
    AttemptId, ContentCapture, DestinationRef, EntityRef, EventKind, EventTag, IdempotencyKey,
    MessageId, Payload, Policies, PolicyRef, Position, PrivacyClass, Timestamp, TopicId,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

use crate::body::{RequestHash, SourceStep};

#[cfg(test)]
mod samples;

/// A batch of events that was reported in one request. It stands in the first of its records, and
/// the others follow it without a gap.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventBatch {
    /// The number of records in the batch.
    #[n(0)]
    pub count: u64,
    /// The key of the request.
    #[n(1)]
    pub idempotency_key: IdempotencyKey,
    /// The hash of the request.
    #[n(2)]
    pub request_hash: RequestHash,
}

/// A member reported an event.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationEvent {
    /// The kind of the event.
    #[n(0)]
    pub kind: EventKind,
    /// The batch, in its first record; absent in the others.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<EventBatch>,
    /// The time of the event, as the member claims it; absent when it claims none.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// The attempt of the turn.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The one message that the event is about.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The message that the event's message replies to.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The topic that the event belongs to.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicId>,
    /// Further records that led to the event, beside the one in the lineage.
    #[n(7)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causal: Vec<Position>,
    /// The entity that the event is about.
    #[n(8)]
    pub subject: EntityRef,
    /// Other entities that the event touches.
    #[n(9)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<EntityRef>,
    /// Tags, sorted and distinct.
    #[n(10)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<EventTag>,
    /// The destination of the event.
    #[n(11)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationRef>,
    /// The policies that the event falls under.
    #[n(12)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// The privacy class of the event.
    #[n(13)]
    pub privacy: PrivacyClass,
    /// The way in which the event captured content.
    #[n(14)]
    pub content_capture: ContentCapture,
    /// The policy by which something was taken out of the event.
    #[n(15)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redaction: Option<PolicyRef>,
    /// The payload of the event: never a body.
    #[n(16)]
    pub payload: Payload,
    /// The foreign source that the event comes from, and its place there. Absent: the member reported
    /// it by itself.
    #[n(17)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<SourceStep>,
}

impl RecordBody for ApplicationEvent {
    const NUMBER: u16 = 50;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        if self.from.is_some() { 2 } else { 1 }
    }

    fn event_kind(&self) -> EventKind {
        self.kind
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Entity(&self.subject)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Reported(self));
    }
}
