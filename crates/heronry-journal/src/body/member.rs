//! Records about members. The run, agent and session stand in the lineage.

use heronry_types::{
    EventKind, Generation, InstanceId, Millis, Policies, Position, ResumedBy, RunEnd, Timestamp,
    TopicId, Undeliverable, WakeId,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

#[cfg(test)]
mod samples;

/// A run joined. Its generation is the position of this record.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemberJoined {
    /// The process that joined.
    #[n(0)]
    pub instance: InstanceId,
    /// The policies that the member holds.
    #[n(1)]
    #[cbor(default)]
    pub policies: Policies,
    /// The topics that the member lists, sorted and distinct.
    #[n(2)]
    pub topics: Vec<TopicId>,
    /// The number of members of the pool, this one included.
    #[n(3)]
    pub members: u64,
    /// The lease: the time that the member may be silent before it is lost. Absent: it has no limit.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
}

impl RecordBody for MemberJoined {
    const NUMBER: u16 = 10;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1 + u16::from(self.lease_ms.is_some())
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolRunJoined
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// Another instance took a run over. Its generation is the position of this record.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemberTakenOver {
    /// The process that took over.
    #[n(0)]
    pub instance: InstanceId,
    /// The policies that the member holds: never more than its predecessor.
    #[n(1)]
    #[cbor(default)]
    pub policies: Policies,
    /// The topics that the member lists, sorted and distinct.
    #[n(2)]
    pub topics: Vec<TopicId>,
    /// The number of members of the pool, which a takeover does not change.
    #[n(3)]
    pub members: u64,
    /// The generation that is fenced.
    #[n(4)]
    pub predecessor: Generation,
    /// The lease: the time that the member may be silent before it is lost. Absent: it has no limit.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
}

impl RecordBody for MemberTakenOver {
    const NUMBER: u16 = 11;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1 + u16::from(self.lease_ms.is_some())
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunTakenOver
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Departs);
    }
}

/// A member changed its topics or its lease.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChanged {
    /// The topics that the member lists from here on, sorted and distinct.
    #[n(0)]
    pub topics: Vec<TopicId>,
    /// The lease from here on: the time that the member may be silent before it is lost. Absent: it
    /// has no limit.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
}

impl RecordBody for MemberChanged {
    const NUMBER: u16 = 12;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1 + u16::from(self.lease_ms.is_some())
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolRunChanged
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// A member was silent for longer than its lease. It stays a member; its claims are given back by
/// the next records of the same append.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunLost {
    /// The generation that has been silent.
    #[n(0)]
    pub generation: Generation,
    /// The time at which the member leaves, unless it is heard of before.
    #[n(1)]
    pub kept_until: Timestamp,
}

impl RecordBody for RunLost {
    const NUMBER: u16 = 16;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunLost
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}

/// A run is suspended. Until it goes on, its lease does not run, and its claims do not lapse.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunSuspended {
    /// The generation that is suspended.
    #[n(0)]
    pub generation: Generation,
    /// The wakes of the run whose ends resume it, oldest first.
    #[n(1)]
    pub wakes: Vec<WakeName>,
    /// The time at which the run goes on in any case; absent when no time resumes it.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl RecordBody for RunSuspended {
    const NUMBER: u16 = 18;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunSuspended
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        self.wakes.iter().map(Touch::Wake).for_each(touched);
    }
}

/// A wake, by its registration and its id.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WakeName {
    /// The position of the registration.
    #[n(0)]
    pub registered: Position,
    /// The id of the wake.
    #[n(1)]
    pub wake_id: WakeId,
}

/// A run goes on: a lost member was heard of again, or a suspended run was resumed, as the same
/// generation. Its lease begins again; the claims of a suspended run hold for their terms again.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunResumed {
    /// The generation that is back.
    #[n(0)]
    pub generation: Generation,
    /// The cause for which a suspended run goes on. Absent: the run was lost. Since version 2.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ResumedBy>,
}

impl RecordBody for RunResumed {
    const NUMBER: u16 = 17;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1 + u16::from(self.by.is_some())
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunResumed
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Resumes);
    }
}

/// A member left: its queued and claimed copies end as undeliverable with it.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemberLeft {
    /// The generation that ends.
    #[n(0)]
    pub generation: Generation,
    /// The reason why its copies could not be handed over.
    #[n(1)]
    pub reason: Undeliverable,
    /// The number of members of the pool that stay.
    #[n(2)]
    pub members: u64,
}

impl RecordBody for MemberLeft {
    const NUMBER: u16 = 13;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolRunLeft
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Departs);
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// A run ended, and left with that.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunEnded {
    /// The generation that ends.
    #[n(0)]
    pub generation: Generation,
    /// The end of the run.
    #[n(1)]
    pub end: RunEnd,
    /// A short text from the one who ended the run.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The number of members of the pool that stay.
    #[n(3)]
    pub members: u64,
}

impl RecordBody for RunEnded {
    const NUMBER: u16 = 14;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = true;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        self.end.event_kind()
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Departs);
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}
