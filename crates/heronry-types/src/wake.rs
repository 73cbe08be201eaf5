//! Wakes: the ends, the matches and the state of one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Cursor, EventKind, Policies, RunId, RunState, Timestamp, WakeId, WakeStatus, vocab::vocabulary,
};

vocabulary! {
    /// The reason why a wake was cancelled.
    WakeReason {
        Requested = "requested",
        Left = "left",
        RunEnded = "run_ended",
        Policy = "policy",
    }
}

vocabulary! {
    /// The reason why a wake failed.
    WakeFailure {
        Trimmed = "trimmed",
    }
}

/// The reason why a wake was cancelled or failed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum WakeWhy {
    /// The wake was cancelled.
    Cancelled(WakeReason),
    /// The wake failed: nobody can tell any more whether it would have been triggered.
    Failed(WakeFailure),
}

impl From<WakeReason> for WakeWhy {
    fn from(reason: WakeReason) -> Self {
        Self::Cancelled(reason)
    }
}

impl From<WakeFailure> for WakeWhy {
    fn from(why: WakeFailure) -> Self {
        Self::Failed(why)
    }
}

impl fmt::Display for WakeWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(reason) => reason.fmt(f),
            Self::Failed(why) => why.fmt(f),
        }
    }
}

/// The point from which on events can trigger a wake.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Since {
    /// From the oldest record that is kept.
    Start,
    /// From the wake's own registration on.
    #[default]
    Head,
    /// After this cursor.
    Cursor(Cursor),
}

/// An event that triggered a wake.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WakeMatch {
    /// The cursor of the event.
    pub cursor: Cursor,
    /// The event's id: its cursor text.
    pub id: Cursor,
    /// The event's kind.
    pub kind: EventKind,
}

/// A wake as the pool shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WakeView {
    /// The id of the wake.
    pub wake_id: WakeId,
    /// The run that waits.
    pub run_id: RunId,
    /// The cursor after which events count.
    pub since: Cursor,
    /// The status of the wake.
    pub status: WakeStatus,
    /// The reason why the wake was cancelled or failed; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<WakeWhy>,
    /// The events that triggered the wake, as `resume_with` chose.
    pub matches: Vec<WakeMatch>,
    /// The summary of the matches, when `resume_with` chose it: a line about all of them, and a line for
    /// each of the first 16 that has a summary of its own, as far as the pool's wake policy shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The cursor of a record: of the registration while the wake waits, of its end afterwards.
    pub cursor: Cursor,
    /// The time at which the wake times out; absent when it has no timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The policies that the wake carries. It is cancelled when its run does not hold one of them any more.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// The state of the run that the wake suspends: `suspended` until the wake ends or something
    /// else resumes the run, then `active`. Absent: the wake suspends nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_state: Option<RunState>,
}
