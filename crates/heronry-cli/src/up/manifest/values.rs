//! Values of keys that can be written in more than one way, or that nobody may see.

use std::fmt;

use heronry_host::RestartRule;
use heronry_types::{ReadyWhen, RestartPolicy, RunsUntil, Vocabulary};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};

use crate::durations::TimeSpan;

/// Reads a span of time from a text.
pub(super) fn span<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<TimeSpan>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(Error::custom)
}

/// Reads the sign of readiness.
pub(super) fn ready<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ReadyWhen>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let ready = ReadyWhen::from_wire(&text);
    ready.map(Some).map_err(|_| {
        Error::custom(format_args!(
            "{text:?} is not known; known: none, first_command, line"
        ))
    })
}

/// Reads the time until which a member runs.
pub(super) fn until<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RunsUntil>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let until = RunsUntil::from_wire(&text);
    until.map(Some).map_err(|_| {
        Error::custom(format_args!(
            "{text:?} is not known; known: exited, stopped"
        ))
    })
}

/// The value of a variable. No error and no `Debug` text shows it.
#[derive(Clone)]
pub(super) struct SecretText(pub(super) String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

/// Refuses a value without showing it.
fn refused<E: Error>() -> E {
    E::invalid_type(Unexpected::Other("something else"), &SecretVisitor)
}

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as the value of a variable")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretText, E> {
        Ok(SecretText(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretText, E> {
        Err(refused())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretText, E> {
        Err(refused())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<SecretText, E> {
        Err(refused())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretText, E> {
        Err(refused())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<SecretText, A::Error> {
        Err(refused())
    }
}

/// The rule by which something is started again: the name of a policy, or a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestartValue(pub(super) RestartRule);

#[derive(Debug, Deserialize)]
pub(super) struct RestartTable {
    #[serde(default, deserialize_with = "policy")]
    pub(super) policy: Option<RestartPolicy>,
    pub(super) budget: Option<u32>,
    #[serde(default, deserialize_with = "span")]
    pub(super) backoff: Option<TimeSpan>,
    #[serde(default, deserialize_with = "span")]
    pub(super) window: Option<TimeSpan>,
}

impl RestartTable {
    fn rule(&self) -> RestartRule {
        let default = RestartRule::of(self.policy.unwrap_or(RestartPolicy::OnFailure));
        RestartRule {
            budget: self.budget.unwrap_or(default.budget),
            backoff: self.backoff.map_or(default.backoff, |it| it.0.into()),
            window: self.window.map_or(default.window, |it| it.0.into()),
            ..default
        }
    }
}

/// Returns the policy of a name; the older spelling has hyphens.
fn policy_of(text: &str) -> Option<RestartPolicy> {
    RestartPolicy::from_wire(&text.replace('-', "_")).ok()
}

fn unknown_policy<E: Error>(text: &str) -> E {
    E::custom(format_args!(
        "{text:?} is not known; known: never, on_failure, always"
    ))
}

fn policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RestartPolicy>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let policy = policy_of(&text).ok_or_else(|| unknown_policy(&text))?;
    Ok(Some(policy))
}

impl<'de> Deserialize<'de> for RestartValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RestartVisitor)
    }
}

struct RestartVisitor;

impl<'de> Visitor<'de> for RestartVisitor {
    type Value = RestartValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy, or a table with policy, budget, backoff and window")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RestartValue, E> {
        let policy = policy_of(text).ok_or_else(|| unknown_policy(text))?;
        Ok(RestartValue(RestartRule::of(policy)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RestartValue, A::Error> {
        let table = RestartTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RestartValue(table.rule()))
    }
}
