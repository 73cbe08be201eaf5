//! Records of events that members report. The run stands in the lineage.

use heronry_types::{
    AttemptId, ContentCapture, DestinationRef, EntityRef, EventKind, EventTag, IdempotencyKey,
    MessageId, Payload, Policies, PolicyRef, Position, PrivacyClass, Timestamp, TopicId,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{Noun, RecordBody, Subject, Touch};

use crate::body::RequestHash;

/// A batch of events that was reported in one request. It stands in the first of its records, and
/// the others follow it without a gap.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventBatch {
    /// How many records it has.
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
    /// What happened.
    #[n(0)]
    pub kind: EventKind,
    /// The batch that it is the first of.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<EventBatch>,
    /// When it happened, as the member claims.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// The attempt of the turn.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The one message that it is about.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The message that this one replies to.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The topic that it belongs to.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicId>,
    /// Further records that led to it, beside the one in the lineage.
    #[n(7)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causal: Vec<Position>,
    /// What it is about.
    #[n(8)]
    pub subject: EntityRef,
    /// Other things that it touches.
    #[n(9)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<EntityRef>,
    /// Tags, sorted and distinct.
    #[n(10)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<EventTag>,
    /// Where it goes.
    #[n(11)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationRef>,
    /// The policies that it falls under.
    #[n(12)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// How closely it is kept.
    #[n(13)]
    pub privacy: PrivacyClass,
    /// How it captured content.
    #[n(14)]
    pub content_capture: ContentCapture,
    /// The policy by which something was taken out of it.
    #[n(15)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redaction: Option<PolicyRef>,
    /// What it carries: never a body.
    #[n(16)]
    pub payload: Payload,
}

impl RecordBody for ApplicationEvent {
    const NUMBER: u16 = 50;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Nothing;

    fn version(&self) -> u16 {
        1
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
