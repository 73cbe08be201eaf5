//! The explanation of a wake that waits: the events that came near, and the comparisons that failed.

use heronry_types::{Cursor, DistinctBy, EventKind, Policies, RunId, WakeId, WakeStatus};
use serde::{Deserialize, Serialize};

use crate::filter::FailedClause;

/// An explanation, from the newest events, of why a wake has not been triggered. Nothing in it
/// comes from an event that the waiting run may not see.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WakeExplanation {
    /// The id of the wake.
    pub wake_id: WakeId,
    /// The run that waits.
    pub run_id: RunId,
    /// The status of the wake.
    pub status: WakeStatus,
    /// The condition of the wake, in canonical form.
    pub condition: String,
    /// The cursor after which events count.
    pub since: Cursor,
    /// The cursor after which events were looked at.
    pub after: Cursor,
    /// The cursor up to which events were looked at: the head, or the end of the wake.
    pub until: Cursor,
    /// The number of events that were looked at: those that the waiting run may see. Events about
    /// wakes are among them only when the wake asks for such events.
    pub events: u64,
    /// The wake's share of the cost of an event, in compared values. The limits
    /// `wake_cost_per_run_max` and `wake_cost_per_pool_max` are about this number.
    #[serde(default)]
    pub cost: u64,
    /// True when the wake waits for something that no live member can do.
    pub orphaned: bool,
    /// The record that suspects a deadlock: the run, suspended for this wake, waits only on runs
    /// that wait on it. Absent: there is no such suspicion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspected_deadlock: Option<Cursor>,
    /// The policies that the wake carries. Its run has to hold them as long as it waits.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// The filters of the wake, in the order in which they stand in the condition.
    pub clauses: Vec<FilterExplanation>,
}

/// The progress of one filter of a wake.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilterExplanation {
    /// The filter, in canonical form.
    pub filter: String,
    /// The number of events that the filter has to keep.
    pub needed: u32,
    /// The part that must differ between these events; absent when one event is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_by: Option<DistinctBy>,
    /// The number of events that count, among those that were looked at.
    pub counted: u32,
    /// The number of events that the filter keeps and that came too early to count.
    pub early: u64,
    /// The newest of the events that came too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_early: Option<EarlyEvent>,
    /// The number of events that came close: one comparison failed, and others held.
    pub close: u64,
    /// The comparisons that failed in the events that came close, most frequent first.
    pub missing: Vec<MissingClause>,
    /// The event that came closest; among equals, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closest: Option<ClosestEvent>,
    /// The live members that could still do what the filter keeps.
    pub could: Could,
}

/// An event that a filter keeps, and that came before the wake begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EarlyEvent {
    /// The cursor of the event.
    pub cursor: Cursor,
    /// The kind of the event.
    pub kind: EventKind,
    /// The cursor at which a wake has to begin so that the event counts: the one just before the event.
    pub since: Cursor,
}

/// A comparison that was the only one to fail for some events.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MissingClause {
    /// The comparison, as filter text.
    pub clause: String,
    /// The number of events that failed this comparison and no other, counted for 1,000 different
    /// values at the most.
    pub events: u64,
    /// The values that those events had instead, most frequent first; at most five.
    pub seen: Vec<SeenValue>,
}

/// A value that events had in the place of a comparison.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeenValue {
    /// The value, as filter text.
    pub value: String,
    /// The number of events that had the value.
    pub events: u64,
}

/// An event that a filter nearly kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClosestEvent {
    /// The cursor of the event.
    pub cursor: Cursor,
    /// The kind of the event.
    pub kind: EventKind,
    /// The comparisons that failed for the event.
    pub failed: Vec<FailedClause>,
}

/// The members in whose name an event could come.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Could {
    /// The number of such members.
    pub count: u64,
    /// The first hundred of them, in order of their ids.
    pub runs: Vec<RunId>,
}
