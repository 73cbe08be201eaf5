//! What is said of a wake that waits: what was near, and what was in the way.

use heronry_types::{Cursor, DistinctBy, EventKind, Policies, RunId, WakeId, WakeStatus};
use serde::{Deserialize, Serialize};

use crate::filter::FailedClause;

/// Why a wake has not been triggered, in the light of the newest events. Nothing here comes from an
/// event that the waiting run may not see.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WakeExplanation {
    /// The wake.
    pub wake_id: WakeId,
    /// Who waits.
    pub run_id: RunId,
    /// Where it stands.
    pub status: WakeStatus,
    /// What it waits for, in canonical form.
    pub condition: String,
    /// Events after this one count.
    pub since: Cursor,
    /// Events after this one were looked at.
    pub after: Cursor,
    /// And up to this one: the head, or the end of the wake.
    pub until: Cursor,
    /// How many of them the waiting run may see.
    pub events: u64,
    /// How much it adds to the cost of an event, which the limits `wake_cost_per_run_max` and
    /// `wake_cost_per_pool_max` are about.
    #[serde(default)]
    pub cost: u64,
    /// Whether it waits for what no live member can do.
    pub orphaned: bool,
    /// The record that suspects its run, which is suspended for it, to wait only on runs that wait on
    /// it. Absent: it is not suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspected_deadlock: Option<Cursor>,
    /// The policies that it carries, which its run has to hold as long as it waits.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// Its filters, in the order in which they stand in the condition.
    pub clauses: Vec<FilterExplanation>,
}

/// How far one filter of a wake has come.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FilterExplanation {
    /// The filter, in canonical form.
    pub filter: String,
    /// How many events it has to keep.
    pub needed: u32,
    /// What has to be another one in each of them; absent when it needs one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_by: Option<DistinctBy>,
    /// How many of the events that were looked at count.
    pub counted: u32,
    /// How many more it keeps that came too early to count.
    pub early: u64,
    /// The newest of those that came too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_early: Option<EarlyEvent>,
    /// How many came close: one comparison failed, and others held.
    pub close: u64,
    /// What failed in those that came close, most frequent first.
    pub missing: Vec<MissingClause>,
    /// The event that came closest, the newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closest: Option<ClosestEvent>,
    /// Live members that could still do what it keeps.
    pub could: Could,
}

/// An event that a filter keeps, and that came before the wake begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EarlyEvent {
    /// The cursor of the event.
    pub cursor: Cursor,
    /// Its kind.
    pub kind: EventKind,
    /// The point where a wake has to begin so that the event counts: the one before the event.
    pub since: Cursor,
}

/// A comparison that alone kept events from being kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MissingClause {
    /// The comparison, as filter text.
    pub clause: String,
    /// How many events failed it and nothing else.
    pub events: u64,
    /// What they had in that place, most frequent first; at most five values.
    pub seen: Vec<SeenValue>,
}

/// A value that events had.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SeenValue {
    /// The value, as filter text.
    pub value: String,
    /// How many had it.
    pub events: u64,
}

/// An event that a filter nearly kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ClosestEvent {
    /// Where it stands.
    pub cursor: Cursor,
    /// Its kind.
    pub kind: EventKind,
    /// The comparisons that failed.
    pub failed: Vec<FailedClause>,
}

/// Members in whose name an event could come.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Could {
    /// How many.
    pub count: u64,
    /// The first hundred, in order of their ids.
    pub runs: Vec<RunId>,
}
