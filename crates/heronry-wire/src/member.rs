//! Joining, listing, changing and ending members.

use heronry_types::{
    AgentId, Cursor, Durability, Generation, InstanceId, MemberStanding, Millis, Policies, RunId,
    RunState, SessionId, Timestamp, TopicId, WakeId,
};
use serde::{Deserialize, Serialize};

use crate::{ClaimName, MemberToken, chosen};

/// Asks to join, or to take a run over. The body of `POST …/members`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::join())
)]
pub struct Join {
    /// The run.
    #[serde(deserialize_with = "chosen::id")]
    pub run_id: RunId,
    /// The agent that the run is an execution of.
    #[serde(deserialize_with = "chosen::id")]
    pub agent_id: AgentId,
    /// The topics that the member lists.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "chosen::list"
    )]
    pub topics: Vec<TopicId>,
    /// The policies that the member holds. Absent: those that its agent is granted, or those that
    /// it held before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
    /// The session that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The name of the process that joins; the same one gets the same answer. Absent: a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The lease in milliseconds: the time that the member may be silent before it is lost. Every
    /// request as the run renews it. Absent or zero: it has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
    /// True when a run that is a member already is to be refused (`run-taken`), and not taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new: bool,
}

impl Join {
    /// Returns a request without topics, policies, session, instance or lease.
    pub fn new(run_id: RunId, agent_id: AgentId) -> Self {
        Self {
            run_id,
            agent_id,
            topics: Vec::new(),
            policies: None,
            session_id: None,
            instance: None,
            lease_ms: None,
            new: false,
        }
    }
}

/// A run joined.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Joined {
    /// The run.
    pub run_id: RunId,
    /// The agent of the run.
    pub agent_id: AgentId,
    /// The generation of the run.
    pub generation: Generation,
    /// The cursor of the record of the joining.
    pub cursor: Cursor,
    /// The token that the member shows with each request.
    pub member_token: MemberToken,
    /// The number of copies that wait in the member's inbox.
    pub unread: u64,
    /// The durability of the store.
    pub durability: Durability,
    /// The live generation that this joining took over, and fenced. Absent: the run was no member.
    /// A repeat of the same instance has the same value here, and took nothing over (status 200).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
}

/// The generation that a joining took over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TakenOver {
    /// The generation; its further requests are refused as `fenced`.
    pub generation: Generation,
    /// The time at which the generation was last heard of. Absent: not since the server opened the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// A page of the members of a pool. The answer of `GET …/members`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberList {
    /// The members, sorted by run.
    pub members: Vec<MemberView>,
    /// The run to name as `after` for the next page. Absent: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RunId>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// One member as it stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberView {
    /// The run.
    pub run_id: RunId,
    /// The agent of the run.
    pub agent_id: AgentId,
    /// The session that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The generation of the run.
    pub generation: Generation,
    /// The topics that the member lists.
    pub topics: Vec<TopicId>,
    /// The policies that the member holds.
    pub policies: Policies,
    /// The number of copies that wait in the member's inbox.
    pub unread: u64,
    /// The lease in milliseconds: the time that the member may be silent before it is lost. Absent:
    /// it has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
    /// The time at which the member was last heard of. Absent: not since the server opened the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// The time at which a lost member leaves, unless it is heard of before. Absent: it is not lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_until: Option<Timestamp>,
    /// The state of the run: `active` or `suspended`.
    #[serde(default)]
    pub state: RunState,
    /// The standing of this generation in the roster. Absent: the steward of the pool did not say one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<MemberStanding>,
    /// The suspension of the run. Absent: it is not suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendedView>,
}

/// The suspension of a run: the wakes and the time that can end it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuspendedView {
    /// The cursor of the record that suspended the run.
    pub cursor: Cursor,
    /// The wakes of the run whose ends resume it, oldest first.
    pub wakes: Vec<WakeId>,
    /// The time at which the run goes on in any case. Absent: it may wait forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The record that suspects a deadlock: the run waits only on runs that wait on it. Absent:
    /// there is no such suspicion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspected_deadlock: Option<Cursor>,
    /// The wakes of the run that wait for something that no live member can do, as far as their filters say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphaned: Vec<WakeId>,
}

/// Asks to change a member. The body of `PATCH …/members/{run}`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::patch_member())
)]
pub struct PatchMember {
    /// The topics that the member lists from here on.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "chosen::may_list"
    )]
    pub topics: Option<Vec<TopicId>>,
    /// The lease in milliseconds from here on: the time that the member may be silent before it is
    /// lost. Zero: it has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
}

/// Sets the state of a run: it has ended, it is suspended, or it goes on. The body of
/// `POST …/members/{run}/state`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::set_state())
)]
pub struct SetState {
    /// The state: completed, failed or cancelled; suspended; active.
    pub state: RunState,
    /// A short text about the end of the run, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Suspended: the wakes of the run whose ends resume it, beside an urgent message and anything
    /// that the run does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wakes: Option<Vec<WakeId>>,
    /// Suspended: the longest time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Millis>,
    /// Suspended: true when there is no timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forever: Option<bool>,
    /// Suspended: the claims that are given back; the others are held, and do not lapse meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Vec<ClaimName>>,
}

impl SetState {
    /// Returns a request that says nothing else.
    pub fn of(state: RunState) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }
}

/// The state of a run was set; a suspended run may have gone on at once. The answer of
/// `POST …/members/{run}/state`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StateChanged {
    /// The cursor of the record of the change; the head when nothing had to change.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
    /// The state of the run now: active when something that resumes it was there already.
    #[serde(default)]
    pub state: RunState,
}
