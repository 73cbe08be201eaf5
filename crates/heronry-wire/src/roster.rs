//! The roster: who keeps the pool as it was declared, its members, and the modules beside them.

use heronry_types::{
    ContentRef, Cursor, Digest, Generation, InstanceId, Labels, MemberStanding, ModuleId,
    ModuleStanding, ReconcileCounts, RosterLayer, RunId, StewardToken,
};
use serde::{Deserialize, Serialize};

/// The query of `GET …/roster`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::roster_query())
)]
pub struct RosterQuery {
    /// The largest number of members in the page, at least 1. Absent: the pool's limit `page_items_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The run after which the page begins, in the order of run ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RunId>,
}

/// The query of `GET …/modules`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::modules_query())
)]
pub struct ModulesQuery {
    /// The largest number of modules in the page, at least 1. Absent: the pool's limit `page_items_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The module after which the page begins, in the order of ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ModuleId>,
}

/// The steward of a pool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StewardEntry {
    /// The token of the stewardship.
    pub token: StewardToken,
    /// The instance that has it.
    pub instance: InstanceId,
}

/// A layer of the roster, as it was declared last.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LayerEntry {
    /// The layer.
    pub layer: RosterLayer,
    /// The revision of the roster with that declaration.
    pub revision: u64,
    /// The digest of what was declared.
    pub digest: Digest,
    /// The number of members of the layer.
    pub members: u64,
    /// The body with what was declared. Absent: it was not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_ref: Option<ContentRef>,
    /// The record of the declaration.
    pub cursor: Cursor,
}

/// The last reconcile of a pool with its roster.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReconciledEntry {
    /// The record of the reconcile.
    pub cursor: Cursor,
    /// The revision of the roster.
    pub revision: u64,
    /// The numbers of members that it found, and brought to their places.
    pub counts: ReconcileCounts,
}

/// A member of the roster.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RosterEntry {
    /// The run.
    pub run_id: RunId,
    /// The standing. Absent: nobody said one yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<MemberStanding>,
    /// The reason for the standing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The record of the standing. Absent: nobody said one yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Cursor>,
    /// The generation of which the standing was said. Absent: the run was no member then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_in: Option<Generation>,
    /// The present generation of the run. Absent: it is no member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The layer that the spec comes from.
    pub layer: RosterLayer,
    /// The digest of the spec.
    pub digest: Digest,
    /// The labels of the spec.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The reason for which the member was specified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specified_because: Option<String>,
    /// The record that specified the member so.
    pub specified: Cursor,
}

/// The roster of a pool: its state as a whole, and a page of its members. The answer of `GET …/roster`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RosterList {
    /// The steward. Absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steward: Option<StewardEntry>,
    /// The revision of the roster; 0 while nothing was declared.
    pub revision: u64,
    /// The layers that were declared.
    pub layers: Vec<LayerEntry>,
    /// The start of the timeline in which the roster was not applied yet: nobody is started there. Absent: it is
    /// in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applied_since: Option<Cursor>,
    /// The last reconcile. Absent: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<ReconciledEntry>,
    /// The members of the page, sorted by run.
    pub members: Vec<RosterEntry>,
    /// The run to name as `after` for the next page. Absent: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RunId>,
    /// The head at which the page was read.
    pub as_of: Cursor,
}

/// A module.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModuleEntry {
    /// The module.
    pub module: ModuleId,
    /// The standing.
    pub standing: ModuleStanding,
    /// The reason for the standing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The record of the standing.
    pub since: Cursor,
}

/// A page of the modules of a pool. The answer of `GET …/modules`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModuleList {
    /// The modules, sorted by id.
    pub modules: Vec<ModuleEntry>,
    /// The module to name as `after` for the next page. Absent: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ModuleId>,
    /// The head at which the page was read.
    pub as_of: Cursor,
}
