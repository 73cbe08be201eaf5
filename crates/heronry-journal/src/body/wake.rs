//! Records about wakes. The waiting run stands in the lineage.

use heronry_types::{
    Condition, EventKind, IdempotencyKey, Millis, Policies, Position, ResumeWith, RunId,
    SuspendFor, Timestamp, WakeFailure, WakeId, WakeReason,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

use crate::{
    body::{RequestHash, WakeName},
    hex::{deserialize_hex, serialize_hex},
};

#[cfg(test)]
mod samples;

/// Returns the number of versions, of the records that name events, that do not know the kind. No further
/// kind is listed here: later builds name a word that they do not know.
fn came_after(kind: EventKind) -> u16 {
    let first = [
        EventKind::EffectResultRefused,
        EventKind::AgentPoolDeadlockSuspected,
        EventKind::WakeConditionOrphaned,
    ];
    if kind == EventKind::ContentStored {
        3
    } else if kind == EventKind::ContentErased {
        2
    } else {
        u16::from(first.contains(&kind))
    }
}

/// Returns the number of versions that do not know one of these events.
fn newest<'a>(events: impl IntoIterator<Item = &'a WakeTriggeredBy>) -> u16 {
    let versions = events.into_iter().map(|by| came_after(by.kind));
    versions.max().unwrap_or(0)
}

/// A run began to wait. The wake is referred to by the position of this record.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeRegistered {
    /// The id of the wake; unique per (pool, run).
    #[n(0)]
    pub wake_id: WakeId,
    /// The canonical text of the filter.
    #[n(1)]
    pub filter: String,
    /// The version of the filter language.
    #[n(2)]
    pub language: u16,
    /// The SHA-256 fingerprint of the filter.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(deserialize_with = "deserialize_hex", serialize_with = "serialize_hex")]
    pub fingerprint: [u8; 32],
    /// The position after which events trigger the wake.
    #[n(4)]
    pub since: Position,
    /// The longest time that the wake waits, in milliseconds; absent: without end.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Millis>,
    /// The time at which the wake times out; absent without a timeout.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The form in which the wake hands its matches to its waiter.
    #[n(7)]
    pub resume_with: ResumeWith,
    /// True when the wake is also triggered by events about wakes, and about runs that suspend and resume.
    #[n(8)]
    pub include_wakes: bool,
    /// The key of the request.
    #[n(9)]
    pub idempotency_key: IdempotencyKey,
    /// The hash of the request.
    #[n(10)]
    pub request_hash: RequestHash,
    /// The position up to which earlier events are still to be looked through; none triggers the
    /// wake before that is done. Absent: they were looked through already. Since version 2.
    #[n(11)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_to: Option<Position>,
    /// The term of the suspension, when the run is suspended while it waits. Absent: the run is not
    /// suspended. Since version 3.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspends: Option<SuspendFor>,
    /// The policies that the wake carries, which its run has to hold as long as it waits; absent:
    /// none. Since version 4.
    #[n(13)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Box<Policies>>,
}

impl RecordBody for WakeRegistered {
    const NUMBER: u16 = 40;
    const NEWEST_VERSION: u16 = 4;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        match (&self.policies, self.suspends, self.scan_to) {
            (Some(_), _, _) => 4,
            (None, Some(_), _) => 3,
            (None, None, Some(_)) => 2,
            (None, None, None) => 1,
        }
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionRegistered
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.policies
            .iter()
            .for_each(|it| touched(Touch::Policies(it)));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// A run began to wait for a condition of more than one filter. The wake is referred to by the
/// position of this record.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionRegistered {
    /// The fields of every registration. The canonical text and the fingerprint are those of the
    /// whole condition.
    #[n(0)]
    pub wake: WakeRegistered,
    /// The condition; its leaves are canonical texts of filters.
    #[n(1)]
    pub condition: Condition,
    /// The earlier events that count already.
    #[n(2)]
    pub counted: Vec<CountedEvent>,
}

impl RecordBody for ConditionRegistered {
    const NUMBER: u16 = 44;
    const NEWEST_VERSION: u16 = 6;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        let carries = self.wake.policies.is_some();
        match newest(self.counted.iter().map(|counted| &counted.by)) {
            // The fifth version came between the second of these kinds and the third.
            later if later > 2 => 3 + later,
            _ if carries => 5,
            // Who suspends its run is followed by *run suspended*, which says so to older builds.
            0 => self.wake.version().min(2),
            later => 2 + later,
        }
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionRegistered
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake.wake_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.wake.touches(touched);
    }
}

/// An event that counts for one filter of a condition.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CountedEvent {
    /// The number of the filter, from 0 in the order in which the filters stand in the condition.
    #[n(0)]
    pub clause: u32,
    /// The event that counts.
    #[n(1)]
    pub by: WakeTriggeredBy,
    /// The hash of the part that must differ between the events that count: the first half of its BLAKE3.
    #[n(2)]
    pub distinct: DistinctHash,
}

/// The earlier events of a wake were looked through.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeScanned {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
    /// The events that count, up to the one at which the condition holds.
    #[n(2)]
    pub counted: Vec<CountedEvent>,
}

impl RecordBody for WakeScanned {
    const NUMBER: u16 = 45;
    const NEWEST_VERSION: u16 = 4;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1 + newest(self.counted.iter().map(|counted| &counted.by))
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionScanned
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// A wake failed: nobody can tell any more whether it was triggered.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeFailed {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
    /// The reason why the wake failed.
    #[n(2)]
    pub why: WakeFailure,
}

impl RecordBody for WakeFailed {
    const NUMBER: u16 = 49;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionFailed
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::WakeEnds(self.registered));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// The hash of the part that must differ between the events that count.
#[derive(
    Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct DistinctHash(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(deserialize_with = "deserialize_hex", serialize_with = "serialize_hex")]
    pub [u8; 16],
);

/// One event that triggered a wake.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeTriggeredBy {
    /// The position of the event.
    #[n(0)]
    pub position: Position,
    /// The kind of the event.
    #[n(1)]
    pub kind: EventKind,
}

/// A wake was triggered.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeTriggered {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
    /// The events, first match first.
    #[n(2)]
    pub matches: Vec<WakeTriggeredBy>,
    /// True when more wakes that the same event triggers follow in the next append.
    #[n(3)]
    pub more_follow: bool,
}

impl RecordBody for WakeTriggered {
    const NUMBER: u16 = 41;
    const NEWEST_VERSION: u16 = 4;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1 + newest(&self.matches)
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionTriggered
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::WakeEnds(self.registered));
    }
}

/// A wake timed out.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeTimedOut {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
}

impl RecordBody for WakeTimedOut {
    const NUMBER: u16 = 42;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionTimedOut
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::WakeEnds(self.registered));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// Suspended runs wait only on each other, as far as their filters say.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlockSuspected {
    /// The runs, sorted; at most 500 of them.
    #[n(0)]
    pub runs: Vec<RunId>,
    /// The wakes that suspend them; at most 500 of them.
    #[n(1)]
    pub wakes: Vec<WakeName>,
}

impl RecordBody for DeadlockSuspected {
    const NUMBER: u16 = 46;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolDeadlockSuspected
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        let runs = self.runs.iter().map(Touch::Run);
        runs.chain(self.wakes.iter().map(Touch::Wake))
            .for_each(touched);
    }
}

/// A wake that suspends its run waits for something that no live member can do, as far as its filters say.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeOrphaned {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
}

impl RecordBody for WakeOrphaned {
    const NUMBER: u16 = 47;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionOrphaned
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// A wake was cancelled.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeCancelled {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
    /// The reason why the wake was cancelled.
    #[n(2)]
    pub reason: WakeReason,
}

impl RecordBody for WakeCancelled {
    const NUMBER: u16 = 43;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::WakeConditionCancelled
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Wake(&self.wake_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::WakeEnds(self.registered));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}
