//! Joining, listing, changing and ending members.

use heronry_types::{
    AgentId, Cursor, Durability, Generation, InstanceId, Millis, Policies, RunId, RunState,
    SessionId, Timestamp, TopicId, WakeId,
};
use serde::{Deserialize, Serialize};

use crate::{ClaimName, MemberToken, chosen};

/// Asks to join, or to take a run over. The body of `POST …/members`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Join {
    /// The run.
    #[serde(deserialize_with = "chosen::id")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub run_id: RunId,
    /// The agent that it is a run of.
    #[serde(deserialize_with = "chosen::id")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub agent_id: AgentId,
    /// The topics that it lists.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "chosen::list"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub topics: Vec<TopicId>,
    /// The policies that it holds. Absent: what its agent is granted, or what it held before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::policies_if_any))]
    pub policies: Option<Policies>,
    /// The session that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub session_id: Option<SessionId>,
    /// Which process joins; the same one gets the same answer. Absent: a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub instance: Option<InstanceId>,
    /// How long it may be silent before it is lost; every request as the run renews it. Absent or
    /// zero: forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub lease_ms: Option<Millis>,
    /// True: a run that is a member already is refused (`run-taken`), and not taken over.
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Joined {
    /// The run.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub run_id: RunId,
    /// Its agent.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub agent_id: AgentId,
    /// Which joining this is.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub generation: Generation,
    /// The record of the joining.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// What the member shows with each request.
    pub member_token: MemberToken,
    /// How many copies wait in its inbox.
    pub unread: u64,
    /// How safely the store keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
    /// The live generation that this joining took over, and fenced. Absent: the run was no member. A
    /// repeat of the same instance says the same, and took nothing over (status 200).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
}

/// The generation that a joining took over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TakenOver {
    /// The generation; what it still asks is refused as `fenced`.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub generation: Generation,
    /// When it was last heard of. Absent: not since the server opened the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub last_seen: Option<Timestamp>,
}

/// A page of the members of a pool. The answer of `GET …/members`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberList {
    /// The members, sorted by run.
    pub members: Vec<MemberView>,
    /// What to name as `after` for the next page. Absent: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub next: Option<RunId>,
    /// The head at which they were read.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub as_of: Cursor,
}

/// One member as it stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberView {
    /// The run.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub run_id: RunId,
    /// Its agent.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub agent_id: AgentId,
    /// The session that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub session_id: Option<SessionId>,
    /// Which joining this is.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub generation: Generation,
    /// The topics that it lists.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub topics: Vec<TopicId>,
    /// The policies that it holds.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::policies))]
    pub policies: Policies,
    /// How many copies wait in its inbox.
    pub unread: u64,
    /// How long it may be silent before it is lost. Absent: forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub lease_ms: Option<Millis>,
    /// When it was last heard of. Absent: not since the server opened the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub last_seen: Option<Timestamp>,
    /// It is lost, and leaves then unless it is heard of before. Absent: it is not lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub lost_until: Option<Timestamp>,
    /// Where it stands: `active` or `suspended`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: RunState,
    /// What it waits for. Absent: it is not suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendedView>,
}

/// What a suspended run waits for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuspendedView {
    /// The record that suspended it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// Its wakes whose ends resume it, oldest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub wakes: Vec<WakeId>,
    /// When it goes on whatever happened. Absent: it may wait forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub until: Option<Timestamp>,
    /// The record that suspects it to wait only on runs that wait on it. Absent: it is not suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub suspected_deadlock: Option<Cursor>,
    /// Those of its wakes that wait for what no live member can do, as far as their filters say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub orphaned: Vec<WakeId>,
}

/// Asks to change a member. The body of `PATCH …/members/{run}`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PatchMember {
    /// The topics that it lists from here on.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "chosen::may_list"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub topics: Option<Vec<TopicId>>,
    /// How long it may be silent from here on before it is lost. Zero: forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub lease_ms: Option<Millis>,
}

/// Says where a run stands: how it ended, that it is suspended, or that it goes on. The body of
/// `POST …/members/{run}/state`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetState {
    /// completed, failed or cancelled; suspended; active.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: RunState,
    /// How it ended, in a short text, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Suspended: its wakes whose ends resume it, beside an urgent message and whatever it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub wakes: Option<Vec<WakeId>>,
    /// Suspended: how long at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
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

/// A run stands where it was asked to, or went on at once. The answer of
/// `POST …/members/{run}/state`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateChanged {
    /// The record of the change; the head when nothing had to change.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// How safely the store keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
    /// Where the run stands now: active when what it was to wait for was there already.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: RunState,
}
