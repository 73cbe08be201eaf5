//! Orders to the runtime that keeps a pool as it was declared.

use heronry_types::{Cursor, ReconcileCounts, ReconcileFailure, RunId};
use serde::{Deserialize, Serialize};

/// Asks the runtime that keeps a pool to bring it to its roster. The body of `POST …/reconcile`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::reconcile())
)]
pub struct ReconcileRequest {
    /// True when the actions are only to be told: nothing is done then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plan: bool,
}

/// The answer to a reconcile: its plan, or its report.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReconcileAnswer {
    /// The actions in the order in which they would be taken, one text each; absent unless `plan` was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    /// The report of what was done; absent when `plan` was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReconcileOutcome>,
    /// The head of the pool.
    pub as_of: Cursor,
}

/// The outcome of a reconcile. One failure stops nothing else.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReconcileOutcome {
    /// The revision of the roster.
    pub revision: u64,
    /// True when everything is as it is declared.
    pub is_complete: bool,
    /// The numbers of members.
    pub members: ReconcileCounts,
    /// The numbers of edges.
    pub edges: EdgeCounts,
    /// The failures.
    pub failures: Vec<ReconcileFailure>,
}

/// The numbers of edges that a reconcile found and brought to their places.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgeCounts {
    /// The number of edges that were as they should be.
    pub retained: u64,
    /// The number of edges that an operator had wired before, and looks after.
    pub preexisting: u64,
    /// The number of edges that were wired.
    pub wired: u64,
    /// The number of edges that were wired again because somebody had removed them by hand.
    pub healed: u64,
    /// The number of edges that were unwired.
    pub unwired: u64,
    /// The number of edges that were let go, because they could not be used any more.
    pub pruned: u64,
    /// The number of edges that have an end that is no member.
    pub skipped_missing_members: u64,
}

/// A member was ordered to start or to stop. How it stands then, its roster shows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberOrdered {
    /// The member.
    pub run_id: RunId,
    /// The head of the pool.
    pub as_of: Cursor,
}
