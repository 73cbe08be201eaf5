//! The bodies of records, one struct per kind of record.

mod consumer;
mod content;
mod dead;
mod effect;
mod ended;
mod event;
mod member;
mod message;
mod pool;
mod reply;
mod roster;
mod skipped;
mod source;
mod wake;
mod wiring;

use heronry_types::{EventKind, Position};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

pub use consumer::ConsumerReset;
pub use content::{ContentErased, ContentStored};
pub use dead::{MessageDeadLettered, MessageReplayed};
pub use effect::{
    EffectAttempted, EffectCompleted, EffectIntended, EffectKey, EffectResultRefused,
};
pub use ended::{
    MessageCancelled, MessageExpired, MessageFailed, MessageSettled, MessageTimedOut,
    MessageUnsatisfiable,
};
pub use event::{ApplicationEvent, EventBatch};
pub use member::{
    MemberChanged, MemberJoined, MemberLeft, MemberTakenOver, RunEnded, RunLost, RunResumed,
    RunSuspended, WakeName,
};
pub use message::{
    Claim, CopyName, FetchedCopy, MessageAccepted, MessageAcked, MessageDelivered, MessageExtended,
    MessageFetched, MessageReleased, Recipients, RequestHash, UndeliverableCopy,
};
pub use pool::{EpochStarted, PoolConfigured, PoolCreated, PoolResumed};
pub use reply::{Answering, Contract, MessageResponded, Thread};
pub use roster::{
    MemberSpecified, MemberStandingChanged, ModuleStandingChanged, Reconciled, RosterDeclared,
    RuntimeErrorRecorded, StewardReleased, StewardTaken,
};
pub use skipped::{Skipped, SkippedError};
pub use source::{SourceAttached, SourceDetached, SourceGap, SourceStep};
pub use wake::{
    ConditionRegistered, CountedEvent, DeadlockSuspected, DistinctHash, WakeCancelled, WakeFailed,
    WakeOrphaned, WakeRegistered, WakeScanned, WakeTimedOut, WakeTriggered, WakeTriggeredBy,
};
pub use wiring::{AliasRemoved, AliasSet, EdgeUnwired, EdgeWired, LabelsChanged};

/// Defines [`Body`] of the kinds of records, by the things that they change.
macro_rules! bodies {
    ($(
        $(#[$noun_doc:meta])* $noun:ident => $(#[$record_doc:meta])* $record:ident {
            $($(#[$doc:meta])* $variant:ident($body:ty),)*
        }
    )*) => {
        /// The body of a record: the fields of its kind.
        #[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Body {
            $($($(#[$doc])* $variant($body),)*)*
        }

        /// A record by the things that it changes.
        #[derive(Clone, Copy, Debug)]
        pub enum Noun<'a> {
            $($(#[$noun_doc])* $noun($record<'a>),)*
        }

        $(
            $(#[$record_doc])*
            #[derive(Clone, Copy, Debug)]
            pub enum $record<'a> {
                $($(#[$doc])* $variant(&'a $variant),)*
            }
        )*

        impl Body {
            /// The number of every kind of record with the newest version of its schema.
            pub const KINDS: &'static [(u16, u16)] =
                &[$($((<$body as RecordBody>::NUMBER, <$body as RecordBody>::NEWEST_VERSION),)*)*];

            /// Returns the number of the kind of record, as it stands on disk.
            pub fn number(&self) -> u16 {
                match self { $($(Self::$variant(_) => <$body as RecordBody>::NUMBER,)*)* }
            }

            /// Returns the record by the things that it changes.
            pub fn noun(&self) -> Noun<'_> {
                match self { $($(Self::$variant(body) => Noun::$noun($record::$variant(body)),)*)* }
            }

            /// Returns true when the record may change what those see who wait for events, or comes of
            /// time.
            pub fn changes_waiters(&self) -> bool {
                match self { $($(Self::$variant(_) => <$body as RecordBody>::CHANGES_WAITERS,)*)* }
            }

            /// Returns the version of the body's schema that this build writes: the oldest that can
            /// say what the body says, so that an older build reads whatever it understands.
            pub fn version(&self) -> u16 {
                match self { $($(Self::$variant(body) => body.version(),)*)* }
            }

            /// Returns the kind of event that the record becomes.
            pub fn event_kind(&self) -> EventKind {
                match self { $($(Self::$variant(body) => body.event_kind(),)*)* }
            }

            /// Returns the thing that the event is about.
            pub fn subject(&self) -> Subject<'_> {
                match self { $($(Self::$variant(body) => body.subject(),)*)* }
            }

            /// Tells what else the record is about, in the order in which its event names it.
            pub fn touches<'a>(&'a self, mut touched: impl FnMut(Touch<'a>)) {
                match self { $($(Self::$variant(body) => body.touches(&mut touched),)*)* }
            }

            /// Returns the short text that somebody wrote for others to read.
            pub fn note(&self) -> Option<&str> {
                match self { $($(Self::$variant(body) => body.note(),)*)* }
            }

            /// Returns whether the record may be too large for a chunk.
            pub fn size_class(&self) -> SizeClass {
                match self { $($(Self::$variant(body) => body.size_class(),)*)* }
            }

            /// Returns true when this build reads this version of this kind.
            pub(crate) fn reads(number: u16, version: u16) -> bool {
                let kind = Self::KINDS.iter().find(|(known, _)| *known == number);
                kind.is_some_and(|(_, newest)| version <= *newest)
            }

            /// Reads the JSON of a body; `number` is the number of its kind.
            ///
            /// # Errors
            /// The deserializer's, when the number is unknown or the JSON is not of that kind.
            pub fn deserialize_as<'de, D: serde::Deserializer<'de>>(
                number: u16,
                deserializer: D,
            ) -> Result<Self, D::Error> {
                match number {
                    $($(<$body as RecordBody>::NUMBER => serde::Deserialize::deserialize(deserializer).map(Self::$variant),)*)*
                    _ => Err(serde::de::Error::custom("unknown number of a record kind")),
                }
            }

            pub(crate) fn encode_fields<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                match self { $($(Self::$variant(body) => minicbor::Encode::encode(body, encoder, &mut ()),)*)* }
            }

            /// Reads the fields of a kind and version that this build [reads](Self::reads).
            pub(crate) fn decode_fields(
                number: u16,
                decoder: &mut minicbor::Decoder<'_>,
            ) -> Result<Self, minicbor::decode::Error> {
                match number {
                    $($(<$body as RecordBody>::NUMBER => minicbor::Decode::decode(decoder, &mut ()).map(Self::$variant),)*)*
                    _ => Err(minicbor::decode::Error::message("unknown number of a record kind")),
                }
            }
        }

        #[cfg(test)]
        impl Body {
            /// The name of every kind with a record of each of its versions, the oldest first.
            pub(crate) fn samples() -> Vec<(&'static str, Self)> {
                let mut samples = Vec::new();
                $($(
                    let of_kind = <$variant as crate::samples::Sample>::samples().into_iter();
                    samples.extend(of_kind.map(|body| (stringify!($variant), Self::$variant(body.into()))));
                )*)*
                samples
            }

            /// Any record of any kind.
            pub(crate) fn arbitrary() -> proptest::strategy::BoxedStrategy<Self> {
                use proptest::strategy::{Strategy, Union};

                let kinds = [$($(
                    <$variant as crate::samples::Sample>::arbitrary()
                        .prop_map(|body| Self::$variant(body.into()))
                        .boxed(),
                )*)*];
                Union::new(kinds).boxed()
            }
        }
    };
}

bodies! {
    /// The pool as a whole.
    Pool =>
    /// A record that changes the pool as a whole.
    PoolRecord {
        /// A pool was created.
        PoolCreated(PoolCreated),
        /// A pool's settings were changed.
        PoolConfigured(PoolConfigured),
        /// A new timeline started.
        EpochStarted(EpochStarted),
        /// The engine went on after a pause.
        PoolResumed(PoolResumed),
    }
    /// Members and their runs.
    Member =>
    /// A record that changes members and their runs.
    MemberRecord {
        /// A run joined.
        MemberJoined(MemberJoined),
        /// A run was taken over by another instance.
        MemberTakenOver(MemberTakenOver),
        /// A member changed its topics or its lease.
        MemberChanged(MemberChanged),
        /// A member left.
        MemberLeft(MemberLeft),
        /// A run ended.
        RunEnded(RunEnded),
        /// A member was silent for too long.
        RunLost(RunLost),
        /// A lost member was heard of again, or a suspended run went on.
        RunResumed(RunResumed),
        /// A run was suspended.
        RunSuspended(RunSuspended),
    }
    /// Messages and their copies.
    Message =>
    /// A record that changes messages and their copies.
    MessageRecord {
        /// A message was accepted.
        MessageAccepted(Box<MessageAccepted>),
        /// A message was delivered to its recipients.
        MessageDelivered(MessageDelivered),
        /// A member claimed copies.
        MessageFetched(MessageFetched),
        /// A member acknowledged copies.
        MessageAcked(MessageAcked),
        /// Claims were given back.
        MessageReleased(MessageReleased),
        /// A member extended claims.
        MessageExtended(MessageExtended),
        /// A message failed.
        MessageFailed(MessageFailed),
        /// A message expired.
        MessageExpired(MessageExpired),
        /// The last copy of a message ended.
        MessageSettled(MessageSettled),
        /// Copies are dead.
        MessageDeadLettered(MessageDeadLettered),
        /// A dead copy was replayed.
        MessageReplayed(MessageReplayed),
        /// A message was cancelled.
        MessageCancelled(MessageCancelled),
        /// A message has the replies that it asked for.
        MessageResponded(MessageResponded),
        /// A message waited too long for replies.
        MessageTimedOut(MessageTimedOut),
        /// A message cannot get the replies that it asked for.
        MessageUnsatisfiable(MessageUnsatisfiable),
    }
    /// Wakes, and what is suspected of those that wait.
    Wake =>
    /// A record that changes wakes, or what is suspected of those that wait.
    WakeRecord {
        /// A run began to wait.
        WakeRegistered(Box<WakeRegistered>),
        /// A wake was triggered.
        WakeTriggered(WakeTriggered),
        /// A wake timed out.
        WakeTimedOut(WakeTimedOut),
        /// A wake was cancelled.
        WakeCancelled(WakeCancelled),
        /// A run began to wait for a condition of more than one filter.
        ConditionRegistered(Box<ConditionRegistered>),
        /// The earlier events of a wake were looked through.
        WakeScanned(WakeScanned),
        /// Suspended runs wait only on each other.
        DeadlockSuspected(DeadlockSuspected),
        /// A suspended run waits for something that no live member can do.
        WakeOrphaned(WakeOrphaned),
        /// A wake failed.
        WakeFailed(WakeFailed),
    }
    /// Effects.
    Effect =>
    /// A record that changes effects.
    EffectRecord {
        /// A run intends an effect.
        EffectIntended(EffectIntended),
        /// An effect is about to be done.
        EffectAttempted(EffectAttempted),
        /// An effect has ended.
        EffectCompleted(EffectCompleted),
    }
    /// Bodies.
    Content =>
    /// A record that changes bodies.
    ContentRecord {
        /// A body was erased.
        ContentErased(Box<ContentErased>),
        /// A body was stored by itself.
        ContentStored(Box<ContentStored>),
    }
    /// Events that are reported, and the sources that they come from.
    Source =>
    /// A record of what is reported, or of where it comes from.
    SourceRecord {
        /// A member reported an event.
        ApplicationEvent(Box<ApplicationEvent>),
        /// Events of a source are missing.
        SourceGap(Box<SourceGap>),
        /// A bridge was attached to a source.
        SourceAttached(SourceAttached),
        /// A bridge left its source.
        SourceDetached(SourceDetached),
    }
    /// The roster of the pool, and who keeps the pool as it says.
    Roster =>
    /// A record that changes the roster, or tells what became of it.
    RosterRecord {
        /// A steward took the pool.
        StewardTaken(StewardTaken),
        /// A steward gave the pool back.
        StewardReleased(StewardReleased),
        /// A layer of the roster was declared.
        RosterDeclared(RosterDeclared),
        /// A member was specified, or is specified no longer.
        MemberSpecified(Box<MemberSpecified>),
        /// The standing of a declared member changed.
        MemberStandingChanged(MemberStandingChanged),
        /// The standing of a module changed.
        ModuleStandingChanged(ModuleStandingChanged),
        /// A steward brought the pool to its roster.
        Reconciled(Box<Reconciled>),
        /// An error of the runtime that keeps the pool.
        RuntimeErrorRecorded(RuntimeErrorRecorded),
    }
    /// Edges, aliases and labels.
    Wiring =>
    /// A record that changes edges, aliases or labels.
    WiringRecord {
        /// Two runs may talk to each other.
        EdgeWired(EdgeWired),
        /// Two runs may no longer talk to each other.
        EdgeUnwired(EdgeUnwired),
        /// The labels of a run or of the pool were replaced.
        LabelsChanged(LabelsChanged),
        /// An alias leads to an address.
        AliasSet(AliasSet),
        /// An alias leads nowhere any more.
        AliasRemoved(AliasRemoved),
    }
    /// Nothing here: the record is told to others.
    Nothing =>
    /// A record that is told to others, and changes nothing.
    ToldRecord {
        /// A result of an effect was refused.
        EffectResultRefused(EffectResultRefused),
        /// The cursor of a named consumer was found stale.
        ConsumerReset(Box<ConsumerReset>),
    }
}

impl Body {
    /// Returns the registration of the wake that the record ends.
    pub fn ended_wake(&self) -> Option<Position> {
        let mut ended = None;
        self.touches(|touch| {
            if let Touch::WakeEnds(registered) = touch {
                ended = Some(registered);
            }
        });
        ended
    }

    /// Returns true when the record changes the structure of its pool, and so shows the labels of its run, or
    /// of the pool.
    pub fn is_structural(&self) -> bool {
        match self.noun() {
            Noun::Wiring(_) | Noun::Roster(_) => true,
            Noun::Member(body) => match body {
                MemberRecord::MemberJoined(_)
                | MemberRecord::MemberTakenOver(_)
                | MemberRecord::MemberLeft(_)
                | MemberRecord::RunEnded(_) => true,
                MemberRecord::MemberChanged(_)
                | MemberRecord::RunLost(_)
                | MemberRecord::RunResumed(_)
                | MemberRecord::RunSuspended(_) => false,
            },
            Noun::Pool(_)
            | Noun::Message(_)
            | Noun::Wake(_)
            | Noun::Effect(_)
            | Noun::Content(_)
            | Noun::Source(_)
            | Noun::Nothing(_) => false,
        }
    }

    /// Returns the registration of a wake, for one filter or for a condition of several.
    pub fn registration(&self) -> Option<&WakeRegistered> {
        if let Self::WakeRegistered(body) = self {
            Some(body)
        } else if let Self::ConditionRegistered(body) = self {
            Some(&body.wake)
        } else {
            None
        }
    }
}
