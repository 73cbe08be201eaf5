//! The configuration and the settings of a pool.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{AgentId, Limits, Peering, Policies, Retention, WakePayload};

/// The rule for a broadcast to the pool: its sender is left out, or receives it too.
#[derive(Clone, Copy, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Broadcast {
    /// The sender is left out.
    #[default]
    #[n(0)]
    ExcludeSender,
    /// The sender is a recipient like the others.
    #[n(1)]
    IncludeSender,
}

/// The rules for messages of a pool: the policies that they must carry, and the reach of a broadcast.
#[derive(Clone, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessagePolicy {
    /// The policies that every message must carry.
    #[n(0)]
    #[cbor(default)]
    pub required_policies: Policies,
    /// The rule for the sender of a broadcast.
    #[n(1)]
    pub broadcast: Broadcast,
}

/// The configuration of a pool; fixed when the pool is created.
#[derive(Clone, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// The rules for messages.
    #[n(0)]
    pub message_policy: MessagePolicy,
    /// The largest part of an event's payload that a wake or a member's view may carry.
    #[n(1)]
    pub wake_payload: WakePayload,
    /// The policies that a member must hold to be seen and to see.
    #[n(2)]
    #[cbor(default)]
    pub policies: Policies,
    /// The policies that an agent's runs hold; absent when members assert their own.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<BTreeMap<AgentId, Policies>>,
}

/// The settings of a pool, which can be changed while it lives.
#[derive(Clone, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// Limits that differ from their defaults.
    #[n(0)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    /// The part of its journal that the pool keeps. Absent: everything.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// The rule who may send to whom. Absent: every member reaches every other.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering: Option<Peering>,
}

impl Settings {
    /// Returns the rule who may send to whom.
    pub fn peering(&self) -> Peering {
        self.peering.unwrap_or_default()
    }
}

/// The configuration and settings that a caller names when it opens a pool. Absent fields are not compared.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PoolSpec {
    /// [`MessagePolicy::required_policies`].
    pub required_policies: Option<Policies>,
    /// [`MessagePolicy::broadcast`].
    pub broadcast: Option<Broadcast>,
    /// [`PoolConfig::wake_payload`].
    pub wake_payload: Option<WakePayload>,
    /// [`PoolConfig::policies`].
    pub policies: Option<Policies>,
    /// [`PoolConfig::grants`].
    pub grants: Option<BTreeMap<AgentId, Policies>>,
    /// [`Settings::limits`]; each limit that is named is compared.
    pub limits: Option<Limits>,
    /// [`Settings::retention`].
    pub retention: Option<Retention>,
    /// [`Settings::peering`].
    pub peering: Option<Peering>,
}

impl PoolSpec {
    /// Returns the configuration that a new pool gets.
    pub fn config(&self) -> PoolConfig {
        PoolConfig {
            message_policy: MessagePolicy {
                required_policies: self.required_policies.clone().unwrap_or_default(),
                broadcast: self.broadcast.unwrap_or_default(),
            },
            wake_payload: self.wake_payload.unwrap_or_default(),
            policies: self.policies.clone().unwrap_or_default(),
            grants: self.grants.clone(),
        }
    }

    /// Returns the settings that a new pool gets.
    pub fn settings(&self) -> Settings {
        Settings {
            limits: self.limits.clone().unwrap_or_default(),
            retention: self.retention.and_then(Retention::normalised),
            peering: self.peering.and_then(Peering::normalised),
        }
    }

    /// Returns the names of the fields that are asked for and differ from an existing pool.
    pub fn conflicts(&self, config: &PoolConfig, settings: &Settings) -> Vec<&'static str> {
        fn differs<T: PartialEq>(asked: Option<&T>, found: &T) -> bool {
            asked.is_some_and(|asked| asked != found)
        }
        let retention_differs = self
            .retention
            .is_some_and(|asked| asked.normalised() != settings.retention);
        let limits_differ = self
            .limits
            .iter()
            .flat_map(Limits::iter)
            .any(|(name, value)| settings.limits.get(name) != value);
        [
            (
                "message_policy.required_policies",
                differs(
                    self.required_policies.as_ref(),
                    &config.message_policy.required_policies,
                ),
            ),
            (
                "message_policy.include_sender_in_pool_broadcast",
                differs(self.broadcast.as_ref(), &config.message_policy.broadcast),
            ),
            (
                "wake_policy.payload",
                differs(self.wake_payload.as_ref(), &config.wake_payload),
            ),
            (
                "policies",
                differs(self.policies.as_ref(), &config.policies),
            ),
            (
                "grants",
                self.grants.is_some() && self.grants != config.grants,
            ),
            ("limits", limits_differ),
            ("retention", retention_differs),
            (
                "peering",
                differs(self.peering.as_ref(), &settings.peering()),
            ),
        ]
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Millis;

    fn conflicts(asked: Retention, found: Option<Retention>) -> Vec<&'static str> {
        let spec = PoolSpec {
            retention: Some(asked),
            ..PoolSpec::default()
        };
        let settings = Settings {
            retention: found,
            ..Settings::default()
        };
        spec.conflicts(&PoolConfig::default(), &settings)
    }

    #[test]
    fn a_retention_conflicts_with_another_one_and_not_with_what_it_made() {
        let nothing = Retention::default();
        let least = Retention {
            keep_min: Some(3),
            ..nothing
        };
        let young = Retention {
            age_ms: Some(Millis::from_secs(60)),
            ..least
        };
        let small = Retention {
            bytes: Some(0),
            ..nothing
        };
        for asked in [nothing, least, young, small] {
            let spec = PoolSpec {
                retention: Some(asked),
                ..PoolSpec::default()
            };
            let made = spec.settings().retention;
            assert_eq!(conflicts(asked, made), [""; 0], "{asked:?}");
        }
        for (asked, found) in [
            (nothing, Some(young)),
            (least, Some(young)),
            (young, None),
            (young, Some(small)),
        ] {
            assert_eq!(conflicts(asked, found), ["retention"], "{asked:?}");
        }
    }
}
