//! Waiting for events.

use std::{borrow::Cow, fmt, str::FromStr};

use heronry_types::{
    Condition, Count, Cursor, CursorError, Durability, IdempotencyKey, Millis, Policies,
    ResumeWith, RunId, Since, WakeId, WakeView,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{ClaimName, chosen};

/// The point after which events count. JSON: `start`, `head` or cursor text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^(start|head|[0-9a-f]{32}-(0|[1-9][0-9]*))$")))]
pub struct SinceText(#[cfg_attr(feature = "schema", schemars(with = "String"))] pub Since);

impl FromStr for SinceText {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        Ok(Self(match text {
            "start" => Since::Start,
            "head" => Since::Head,
            cursor => Since::Cursor(Cursor::parse(cursor)?),
        }))
    }
}

impl fmt::Display for SinceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Since::Start => f.write_str("start"),
            Since::Head => f.write_str("head"),
            Since::Cursor(cursor) => cursor.fmt(f),
        }
    }
}

impl Serialize for SinceText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SinceText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Asks to be woken. The body of `POST …/wakes`. The idempotency key may come as a header instead.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::register_wake()), schemars(extend("x-exactly-one-of" = ["filter", "any_of", "all_of", "count"]))
)]
pub struct RegisterWake {
    /// The wake's id; absent: derived from the idempotency key.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "chosen::may"
    )]
    pub wake_id: Option<WakeId>,
    /// The run that waits. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// A filter, as text: the wake waits for one event that it keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Conditions of which one has to hold: texts of filters, or objects with one of `filter`,
    /// `any_of`, `all_of` and `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Condition>>,
    /// Conditions that all have to come to hold, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_of: Option<Vec<Condition>>,
    /// A count of several events: `n`, `filter`, and `distinct_by` (event, message, run, or the
    /// default subject), the part that must differ between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
    /// The point after which events count. Absent: `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<SinceText>,
    /// The longest time that the wake waits, in milliseconds. Absent: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Millis>,
    /// The form in which the wake hands its matches to its waiter. Absent: `matching_event_refs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_with: Option<ResumeWith>,
    /// True when events about wakes, and about runs that suspend and resume, count. Absent: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_wakes: Option<bool>,
    /// The idempotency key: the same key with the same request has the same outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// The policies that the wake carries: its run has to hold them, now and as long as it waits.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// The time in milliseconds that this call waits for the end of the wake. Absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<Millis>,
    /// True when the run is suspended until the wake ends. Meanwhile its lease does not run, and
    /// its claims do not lapse. An urgent message, or anything that the run does, resumes it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspends_run: Option<bool>,
    /// With `suspends_run`: true when there is no timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forever: Option<bool>,
    /// With `suspends_run`: the claims that are given back; the others are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Vec<ClaimName>>,
}

impl RegisterWake {
    /// Returns a request to wait for this filter under this key.
    pub fn new(filter: impl Into<String>, idempotency_key: IdempotencyKey) -> Self {
        Self {
            filter: Some(filter.into()),
            idempotency_key: Some(idempotency_key),
            ..Self::default()
        }
    }

    /// Takes the condition out.
    ///
    /// # Errors
    /// [`NotOneCondition`] when there is none, or more than one.
    pub fn take_condition(&mut self) -> Result<Condition, NotOneCondition> {
        let given = [
            self.filter.take().map(Condition::Filter),
            self.any_of.take().map(Condition::AnyOf),
            self.all_of.take().map(Condition::AllOf),
            self.count.take().map(Condition::Count),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(condition), None) => Ok(condition),
            (None, _) => Err(NotOneCondition::Missing),
            (Some(_), Some(_)) => Err(NotOneCondition::Several),
        }
    }
}

/// The error for a request to be woken that has no condition, or more than one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotOneCondition {
    /// There is no condition.
    #[error("say what to wait for: one of filter, any_of, all_of and count")]
    Missing,
    /// There is more than one.
    #[error(
        "name only one of filter, any_of, all_of and count; they stand in each other as conditions"
    )]
    Several,
}

impl RegisterWake {
    /// Returns a request to wait for this condition under this key.
    pub fn of(condition: Condition, idempotency_key: IdempotencyKey) -> Self {
        let mut wake = Self {
            idempotency_key: Some(idempotency_key),
            ..Self::default()
        };
        match condition {
            Condition::Filter(filter) => wake.filter = Some(filter),
            Condition::AnyOf(parts) => wake.any_of = Some(parts),
            Condition::AllOf(parts) => wake.all_of = Some(parts),
            Condition::Count(count) => wake.count = Some(count),
        }
        wake
    }
}

/// A wake was registered or cancelled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WakeChanged {
    /// The wake.
    #[serde(flatten)]
    pub wake: WakeView,
    /// The durability of the store.
    pub durability: Durability,
}

/// A page of the wakes that wait, oldest first. The answer of `GET …/wakes`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WakeList {
    /// The wakes; a member sees its own.
    pub wakes: Vec<WakeView>,
    /// The last wake here, after which the next page goes on; absent when there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
    /// The head at which they were read.
    pub as_of: Cursor,
}
