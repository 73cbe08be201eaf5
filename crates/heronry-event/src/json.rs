//! The flat JSON form of envelopes and events: one list of names for both directions.

use std::borrow::Cow;

use heronry_types::{
    AgentId, AttemptId, ContentCapture, Correlation, Cursor, DestinationRef, EntityRef,
    EventFamily, EventKind, EventSemantics, EventTag, Labels, MessageId, Payload, Policies,
    PolicyRef, PoolId, Position, PrivacyClass, RunId, SessionId, SourceRef, Timestamp, TopicId,
    Trace, TurnId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    About, Causes, Envelope, Event, Exchange, Governance, Identity, RECIPIENTS_SHOWN_MAX,
    Recipients, Route, Stamp,
};

/// An event: the view of one record that observers get.
// Field order is the order on the wire.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Flat<'a> {
    /// The id of the event: its cursor.
    id: Cursor,
    /// The cursor of the event's record.
    cursor: Cursor,
    /// The number of the event's record.
    position: Position,
    /// The family of the kind.
    family: EventFamily,
    /// The kind of the event.
    kind: EventKind,
    /// The time of the event, as its reporter claims it.
    occurred_at: Timestamp,
    /// The time at which the event was recorded.
    recorded_at: Timestamp,
    /// The pool.
    pool: PoolId,
    /// The run that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    /// The agent of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<AgentId>,
    /// The session of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    /// The turn of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<TurnId>,
    /// The attempt of the turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<AttemptId>,
    /// The one message that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<MessageId>,
    /// The message that the event's message replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    /// The topic that the event belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<TopicId>,
    /// The first 100 recipients.
    #[serde(default, skip_serializing_if = "<[RunId]>::is_empty")]
    recipients: Cow<'a, [RunId]>,
    /// The number of recipients; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipient_count: Option<u64>,
    /// The W3C trace that the request belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "trace_text")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Trace>"))]
    trace: Option<Trace>,
    /// The event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caused_by: Option<Cursor>,
    /// Further events that led to this one.
    #[serde(default, skip_serializing_if = "<[Cursor]>::is_empty")]
    causal: Cow<'a, [Cursor]>,
    /// The entity that the event is about.
    subject: Cow<'a, EntityRef>,
    /// Other entities that the event touches.
    #[serde(default, skip_serializing_if = "<[EntityRef]>::is_empty")]
    related: Cow<'a, [EntityRef]>,
    /// Correlations.
    #[serde(default, skip_serializing_if = "is_uncorrelated")]
    correlation: Cow<'a, Correlation>,
    /// The tags of the event.
    #[serde(default, skip_serializing_if = "<[EventTag]>::is_empty")]
    tags: Cow<'a, [EventTag]>,
    /// The labels that the run, or the pool, had when its structure changed so.
    #[serde(default, skip_serializing_if = "is_unlabelled")]
    labels: Cow<'a, Labels>,
    /// The source of the event.
    source: Cow<'a, SourceRef>,
    /// The destination of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<Cow<'a, DestinationRef>>,
    /// The policies that the event falls under.
    #[serde(default, skip_serializing_if = "is_ungoverned")]
    policies: Cow<'a, Policies>,
    /// The promise of the event.
    semantics: EventSemantics,
    /// The privacy class of the event.
    privacy: PrivacyClass,
    /// The way in which the event captured content.
    content_capture: ContentCapture,
    /// The policy by which something was taken out of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redaction: Option<Cow<'a, PolicyRef>>,
    /// The schema of the event's payload.
    payload_schema: Cow<'a, str>,
    /// The payload of the event: never a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, Payload>>,
}

fn is_uncorrelated(correlation: &Correlation) -> bool {
    correlation.is_empty()
}

fn is_unlabelled(labels: &Labels) -> bool {
    labels.is_empty()
}

fn is_ungoverned(policies: &Policies) -> bool {
    policies.is_empty()
}

/// A trace as `traceparent` text.
mod trace_text {
    use std::borrow::Cow;

    use heronry_types::Trace;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(
        clippy::ref_option,
        reason = "serde calls it with a reference to the field"
    )]
    pub(super) fn serialize<S: Serializer>(
        trace: &Option<Trace>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match trace {
            Some(trace) => serializer.collect_str(trace),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Trace>, D::Error> {
        Option::<Cow<'de, str>>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(de::Error::custom))
            .transpose()
    }
}

impl<'a> Flat<'a> {
    fn show(envelope: &'a Envelope, payload: Option<&'a Payload>) -> Self {
        let Envelope {
            stamp,
            kind,
            identity,
            exchange,
            causes,
            about,
            route,
            governance,
        } = envelope;
        let recipients: &[RunId] = &exchange.recipients;
        let shown = recipients.get(..RECIPIENTS_SHOWN_MAX);
        let count = exchange.recipients.count();
        Self {
            id: stamp.cursor,
            cursor: stamp.cursor,
            position: stamp.cursor.position,
            family: kind.family(),
            kind: *kind,
            occurred_at: stamp.occurred_at,
            recorded_at: stamp.recorded_at,
            pool: identity.pool.clone(),
            run: identity.run.clone(),
            agent: identity.agent.clone(),
            session: identity.session.clone(),
            turn: identity.turn.clone(),
            attempt: identity.attempt.clone(),
            message: exchange.message.clone(),
            reply_to: exchange.reply_to.clone(),
            topic: exchange.topic.clone(),
            recipients: Cow::Borrowed(shown.unwrap_or(recipients)),
            recipient_count: (count > 0).then_some(count),
            trace: causes.trace,
            caused_by: causes.caused_by,
            causal: Cow::Borrowed(&causes.causal),
            subject: Cow::Borrowed(&about.subject),
            related: Cow::Borrowed(&about.related),
            correlation: Cow::Borrowed(&about.correlation),
            tags: Cow::Borrowed(&about.tags),
            labels: Cow::Borrowed(&about.labels),
            source: Cow::Borrowed(&route.source),
            destination: route.destination.as_ref().map(Cow::Borrowed),
            policies: Cow::Borrowed(&governance.policies),
            semantics: governance.semantics,
            privacy: governance.privacy,
            content_capture: governance.content_capture,
            redaction: governance.redaction.as_ref().map(Cow::Borrowed),
            payload_schema: Cow::Borrowed(&governance.payload_schema),
            payload: payload.map(Cow::Borrowed),
        }
    }

    /// Refuses an event whose derived fields contradict what they are derived from.
    fn check(&self) -> Result<(), &'static str> {
        if self.id != self.cursor {
            return Err("id and cursor differ; an event's id is its cursor");
        }
        if self.position != self.cursor.position {
            return Err("position is not the position of cursor");
        }
        if self.family != self.kind.family() {
            return Err("family is not the family of kind");
        }
        Ok(())
    }

    fn into_parts(self) -> Result<(Envelope, Option<Payload>), &'static str> {
        self.check()?;
        let envelope = Envelope {
            stamp: Stamp {
                cursor: self.cursor,
                occurred_at: self.occurred_at,
                recorded_at: self.recorded_at,
            },
            kind: self.kind,
            identity: Identity {
                pool: self.pool,
                run: self.run,
                agent: self.agent,
                session: self.session,
                turn: self.turn,
                attempt: self.attempt,
            },
            exchange: Exchange {
                message: self.message,
                reply_to: self.reply_to,
                topic: self.topic,
                recipients: Recipients::of_total(
                    self.recipients.into_owned(),
                    self.recipient_count,
                ),
            },
            causes: Causes {
                trace: self.trace,
                caused_by: self.caused_by,
                causal: self.causal.into_owned(),
            },
            about: About {
                subject: self.subject.into_owned(),
                related: self.related.into_owned(),
                correlation: self.correlation.into_owned(),
                tags: self.tags.into_owned(),
                labels: self.labels.into_owned(),
            },
            route: Route {
                source: self.source.into_owned(),
                destination: self.destination.map(Cow::into_owned),
            },
            governance: Governance {
                policies: self.policies.into_owned(),
                semantics: self.semantics,
                privacy: self.privacy,
                content_capture: self.content_capture,
                redaction: self.redaction.map(Cow::into_owned),
                payload_schema: Cow::Owned(self.payload_schema.into_owned()),
            },
        };
        Ok((envelope, self.payload.map(Cow::into_owned)))
    }
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat::show(self, None).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        let (envelope, _payload) = flat.into_parts().map_err(de::Error::custom)?;
        Ok(envelope)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat::show(&self.envelope, Some(&self.payload)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        let (envelope, payload) = flat.into_parts().map_err(de::Error::custom)?;
        let payload = payload.ok_or_else(|| de::Error::missing_field("payload"))?;
        Ok(Self { envelope, payload })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Event {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Flat::json_schema(generator);
        // An envelope may stand alone, without a payload; an event has one.
        let required = schema.get_mut("required");
        if let Some(required) = required.and_then(|it| it.as_array_mut()) {
            required.push("payload".into());
        }
        schema
    }
}
