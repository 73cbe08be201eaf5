//! Opening, listing and changing pools.

use std::collections::BTreeMap;

use heronry_types::{
    AgentId, Broadcast, Cursor, Durability, EpochReason, Limits, Peering, Policies, PoolConfig,
    PoolId, PoolSpec, Retention, Settings, WakePayload,
};
use serde::{Deserialize, Serialize};

use crate::ConsumerEntry;

/// The configuration and settings that a caller names when it opens a pool; absent fields are not
/// compared. The body of `PUT …`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::pool_body())
)]
pub struct PoolBody {
    /// The rules for messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_policy: Option<MessagePolicyBody>,
    /// The rules for the payloads of wakes and views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_policy: Option<WakePolicyBody>,
    /// The policies that a member must hold to be seen and to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
    /// The policies that an agent's runs hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<BTreeMap<AgentId, Policies>>,
    /// Limits that differ from their defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The part of its journal that the pool keeps. By default everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// The rule who may send to whom: `wired` lets a member reach those that it has an edge with. By default
    /// every member reaches every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering: Option<Peering>,
}

/// The rules for messages of a pool: the policies that they must carry, and the reach of a broadcast.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessagePolicyBody {
    /// The policies that every message must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_policies: Option<Policies>,
    /// True when a broadcast to the pool reaches its sender, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_sender_in_pool_broadcast: Option<bool>,
}

/// The rules for the payloads of wakes and views.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WakePolicyBody {
    /// The largest part of an event's payload that a wake or a member's view may carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<WakePayload>,
}

impl PoolBody {
    /// Returns the specification of the pool that is asked for.
    pub fn into_spec(self) -> PoolSpec {
        let message_policy = self.message_policy.unwrap_or_default();
        let broadcast = message_policy.include_sender_in_pool_broadcast;
        PoolSpec {
            required_policies: message_policy.required_policies,
            broadcast: broadcast.map(|include| {
                if include {
                    Broadcast::IncludeSender
                } else {
                    Broadcast::ExcludeSender
                }
            }),
            wake_payload: self.wake_policy.and_then(|policy| policy.payload),
            policies: self.policies,
            grants: self.grants,
            limits: self.limits,
            retention: self.retention,
            peering: self.peering,
        }
    }
}

impl From<&PoolConfig> for PoolBody {
    fn from(config: &PoolConfig) -> Self {
        let include_sender = config.message_policy.broadcast == Broadcast::IncludeSender;
        Self {
            message_policy: Some(MessagePolicyBody {
                required_policies: Some(config.message_policy.required_policies.clone()),
                include_sender_in_pool_broadcast: Some(include_sender),
            }),
            wake_policy: Some(WakePolicyBody {
                payload: Some(config.wake_payload),
            }),
            policies: Some(config.policies.clone()),
            grants: config.grants.clone(),
            limits: None,
            retention: None,
            peering: None,
        }
    }
}

/// The source of the policies that members hold.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum PoliciesSource {
    /// The members hold the policies that grants or an operator give them.
    Granted,
    /// The members hold the policies that they name themselves.
    SelfAsserted,
}

/// A pool as it stands. The answer of `GET …`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolView {
    /// The id of the pool.
    pub pool: PoolId,
    /// The epoch of the pool's timeline: 32 hex digits.
    pub epoch: String,
    /// The cursor of the last record.
    pub head: Cursor,
    /// The lowest cursor that can be read from.
    pub floor: Cursor,
    /// The configuration of the pool.
    pub config: PoolBody,
    /// The settings of the pool, which can be changed.
    pub settings: Settings,
    /// Every limit with the value that holds, set or by default.
    #[serde(default)]
    pub limits: BTreeMap<String, u64>,
    /// The version of the settings; it rises with each change.
    pub settings_version: u64,
    /// The number of members.
    pub members: u64,
    /// The number of members that are lost: silent for longer than their leases.
    #[serde(default)]
    pub lost_members: u64,
    /// The number of members that are suspended.
    #[serde(default)]
    pub suspended_members: u64,
    /// The number of suspended members that are suspected to wait only on each other.
    #[serde(default)]
    pub deadlocked_members: u64,
    /// The number of wakes of suspended members that wait for something that no live member can do,
    /// as far as their filters say.
    #[serde(default)]
    pub orphaned_wakes: u64,
    /// The number of messages that are not over.
    pub live_messages: u64,
    /// The number of wakes that wait.
    pub live_wakes: u64,
    /// The number of subscriptions that are open.
    pub subscriptions: u64,
    /// The durability of the store for what it acknowledges.
    pub durability: Durability,
    /// The source of the policies that members hold.
    pub policies: PoliciesSource,
    /// The named consumers, for an operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<ConsumerEntry>,
    /// The newest 64 timelines of the journal, oldest first, for an operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timelines: Vec<TimelineEntry>,
}

/// A timeline of a pool: it goes on from the one before. Cursors of the one before are valid up to the start.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimelineEntry {
    /// The epoch that names the timeline: 32 hex digits.
    pub epoch: String,
    /// The cursor of its first record.
    pub start: Cursor,
    /// The reason why it started. Absent for the timeline that began with the pool, and when the record of the start
    /// was trimmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EpochReason>,
    /// The head that was acknowledged before, and that the journal does not hold any more. Absent where none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Cursor>,
}

/// A pool was created or opened. The answer of `PUT …`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolOpened {
    /// The pool.
    #[serde(flatten)]
    pub view: PoolView,
    /// The head.
    pub cursor: Cursor,
}

/// The pools of a store. The answer of `GET /v1/pools`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolList {
    /// The pools, sorted; a member sees its own.
    pub pools: Vec<PoolEntry>,
}

/// One pool of a [`PoolList`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolEntry {
    /// The pool.
    pub pool: PoolId,
}

/// A pool was deleted. The answer of `DELETE …`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolDeleted {
    /// The id of the pool.
    pub pool: PoolId,
    /// The head that the pool had. No cursor of it is one of a pool that is made under the name later.
    pub head: Cursor,
}

/// Asks to change the settings of a pool. The body of `PATCH …/settings`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::patch_settings())
)]
pub struct PatchSettings {
    /// The version that the caller has seen.
    pub expected_version: u64,
    /// Limits to set; others stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The part of its journal that the pool keeps; an empty one keeps everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// The rule who may send to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering: Option<Peering>,
}

/// The settings were changed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsChanged {
    /// The settings that hold now.
    pub settings: Settings,
    /// The version of these settings.
    pub settings_version: u64,
    /// The cursor of the record of the change.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
}
