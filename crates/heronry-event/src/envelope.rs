//! The header around a payload: everything needed to route, redact, correlate, replay and filter.

use std::borrow::Cow;

use heronry_types::{
    AgentId, AttemptId, ContentCapture, Correlation, Cursor, DestinationRef, EntityRef,
    EventFamily, EventKind, EventSemantics, EventTag, MessageId, Policies, PolicyRef, PoolId,
    PrivacyClass, RunId, SessionId, SourceRef, Timestamp, TopicId, Trace, TurnId,
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
    /// Where the event stands and when it came to be.
    pub stamp: Stamp,
    /// What happened.
    pub kind: EventKind,
    /// Whose event it is.
    pub identity: Identity,
    /// Which message it is about, and to whom that went.
    pub exchange: Exchange,
    /// What led to it.
    pub causes: Causes,
    /// What it is about.
    pub about: About,
    /// Where it came from and where it goes.
    pub route: Route,
    /// How it may be shown.
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

/// Where an event stands in its journal and when it came to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stamp {
    /// The event's place in its journal; also its id.
    pub cursor: Cursor,
    /// When it happened, as its source claims; decides nothing.
    pub occurred_at: Timestamp,
    /// When it was recorded, in the pool's time.
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

/// Whose event it is.
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

/// Which message an event is about, and to whom that went.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
    /// The one message that the event is about.
    pub message: Option<MessageId>,
    /// The message that it replies to.
    pub reply_to: Option<MessageId>,
    /// The topic that was addressed.
    pub topic: Option<TopicId>,
    /// Who receives.
    pub recipients: Recipients,
}

/// What led to an event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Causes {
    /// The W3C trace that it belongs to.
    pub trace: Option<Trace>,
    /// The event that led to it.
    pub caused_by: Option<Cursor>,
    /// Further events that led to it.
    pub causal: Vec<Cursor>,
}

/// What an event is about.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct About {
    /// The one thing that it is about.
    pub subject: EntityRef,
    /// Other things that it touches.
    pub related: Vec<EntityRef>,
    /// Correlations.
    pub correlation: Correlation,
    /// Tags.
    pub tags: Vec<EventTag>,
}

impl About {
    /// Returns a subject with nothing beside it.
    pub fn new(subject: EntityRef) -> Self {
        Self {
            subject,
            related: Vec::new(),
            correlation: Correlation::new(),
            tags: Vec::new(),
        }
    }
}

/// Where an event came from and where it goes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Route {
    /// Where it came from.
    pub source: SourceRef,
    /// Where it goes.
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

/// How an event may be shown and what it promises.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Governance {
    /// The policies that it falls under.
    pub policies: Policies,
    /// What it promises.
    pub semantics: EventSemantics,
    /// How closely it is kept.
    pub privacy: PrivacyClass,
    /// How it captured content.
    pub content_capture: ContentCapture,
    /// The policy by which something was taken out of it.
    pub redaction: Option<PolicyRef>,
    /// The schema of its payload.
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
