//! The flat JSON form of envelopes and events: one list of names for both directions.

use std::borrow::Cow;

use heronry_types::{
    AgentId, AttemptId, ContentCapture, Correlation, Cursor, DestinationRef, EntityRef,
    EventFamily, EventKind, EventSemantics, EventTag, MessageId, Payload, Policies, PolicyRef,
    PoolId, Position, PrivacyClass, RunId, SessionId, SourceRef, Timestamp, TopicId, Trace, TurnId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    About, Causes, Envelope, Event, Exchange, Governance, Identity, RECIPIENTS_SHOWN_MAX,
    Recipients, Route, Stamp,
};

/// An event as JSON shows it. Field order is the order on the wire.
#[derive(Deserialize, Serialize)]
struct Flat<'a> {
    id: Cursor,
    cursor: Cursor,
    position: Position,
    family: EventFamily,
    kind: EventKind,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    pool: PoolId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<TurnId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<AttemptId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<TopicId>,
    #[serde(default, skip_serializing_if = "<[RunId]>::is_empty")]
    recipients: Cow<'a, [RunId]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipient_count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "trace_text")]
    trace: Option<Trace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caused_by: Option<Cursor>,
    #[serde(default, skip_serializing_if = "<[Cursor]>::is_empty")]
    causal: Cow<'a, [Cursor]>,
    subject: Cow<'a, EntityRef>,
    #[serde(default, skip_serializing_if = "<[EntityRef]>::is_empty")]
    related: Cow<'a, [EntityRef]>,
    #[serde(default, skip_serializing_if = "is_uncorrelated")]
    correlation: Cow<'a, Correlation>,
    #[serde(default, skip_serializing_if = "<[EventTag]>::is_empty")]
    tags: Cow<'a, [EventTag]>,
    source: Cow<'a, SourceRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<Cow<'a, DestinationRef>>,
    #[serde(default, skip_serializing_if = "is_ungoverned")]
    policies: Cow<'a, Policies>,
    semantics: EventSemantics,
    privacy: PrivacyClass,
    content_capture: ContentCapture,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redaction: Option<Cow<'a, PolicyRef>>,
    payload_schema: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, Payload>>,
}

fn is_uncorrelated(correlation: &Correlation) -> bool {
    correlation.is_empty()
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
