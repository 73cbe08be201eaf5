//! What a run waits for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Cursor, EventKind, Policies, RunId, RunState, Timestamp, WakeId, WakeStatus, vocab::vocabulary,
};

vocabulary! {
    /// Why a wake was cancelled.
    WakeReason {
        Requested = "requested",
        Left = "left",
        RunEnded = "run_ended",
        Policy = "policy",
    }
}

vocabulary! {
    /// Why a wake failed.
    WakeFailure {
        Trimmed = "trimmed",
    }
}

/// Why a wake ended without being triggered, beside its time being up.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum WakeWhy {
    /// It was cancelled.
    Cancelled(WakeReason),
    /// It failed: nobody can tell any more whether it would have been triggered.
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

/// From where on events can trigger a wake.
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
pub struct WakeMatch {
    /// Where the event stands.
    pub cursor: Cursor,
    /// The event's id: its cursor text.
    pub id: Cursor,
    /// The event's kind.
    pub kind: EventKind,
}

/// Where a wake stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WakeView {
    /// The wake.
    pub wake_id: WakeId,
    /// Who waits.
    pub run_id: RunId,
    /// The point where it begins: events after this one count.
    pub since: Cursor,
    /// Where it stands.
    pub status: WakeStatus,
    /// Why it was cancelled or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<WakeWhy>,
    /// The events that triggered it, as `resume_with` chose.
    pub matches: Vec<WakeMatch>,
    /// A line about the matches, as `resume_with` chose, and one for each of the first 16 that says
    /// something of itself, as far as the pool's wake policy shows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The record of the registration while it waits, of the end afterwards.
    pub cursor: Cursor,
    /// When it times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The policies that it carries: when its run does not hold one of them any more, it is cancelled.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// Where its run stands, when the wake suspends it: `suspended` until the wake ends or something
    /// else resumes the run, then `active`. Absent: it suspends nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_state: Option<RunState>,
}
