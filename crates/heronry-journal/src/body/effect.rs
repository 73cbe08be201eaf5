//! Records about effects. The run that has the effect done stands in the lineage.

use heronry_types::{EffectFault, EffectResult, EventKind, Generation, IdempotencyKey, Position};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

use crate::body::RequestHash;

#[cfg(test)]
mod samples;

/// The key of an effect that may be done again, and the hash of its request.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EffectKey {
    /// The key.
    #[n(0)]
    pub idempotency_key: IdempotencyKey,
    /// The hash of the request.
    #[n(1)]
    pub request_hash: RequestHash,
}

/// A run intends an effect. The effect is referred to by the position of this record.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EffectIntended {
    /// The work that is intended, in a few words.
    #[n(0)]
    pub what: String,
    /// The generation of the run that intends the effect.
    #[n(1)]
    pub generation: Generation,
    /// The key under which the effect may be done again; absent when it has none.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<EffectKey>,
}

impl RecordBody for EffectIntended {
    const NUMBER: u16 = 51;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::EffectIntended
    }

    fn subject(&self) -> Subject<'_> {
        Subject::IntendedEffect
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}

    fn note(&self) -> Option<&str> {
        Some(&self.what)
    }
}

/// An effect is about to be done.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EffectAttempted {
    /// The position of the intent.
    #[n(0)]
    pub intended: Position,
    /// The number of the attempt, from 1.
    #[n(1)]
    pub attempt: u32,
    /// The generation of the run that the effect belongs to from here on.
    #[n(2)]
    pub generation: Generation,
}

impl RecordBody for EffectAttempted {
    const NUMBER: u16 = 52;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::EffectAttempted
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Effect(self.intended)
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// An effect has ended.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EffectCompleted {
    /// The position of the intent.
    #[n(0)]
    pub intended: Position,
    /// The attempt that this is the result of; absent when the effect was resolved from outside.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The result of the effect.
    #[n(2)]
    pub result: EffectResult,
}

impl RecordBody for EffectCompleted {
    const NUMBER: u16 = 53;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::EffectCompleted
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Effect(self.intended)
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}

    fn note(&self) -> Option<&str> {
        self.result.note.as_deref()
    }
}

/// A result of an effect was refused, and changes nothing.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EffectResultRefused {
    /// The position of the intent, as it was named.
    #[n(0)]
    pub intended: Position,
    /// The number of the attempt, as it was named.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The result that was refused.
    #[n(2)]
    pub result: EffectResult,
    /// The reason why the result was refused.
    #[n(3)]
    pub fault: EffectFault,
}

impl RecordBody for EffectResultRefused {
    const NUMBER: u16 = 54;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::EffectResultRefused
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Effect(self.intended)
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}

    fn note(&self) -> Option<&str> {
        self.result.note.as_deref()
    }
}
