//! An event as a member reports it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    AttemptId, ContentCapture, Correlation, Cursor, DestinationRef, EntityRef, EventKind, EventTag,
    MessageId, Payload, Policies, PolicyRef, PrivacyClass, SourcePosition, Timestamp, TopicId,
    TurnId,
};

/// An event as a member reports it. JSON: the names of the event, most left out.
///
/// The reporter is not named here: run, agent, session and source are known from the caller.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewEvent {
    /// The kind of the event; any kind outside the pool's own family.
    #[n(0)]
    pub kind: EventKind,
    /// The time of the event, as the member claims it. Absent: the time at which it is recorded.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// The turn of the run.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// The attempt of that turn.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// The one message that the event is about.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The message that the event's message replies to.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The topic that the event belongs to.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicId>,
    /// The event that led to this one.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<Cursor>,
    /// Further events that led to this one.
    #[n(8)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causal: Vec<Cursor>,
    /// The entity that the event is about. Absent: the run.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
    /// Other entities that the event touches.
    #[n(10)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<EntityRef>,
    /// Correlations.
    #[n(11)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Correlation::is_empty")]
    pub correlation: Correlation,
    /// The tags of the event: a set, in any order.
    #[n(12)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<EventTag>,
    /// The destination of the event.
    #[n(13)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationRef>,
    /// The policies that the event falls under; the member has to hold them.
    #[n(14)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// The privacy class of the event.
    #[n(15)]
    #[cbor(default)]
    #[serde(default)]
    pub privacy: PrivacyClass,
    /// The way in which the event captured content. Absent: it captured none.
    #[n(16)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_capture: Option<ContentCapture>,
    /// The policy by which something was taken out of the event.
    #[n(17)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<PolicyRef>,
    /// The payload of the event: never a body.
    #[n(18)]
    #[cbor(default)]
    #[serde(default)]
    pub payload: Payload,
    /// The place of the event in the foreign source that the batch names. Absent: the member reports it
    /// by itself.
    #[n(19)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_position: Option<SourcePosition>,
}

impl NewEvent {
    /// Returns an event about the run that reports it, with nothing but its kind.
    pub fn new(kind: EventKind) -> Self {
        Self {
            kind,
            occurred_at: None,
            turn: None,
            attempt: None,
            message: None,
            reply_to: None,
            topic: None,
            caused_by: None,
            causal: Vec::new(),
            subject: None,
            related: Vec::new(),
            correlation: Correlation::new(),
            tags: Vec::new(),
            destination: None,
            policies: Policies::default(),
            privacy: PrivacyClass::default(),
            content_capture: None,
            redaction: None,
            payload: Payload::EnvelopeOnly,
            source_position: None,
        }
    }

    /// Returns the event with its tags in order, each once: equal sets are equal then.
    #[must_use]
    pub fn with_sorted_tags(mut self) -> Self {
        self.tags.sort_unstable();
        self.tags.dedup();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_kind_and_what_is_said_beside_it() {
        let event = NewEvent::new(EventKind::ToolStarted);
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"kind":"tool_started","privacy":"content_refs_only","payload":{"type":"envelope_only"}}"#
        );
        assert_eq!(
            serde_json::from_str::<NewEvent>(r#"{"kind":"tool_started"}"#).unwrap(),
            event
        );
        for field in [
            "run",
            "agent",
            "session",
            "source",
            "recipients",
            "semantics",
            "body",
        ] {
            let json = format!(r#"{{"kind":"tool_started","{field}":"x"}}"#);
            let error = serde_json::from_str::<NewEvent>(&json).unwrap_err();
            assert!(error.to_string().contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn tags_are_a_set() {
        let tags = |tags: &[&str]| {
            let mut event = NewEvent::new(EventKind::ToolStarted);
            event.tags = tags
                .iter()
                .map(|tag| EventTag::parse(*tag).unwrap())
                .collect();
            event.with_sorted_tags()
        };
        assert_eq!(tags(&["b", "a", "b"]), tags(&["a", "b"]));
    }
}
