//! The fields that filters can look at, by their names in an event's JSON.

use std::sync::Arc;

use heronry_types::{
    DestinationKind, EntityKind, EventFamily, EventKind, EventSemantics, PrivacyClass, SourceKind,
    Timestamp, Vocabulary,
};

use crate::Envelope;

/// A text that several sets share.
pub(super) type Text = Arc<str>;

/// A field that holds one text. Absent is the empty text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum TextField {
    Family,
    Kind,
    Pool,
    Run,
    Agent,
    Session,
    Turn,
    Attempt,
    Message,
    ReplyTo,
    Topic,
    SubjectKind,
    SubjectId,
    SourceKind,
    SourceId,
    DestinationKind,
    DestinationId,
    Semantics,
    Privacy,
}

impl TextField {
    pub(super) const ALL: [Self; 19] = [
        Self::Family,
        Self::Kind,
        Self::Pool,
        Self::Run,
        Self::Agent,
        Self::Session,
        Self::Turn,
        Self::Attempt,
        Self::Message,
        Self::ReplyTo,
        Self::Topic,
        Self::SubjectKind,
        Self::SubjectId,
        Self::SourceKind,
        Self::SourceId,
        Self::DestinationKind,
        Self::DestinationId,
        Self::Semantics,
        Self::Privacy,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Kind => "kind",
            Self::Pool => "pool",
            Self::Run => "run",
            Self::Agent => "agent",
            Self::Session => "session",
            Self::Turn => "turn",
            Self::Attempt => "attempt",
            Self::Message => "message",
            Self::ReplyTo => "reply_to",
            Self::Topic => "topic",
            Self::SubjectKind => "subject.kind",
            Self::SubjectId => "subject.id",
            Self::SourceKind => "source.kind",
            Self::SourceId => "source.id",
            Self::DestinationKind => "destination.kind",
            Self::DestinationId => "destination.id",
            Self::Semantics => "semantics",
            Self::Privacy => "privacy",
        }
    }

    /// Reads the field; the empty text when it is absent.
    pub(super) fn read(self, envelope: &Envelope) -> &str {
        let Envelope {
            identity,
            exchange,
            about,
            route,
            ..
        } = envelope;
        let destination = route.destination.as_ref();
        match self {
            Self::Family => envelope.family().wire_name(),
            Self::Kind => envelope.kind.wire_name(),
            Self::Pool => identity.pool.as_str(),
            Self::Run => identity.run.as_ref().map_or("", |id| id.as_str()),
            Self::Agent => identity.agent.as_ref().map_or("", |id| id.as_str()),
            Self::Session => identity.session.as_ref().map_or("", |id| id.as_str()),
            Self::Turn => identity.turn.as_ref().map_or("", |id| id.as_str()),
            Self::Attempt => identity.attempt.as_ref().map_or("", |id| id.as_str()),
            Self::Message => exchange.message.as_ref().map_or("", |id| id.as_str()),
            Self::ReplyTo => exchange.reply_to.as_ref().map_or("", |id| id.as_str()),
            Self::Topic => exchange.topic.as_ref().map_or("", |id| id.as_str()),
            Self::SubjectKind => about.subject.kind.wire_name(),
            Self::SubjectId => about.subject.id.as_str(),
            Self::SourceKind => route.source.kind.wire_name(),
            Self::SourceId => route.source.id.as_str(),
            Self::DestinationKind => destination.map_or("", |d| d.kind.wire_name()),
            Self::DestinationId => destination.map_or("", |d| d.id.as_str()),
            Self::Semantics => envelope.governance.semantics.wire_name(),
            Self::Privacy => envelope.governance.privacy.wire_name(),
        }
    }

    /// Returns true when an event may lack the field.
    pub(super) fn is_optional(self) -> bool {
        match self {
            Self::Family
            | Self::Kind
            | Self::Pool
            | Self::SubjectKind
            | Self::SubjectId
            | Self::SourceKind
            | Self::SourceId
            | Self::Semantics
            | Self::Privacy => false,
            Self::Run
            | Self::Agent
            | Self::Session
            | Self::Turn
            | Self::Attempt
            | Self::Message
            | Self::ReplyTo
            | Self::Topic
            | Self::DestinationKind
            | Self::DestinationId => true,
        }
    }

    /// Returns the names that the field can have; nothing when hosts choose them.
    pub(super) fn vocabulary(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Family => Some(names::<EventFamily>()),
            Self::Kind => Some(names::<EventKind>()),
            Self::SubjectKind => Some(names::<EntityKind>()),
            Self::SourceKind => Some(names::<SourceKind>()),
            Self::DestinationKind => Some(names::<DestinationKind>()),
            Self::Semantics => Some(names::<EventSemantics>()),
            Self::Privacy => Some(names::<PrivacyClass>()),
            Self::Pool
            | Self::Run
            | Self::Agent
            | Self::Session
            | Self::Turn
            | Self::Attempt
            | Self::Message
            | Self::ReplyTo
            | Self::Topic
            | Self::SubjectId
            | Self::SourceId
            | Self::DestinationId => None,
        }
    }
}

/// Returns every wire name of a vocabulary.
pub(super) fn names<V: Vocabulary>() -> Vec<&'static str> {
    V::ALL.iter().map(|name| name.wire_name()).collect()
}

/// A field that holds one number: a position, or milliseconds of a time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum NumberField {
    Position,
    OccurredAt,
    RecordedAt,
}

impl NumberField {
    pub(super) const ALL: [Self; 3] = [Self::Position, Self::OccurredAt, Self::RecordedAt];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::OccurredAt => "occurred_at",
            Self::RecordedAt => "recorded_at",
        }
    }

    pub(super) fn read(self, envelope: &Envelope) -> i64 {
        match self {
            Self::Position => i64::try_from(envelope.stamp.cursor.position.0).unwrap_or(i64::MAX),
            Self::OccurredAt => envelope.stamp.occurred_at.as_millis(),
            Self::RecordedAt => envelope.stamp.recorded_at.as_millis(),
        }
    }

    /// Returns the smallest and the largest value that the field can have.
    pub(super) fn domain(self) -> (i64, i64) {
        match self {
            Self::Position => (0, i64::MAX),
            Self::OccurredAt | Self::RecordedAt => (
                Timestamp::from_millis(i64::MIN).as_millis(),
                Timestamp::from_millis(i64::MAX).as_millis(),
            ),
        }
    }
}

/// A field that holds several texts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum MembersField {
    Recipients,
    Tags,
}

impl MembersField {
    pub(super) const ALL: [Self; 2] = [Self::Recipients, Self::Tags];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Recipients => "recipients",
            Self::Tags => "tags",
        }
    }

    pub(super) fn contains(self, envelope: &Envelope, text: &str) -> bool {
        match self {
            Self::Recipients => envelope.exchange.recipients.contains(text),
            Self::Tags => envelope.about.tags.iter().any(|tag| tag.as_str() == text),
        }
    }
}

/// The field that a name in a filter stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    Text(TextField),
    Number(NumberField),
    Members(MembersField),
    Terminal,
    Related,
    Correlation,
    Labels,
}

impl Field {
    /// Walks every field with its name.
    pub(super) fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let texts = TextField::ALL.map(|field| (field.name(), Self::Text(field)));
        let numbers = NumberField::ALL.map(|field| (field.name(), Self::Number(field)));
        let members = MembersField::ALL.map(|field| (field.name(), Self::Members(field)));
        let rest = [
            ("terminal", Self::Terminal),
            ("related", Self::Related),
            ("correlation", Self::Correlation),
            ("labels", Self::Labels),
        ];
        texts.into_iter().chain(numbers).chain(members).chain(rest)
    }

    /// Returns the field of a name: its own, or that of its id in requests and answers (`run_id`).
    pub(super) fn named(name: &str) -> Option<Self> {
        let of_id = name.strip_suffix("_id").filter(|of| IDS.contains(of));
        let name = of_id.unwrap_or(name);
        Self::all()
            .find(|(known, _)| *known == name)
            .map(|(_, field)| field)
    }
}

/// Fields that hold an id, which requests and answers name with `_id` behind it.
const IDS: [&str; 8] = [
    "pool", "run", "agent", "session", "turn", "attempt", "message", "topic",
];

/// Names of an event's JSON that filters do not look at.
pub(super) const NOT_FILTERED: [&str; 13] = [
    "id",
    "cursor",
    "recipient_count",
    "trace",
    "caused_by",
    "causal",
    "policies",
    "content_capture",
    "redaction",
    "payload_schema",
    "payload",
    "source.trust",
    "source.privacy",
];
