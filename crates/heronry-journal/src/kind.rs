//! A kind of record, as the journal and its readers know it: one implementation beside each struct.

use heronry_types::{
    Address, AliasName, ContentRef, EntityRef, EventKind, Labels, ManagedBy, MessageId, Policies,
    Position, RunId, SourceId, TopicId, WakeId,
};

use crate::{
    ApplicationEvent, Claim, ConsumerReset, CopyName, Recipients, Skipped, SourceGap, WakeName,
};

/// One kind of record. Numbers and versions stand on disk and are never used again for anything else.
pub trait RecordBody {
    /// The number of the kind.
    const NUMBER: u16;
    /// The newest version of the schema of its body.
    const NEWEST_VERSION: u16;
    /// True when such a record may change what those see who wait for events, or comes of time: it is
    /// decided only when every record before it was matched. The start of a timeline, which no engine
    /// decides, and records that tell of a pause come at any time.
    const CHANGES_WAITERS: bool;

    /// Returns the version that this build writes: the oldest that can say what the body says, so that
    /// an older build reads whatever it understands.
    fn version(&self) -> u16;

    /// Returns the kind of event that the record becomes.
    fn event_kind(&self) -> EventKind;

    /// Returns the thing that the event is about.
    fn subject(&self) -> Subject<'_>;

    /// Tells what else the record is about, in the order in which its event names it.
    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>));

    /// Returns the short text that somebody wrote for others to read.
    fn note(&self) -> Option<&str> {
        None
    }

    /// Returns whether an encoded record may be too large for a chunk. Every id has at most 512 bytes.
    fn size_class(&self) -> SizeClass {
        SizeClass::Unknown
    }
}

/// The thing that an event is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject<'a> {
    /// The pool.
    Pool,
    /// The run in the lineage of the record; the pool when there is none.
    Run,
    /// A message.
    Message(&'a MessageId),
    /// A wake.
    Wake(&'a WakeId),
    /// The effect that the record itself intends.
    IntendedEffect,
    /// The effect of an intent.
    Effect(Position),
    /// A body.
    Content(ContentRef),
    /// The thing that a member named.
    Entity(&'a EntityRef),
}

/// A short fact that an event says of itself.
pub trait Saying: std::fmt::Debug + std::fmt::Display {}

impl<T: std::fmt::Debug + std::fmt::Display> Saying for T {}

/// A thing that a record is about, beside its subject.
#[derive(Clone, Copy, Debug)]
pub enum Touch<'a> {
    /// The message of which something is told: of its acceptance, its delivery or its end.
    Message(&'a MessageId),
    /// The acceptance of a message whose receipt changes.
    Receipt(Position),
    /// A message of which the acting run has a copy; its receipt changes.
    Copy {
        /// Its acceptance.
        accepted: Position,
        /// Its id.
        message_id: &'a MessageId,
    },
    /// A claim of the acting run, by the message; the receipt of the message stays.
    Claimed(&'a MessageId),
    /// The inbox of the acting run. Whether there may be more to claim in it than before.
    OwnInbox {
        /// True when calls that wait for it have to look again.
        has_more: bool,
    },
    /// The recipients of a message, and those of them that get no copy.
    Recipients(&'a Recipients, Option<&'a Skipped>),
    /// The address of a message.
    SentTo(&'a Address),
    /// The alias of that address, to which a message was sent.
    SentToAlias(&'a AliasName),
    /// The topic that was addressed.
    Topic(&'a TopicId),
    /// The message that a message replies to, as its sender named it.
    ReplyTo(&'a MessageId),
    /// Policies that the event carries.
    Policies(&'a Policies),
    /// A body that is referred to, never shown.
    Reference(ContentRef),
    /// A further record that led to this one.
    Cause(Position),
    /// A run that is named.
    Run(&'a RunId),
    /// A wake that is named.
    Wake(&'a WakeName),
    /// The registration of a wake that ends here.
    WakeEnds(Position),
    /// The run in the lineage, which goes on.
    Resumes,
    /// The generation of the run in the lineage, which ends: it may end copies of any message.
    Departs,
    /// The foreign source that is attached to or left.
    Source(&'a SourceId),
    /// Events of a foreign source are missing.
    Gap(&'a SourceGap),
    /// A named consumer whose cursor was found stale.
    Reset(&'a ConsumerReset),
    /// A short fact that the event says of itself, by its name: a word, an id, a number or a digest.
    Says(&'static str, &'a dyn Saying),
    /// The party that looks after an edge or an alias, or removed it.
    Managed(ManagedBy),
    /// The labels that the run in the lineage, or the pool, has from here on.
    Labels(&'a Labels),
    /// The alias that leads somewhere, or nowhere any more.
    Alias(&'a AliasName),
    /// An event that a member reported, with all that it says of itself.
    Reported(&'a ApplicationEvent),
}

/// The size of records, compared with the room of a chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SizeClass {
    /// The record fits into a chunk, unless its correlation has a great many entries.
    Small,
    /// The record has to be encoded to tell.
    Unknown,
}

impl<T: RecordBody> RecordBody for Box<T> {
    const NUMBER: u16 = T::NUMBER;
    const NEWEST_VERSION: u16 = T::NEWEST_VERSION;
    const CHANGES_WAITERS: bool = T::CHANGES_WAITERS;

    fn version(&self) -> u16 {
        T::version(self)
    }

    fn event_kind(&self) -> EventKind {
        T::event_kind(self)
    }

    fn subject(&self) -> Subject<'_> {
        T::subject(self)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        T::touches(self, touched);
    }

    fn note(&self) -> Option<&str> {
        T::note(self)
    }

    fn size_class(&self) -> SizeClass {
        T::size_class(self)
    }
}

impl CopyName {
    /// The message as one of which the acting run has a copy.
    pub(crate) fn touch(&self) -> Touch<'_> {
        Touch::Copy {
            accepted: self.accepted,
            message_id: &self.message_id,
        }
    }

    /// Tells that the message is the one that a record is about, and that its receipt changes.
    pub(crate) fn touch_whole<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Message(&self.message_id));
        touched(Touch::Receipt(self.accepted));
    }
}

impl Claim {
    /// The message that is claimed, as one of which the acting run has a copy.
    pub(crate) fn touch(self, message_id: &MessageId) -> Touch<'_> {
        Touch::Copy {
            accepted: self.accepted,
            message_id,
        }
    }
}
