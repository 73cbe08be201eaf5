//! The header around a payload: everything needed to route, redact, correlate, replay and filter.

use std::borrow::Cow;

use heronry_types::{
    AgentId, AttemptId, ContentCapture, Correlation, Cursor, DestinationRef, EntityRef,
    EventFamily, EventKind, EventSemantics, EventTag, Labels, MessageId, Policies, PolicyRef,
    PoolId, PrivacyClass, RunId, SessionId, SourceRef, Timestamp, TopicId, Trace, TurnId,
};

use crate::Recipients;

/// The schema of the payloads that this version writes.
pub const PAYLOAD_SCHEMA: &str = "heronry.payload/1";

/// The header around an event's payload.
///
/// JSON is flat: the names are those of the fields, whatever group they stand in, and `id`,
/// `cursor`, `position` and `family`, which follow from the cursor and the kind. Fields without a
/// value are left out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Envelope {
    /// The place of the event in its journal, and its times.
    pub stamp: Stamp,
    /// The kind of the event.
    pub kind: EventKind,
    /// The pool, the run and the rest of the identity that the event belongs to.
    pub identity: Identity,
    /// The message that the event is about, and its recipients.
    pub exchange: Exchange,
    /// The causes of the event.
    pub causes: Causes,
    /// The subject of the event, related entities, correlations and tags.
    pub about: About,
    /// The source and the destination of the event.
    pub route: Route,
    /// The rules under which the event is shown.
    pub governance: Governance,
}

impl Envelope {
    /// Returns an envelope with what every event has; the rest is absent until it is set.
    pub fn new(
        stamp: Stamp,
        kind: EventKind,
        identity: Identity,
        subject: EntityRef,
        source: SourceRef,
    ) -> Self {
        Self {
            stamp,
            kind,
            identity,
            exchange: Exchange::default(),
            causes: Causes::default(),
            about: About::new(subject),
            route: Route::new(source),
            governance: Governance::default(),
        }
    }

    /// Returns the event's id: its cursor.
    pub fn id(&self) -> Cursor {
        self.stamp.cursor
    }

    /// Returns the family of the event's kind.
    pub fn family(&self) -> EventFamily {
        self.kind.family()
    }
}

/// The place of an event in its journal, and its times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stamp {
    /// The cursor of the event, which is also its id.
    pub cursor: Cursor,
    /// The time of the event, as its source claims it. It decides nothing.
    pub occurred_at: Timestamp,
    /// The time at which the event was recorded, in the pool's time.
    pub recorded_at: Timestamp,
}

impl Stamp {
    /// Returns the stamp of an event that happened when it was recorded.
    pub fn new(cursor: Cursor, recorded_at: Timestamp) -> Self {
        Self {
            cursor,
            occurred_at: recorded_at,
            recorded_at,
        }
    }
}

/// The pool, the run and the rest of the identity that an event belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Identity {
    /// The pool.
    pub pool: PoolId,
    /// The run that the event is about, as its author, sender or waiter.
    pub run: Option<RunId>,
    /// The agent of that run.
    pub agent: Option<AgentId>,
    /// The session of that run.
    pub session: Option<SessionId>,
    /// The turn of that run.
    pub turn: Option<TurnId>,
    /// The attempt of that turn.
    pub attempt: Option<AttemptId>,
}

impl Identity {
    /// Returns the identity of an event about the pool as a whole.
    pub fn new(pool: PoolId) -> Self {
        Self {
            pool,
            run: None,
            agent: None,
            session: None,
            turn: None,
            attempt: None,
        }
    }
}

/// The message that an event is about, and its recipients.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
    /// The one message that the event is about.
    pub message: Option<MessageId>,
    /// The message that the event's message replies to.
    pub reply_to: Option<MessageId>,
    /// The topic that was addressed.
    pub topic: Option<TopicId>,
    /// The recipients of the message.
    pub recipients: Recipients,
}

/// The causes of an event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Causes {
    /// The W3C trace that the event belongs to.
    pub trace: Option<Trace>,
    /// The event that led to this one.
    pub caused_by: Option<Cursor>,
    /// Further events that led to this one.
    pub causal: Vec<Cursor>,
}

/// The subject of an event, and what is said beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct About {
    /// The one entity that the event is about.
    pub subject: EntityRef,
    /// Other entities that the event touches.
    pub related: Vec<EntityRef>,
    /// Correlations.
    pub correlation: Correlation,
    /// Tags.
    pub tags: Vec<EventTag>,
    /// The labels of the run, or of the pool, at the moment of a structural event; none elsewhere.
    pub labels: Labels,
}

impl About {
    /// Returns a subject with nothing beside it.
    pub fn new(subject: EntityRef) -> Self {
        Self {
            subject,
            related: Vec::new(),
            correlation: Correlation::new(),
            tags: Vec::new(),
            labels: Labels::new(),
        }
    }
}

/// The source and the destination of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Route {
    /// The source of the event.
    pub source: SourceRef,
    /// The destination of the event; absent when it goes nowhere in particular.
    pub destination: Option<DestinationRef>,
}

impl Route {
    /// Returns a route that goes nowhere in particular.
    pub fn new(source: SourceRef) -> Self {
        Self {
            source,
            destination: None,
        }
    }
}

/// The rules under which an event is shown, and the promise that it makes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Governance {
    /// The policies that the event falls under.
    pub policies: Policies,
    /// The promise of the event.
    pub semantics: EventSemantics,
    /// The privacy class of the event.
    pub privacy: PrivacyClass,
    /// The way in which the event captured content.
    pub content_capture: ContentCapture,
    /// The policy by which something was taken out of the event.
    pub redaction: Option<PolicyRef>,
    /// The schema of the event's payload.
    pub payload_schema: Cow<'static, str>,
}

impl Default for Governance {
    fn default() -> Self {
        Self {
            policies: Policies::default(),
            semantics: EventSemantics::JournalBacked,
            privacy: PrivacyClass::default(),
            content_capture: ContentCapture::None,
            redaction: None,
            payload_schema: Cow::Borrowed(PAYLOAD_SCHEMA),
        }
    }
}
