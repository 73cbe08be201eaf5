//! What a run waits for.

use serde::{Deserialize, Serialize};

use crate::{Cursor, EventKind, RunId, Timestamp, WakeId, WakeStatus, vocab::vocabulary};

vocabulary! {
    /// Why a wake was cancelled or failed.
    WakeReason {
        Requested = "requested",
        Left = "left",
        RunEnded = "run_ended",
        Policy = "policy",
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
    /// Where it stands.
    pub status: WakeStatus,
    /// Why it was cancelled or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<WakeReason>,
    /// The events that triggered it, as `resume_with` chose.
    pub matches: Vec<WakeMatch>,
    /// A line about the matches, as `resume_with` chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The record of the registration while it waits, of the end afterwards.
    pub cursor: Cursor,
    /// When it times out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}
