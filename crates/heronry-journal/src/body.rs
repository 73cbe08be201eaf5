//! The bodies of records, one struct per kind of record.

mod content;
mod dead;
mod effect;
mod event;
mod member;
mod message;
mod pool;
mod reply;
mod skipped;
mod wake;

use heronry_types::{EventKind, RunEnd};

pub use content::{ContentErased, ContentStored};
pub use dead::{MessageDeadLettered, MessageReplayed};
pub use effect::{
    EffectAttempted, EffectCompleted, EffectIntended, EffectKey, EffectResultRefused,
};
pub use event::{ApplicationEvent, EventBatch};
pub use member::{
    MemberChanged, MemberJoined, MemberLeft, MemberTakenOver, RunEnded, RunLost, RunResumed,
    RunSuspended, WakeName,
};
pub use message::{
    Claim, CopyName, FetchedCopy, MessageAccepted, MessageAcked, MessageCancelled,
    MessageDelivered, MessageExpired, MessageExtended, MessageFailed, MessageFetched,
    MessageReleased, MessageSettled, Recipients, RequestHash, UndeliverableCopy,
};
pub use pool::{EpochStarted, PoolConfigured, PoolCreated, PoolResumed};
pub use reply::{
    Answering, Contract, MessageResponded, MessageTimedOut, MessageUnsatisfiable, Thread,
};
pub use skipped::{Skipped, SkippedError};
pub use wake::{
    ConditionRegistered, CountedEvent, DeadlockSuspected, DistinctHash, WakeCancelled, WakeFailed,
    WakeOrphaned, WakeRegistered, WakeScanned, WakeTimedOut, WakeTriggered, WakeTriggeredBy,
};

/// Defines [`Body`] with the number and version that stand on disk for each kind of record.
macro_rules! bodies {
    ($($(#[$doc:meta])* $number:literal v $version:literal => $variant:ident($body:ty),)*) => {
        /// The body of a record: the fields of its kind.
        #[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Body {
            $($(#[$doc])* $variant($body),)*
        }

        impl Body {
            /// The number of every kind of record with the newest version of its schema.
            pub const KINDS: &'static [(u16, u16)] = &[$(($number, $version),)*];

            /// Returns the number of the kind of record, as it stands on disk.
            pub fn number(&self) -> u16 {
                match self { $(Self::$variant(_) => $number,)* }
            }

            /// Returns the newest version of the body's schema.
            fn newest_version(&self) -> u16 {
                match self { $(Self::$variant(_) => $version,)* }
            }
        }

        impl Body {
            /// Returns true when this build reads this version of this kind.
            pub(crate) fn reads(number: u16, version: u16) -> bool {
                match number {
                    $($number => version <= $version,)*
                    _ => false,
                }
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
                    $($number => serde::Deserialize::deserialize(deserializer).map(Self::$variant),)*
                    _ => Err(serde::de::Error::custom("unknown number of a record kind")),
                }
            }

            pub(crate) fn encode_fields<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                match self { $(Self::$variant(body) => minicbor::Encode::encode(body, encoder, &mut ()),)* }
            }

            /// Reads the fields of a kind and version that this build [reads](Self::reads).
            pub(crate) fn decode_fields(
                number: u16,
                decoder: &mut minicbor::Decoder<'_>,
            ) -> Result<Self, minicbor::decode::Error> {
                match number {
                    $($number => minicbor::Decode::decode(decoder, &mut ()).map(Self::$variant),)*
                    _ => Err(minicbor::decode::Error::message("unknown number of a record kind")),
                }
            }
        }
    };
}

bodies! {
    /// A pool was created.
    1 v 7 => PoolCreated(PoolCreated),
    /// A pool's settings were changed.
    2 v 7 => PoolConfigured(PoolConfigured),
    /// A new timeline started.
    3 v 1 => EpochStarted(EpochStarted),
    /// A run joined.
    10 v 2 => MemberJoined(MemberJoined),
    /// A run was taken over by another instance.
    11 v 2 => MemberTakenOver(MemberTakenOver),
    /// A member changed its topics or its lease.
    12 v 2 => MemberChanged(MemberChanged),
    /// A member left.
    13 v 1 => MemberLeft(MemberLeft),
    /// A run ended.
    14 v 1 => RunEnded(RunEnded),
    /// The engine went on after a pause.
    15 v 1 => PoolResumed(PoolResumed),
    /// A member was silent for too long.
    16 v 1 => RunLost(RunLost),
    /// A lost member was heard of again, or a suspended run went on.
    17 v 2 => RunResumed(RunResumed),
    /// A run was suspended.
    18 v 1 => RunSuspended(RunSuspended),
    /// A message was accepted.
    20 v 3 => MessageAccepted(Box<MessageAccepted>),
    /// A message was delivered to its recipients.
    21 v 2 => MessageDelivered(MessageDelivered),
    /// A member claimed copies.
    22 v 2 => MessageFetched(MessageFetched),
    /// A member acknowledged copies.
    23 v 1 => MessageAcked(MessageAcked),
    /// Claims were given back.
    24 v 1 => MessageReleased(MessageReleased),
    /// A member extended claims.
    25 v 1 => MessageExtended(MessageExtended),
    /// A message failed.
    26 v 1 => MessageFailed(MessageFailed),
    /// A message expired.
    27 v 1 => MessageExpired(MessageExpired),
    /// The last copy of a message ended.
    28 v 1 => MessageSettled(MessageSettled),
    /// Copies are dead.
    29 v 1 => MessageDeadLettered(MessageDeadLettered),
    /// A dead copy was replayed.
    30 v 1 => MessageReplayed(MessageReplayed),
    /// A message was cancelled.
    31 v 1 => MessageCancelled(MessageCancelled),
    /// A message has the replies that it asked for.
    35 v 1 => MessageResponded(MessageResponded),
    /// A message waited too long for replies.
    36 v 1 => MessageTimedOut(MessageTimedOut),
    /// A message cannot get the replies that it asked for.
    37 v 1 => MessageUnsatisfiable(MessageUnsatisfiable),
    /// A run began to wait.
    40 v 4 => WakeRegistered(Box<WakeRegistered>),
    /// A wake was triggered.
    41 v 4 => WakeTriggered(WakeTriggered),
    /// A wake timed out.
    42 v 1 => WakeTimedOut(WakeTimedOut),
    /// A wake was cancelled.
    43 v 1 => WakeCancelled(WakeCancelled),
    /// A run began to wait for a condition of more than one filter.
    44 v 6 => ConditionRegistered(Box<ConditionRegistered>),
    /// The earlier events of a wake were looked through.
    45 v 4 => WakeScanned(WakeScanned),
    /// Suspended runs wait only on each other.
    46 v 1 => DeadlockSuspected(DeadlockSuspected),
    /// A suspended run waits for something that no live member can do.
    47 v 1 => WakeOrphaned(WakeOrphaned),
    /// A wake failed.
    49 v 1 => WakeFailed(WakeFailed),
    /// A member reported an event.
    50 v 1 => ApplicationEvent(Box<ApplicationEvent>),
    /// A run intends an effect.
    51 v 1 => EffectIntended(EffectIntended),
    /// An effect is about to be done.
    52 v 1 => EffectAttempted(EffectAttempted),
    /// An effect has ended.
    53 v 1 => EffectCompleted(EffectCompleted),
    /// A result of an effect was refused.
    54 v 1 => EffectResultRefused(EffectResultRefused),
    /// A body was erased.
    56 v 1 => ContentErased(Box<ContentErased>),
    /// A body was stored by itself.
    57 v 1 => ContentStored(Box<ContentStored>),
}

impl Body {
    /// Returns the version of the body's schema that this build writes: the oldest that can say what
    /// the body says, so that an older build reads whatever it understands.
    pub fn version(&self) -> u16 {
        if let Self::PoolCreated(body) = self {
            pool::version_of(&body.settings)
        } else if let Self::PoolConfigured(body) = self {
            pool::version_of(&body.settings)
        } else if let Self::MessageAccepted(body) = self {
            reply::version_of(body)
        } else if let Self::WakeRegistered(body) = self {
            body.version()
        } else if let Self::ConditionRegistered(body) = self {
            body.version()
        } else if let Self::WakeTriggered(body) = self {
            body.version()
        } else if let Self::WakeScanned(body) = self {
            body.version()
        } else if let Self::MessageDelivered(body) = self {
            1 + u16::from(body.skipped.is_some())
        } else if let Self::MessageFetched(body) = self {
            1 + u16::from(body.chosen_by.is_some())
        } else if let Self::MemberJoined(MemberJoined { lease_ms, .. })
        | Self::MemberTakenOver(MemberTakenOver { lease_ms, .. })
        | Self::MemberChanged(MemberChanged { lease_ms, .. }) = self
        {
            if lease_ms.is_some() { 2 } else { 1 }
        } else if let Self::RunResumed(RunResumed { by, .. }) = self {
            if by.is_some() { 2 } else { 1 }
        } else {
            self.newest_version()
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

    /// Returns the kind of event that the record becomes.
    pub fn event_kind(&self) -> EventKind {
        match self {
            Self::PoolCreated(_) => EventKind::AgentPoolCreated,
            Self::PoolConfigured(_) => EventKind::AgentPoolConfigured,
            Self::EpochStarted(_) => EventKind::AgentPoolEpochStarted,
            Self::MemberJoined(_) => EventKind::AgentPoolRunJoined,
            Self::MemberTakenOver(_) => EventKind::RunTakenOver,
            Self::MemberChanged(_) => EventKind::AgentPoolRunChanged,
            Self::MemberLeft(_) => EventKind::AgentPoolRunLeft,
            Self::RunEnded(body) => ended_kind(body.end),
            Self::PoolResumed(_) => EventKind::AgentPoolResumed,
            Self::RunLost(_) => EventKind::RunLost,
            Self::RunResumed(_) => EventKind::RunResumed,
            Self::RunSuspended(_) => EventKind::RunSuspended,
            Self::DeadlockSuspected(_) => EventKind::AgentPoolDeadlockSuspected,
            Self::WakeOrphaned(_) => EventKind::WakeConditionOrphaned,
            Self::MessageAccepted(_) => EventKind::RunMessageAccepted,
            Self::MessageDelivered(_) => EventKind::RunMessageDelivered,
            Self::MessageFetched(_) => EventKind::RunMessageFetched,
            Self::MessageAcked(_) => EventKind::RunMessageAcked,
            Self::MessageReleased(_) => EventKind::RunMessageReleased,
            Self::MessageExtended(_) => EventKind::RunMessageExtended,
            Self::MessageFailed(_) | Self::MessageUnsatisfiable(_) => EventKind::RunMessageFailed,
            Self::MessageExpired(_) => EventKind::RunMessageExpired,
            Self::MessageSettled(_) => EventKind::RunMessageSettled,
            Self::MessageDeadLettered(_) => EventKind::RunMessageDeadLettered,
            Self::MessageReplayed(_) => EventKind::RunMessageReplayed,
            Self::MessageCancelled(_) => EventKind::RunMessageCancelled,
            Self::WakeRegistered(_) | Self::ConditionRegistered(_) => {
                EventKind::WakeConditionRegistered
            }
            Self::MessageResponded(_) => EventKind::RunMessageResponded,
            Self::MessageTimedOut(_) => EventKind::RunMessageTimedOut,
            Self::WakeScanned(_) => EventKind::WakeConditionScanned,
            Self::WakeFailed(_) => EventKind::WakeConditionFailed,
            Self::WakeTriggered(_) => EventKind::WakeConditionTriggered,
            Self::WakeTimedOut(_) => EventKind::WakeConditionTimedOut,
            Self::WakeCancelled(_) => EventKind::WakeConditionCancelled,
            Self::ApplicationEvent(body) => body.kind,
            Self::EffectIntended(_) => EventKind::EffectIntended,
            Self::EffectAttempted(_) => EventKind::EffectAttempted,
            Self::EffectCompleted(_) => EventKind::EffectCompleted,
            Self::EffectResultRefused(_) => EventKind::EffectResultRefused,
            Self::ContentErased(_) => EventKind::ContentErased,
            Self::ContentStored(_) => EventKind::ContentStored,
        }
    }
}

fn ended_kind(end: RunEnd) -> EventKind {
    match end {
        RunEnd::Failed => EventKind::RunFailed,
        RunEnd::Cancelled => EventKind::RunCancelled,
        RunEnd::Completed => EventKind::RunCompleted,
    }
}
