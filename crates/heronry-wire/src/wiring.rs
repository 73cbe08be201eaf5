//! The wiring of a pool: edges, aliases and labels.

use heronry_types::{Address, AliasName, AliasView, Cursor, Edge, EdgeView, Labels, RunId};
use serde::{Deserialize, Serialize};

/// The part of a path or a query that stands for any recipient, or any channel.
pub const ANY: &str = "*";

/// The query of `GET …/edges`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::edges_query())
)]
pub struct EdgesQuery {
    /// The largest number of edges in the page, at least 1. Absent: the pool's limit `page_items_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The first end of the edge after which the page begins; `after_b` goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_a: Option<RunId>,
    /// The other end of that edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_b: Option<RunId>,
}

/// Some of the edges of a pool, in the order of their ends.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgeList {
    /// The edges.
    pub edges: Vec<EdgeView>,
    /// The edge after which the next page begins; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Edge>,
    /// The head at which the edges were read.
    pub as_of: Cursor,
}

/// The query of `GET …/aliases`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::aliases_query())
)]
pub struct AliasesQuery {
    /// The largest number of aliases in the page, at least 1. Absent: the pool's limit `page_items_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The recipient of the alias after which the page begins, `*` for any; `after_channel` goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_recipient: Option<String>,
    /// The channel of that alias, `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_channel: Option<String>,
}

/// Some of the aliases of a pool, in the order of their names; those of any recipient come first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AliasList {
    /// The aliases.
    pub aliases: Vec<AliasView>,
    /// The alias after which the next page begins; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<AliasName>,
    /// The head at which the aliases were read.
    pub as_of: Cursor,
}

/// Asks that an alias leads to an address. The body of `PUT …/aliases/{recipient}/{channel}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::put_alias())
)]
pub struct PutAlias {
    /// The address; no alias.
    pub to: Address,
}

/// Asks to replace all labels. The body of `PUT …/labels` and `PUT …/members/{run}/labels`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::put_labels())
)]
pub struct PutLabels {
    /// The labels by their names; none clears them.
    pub labels: Labels,
}

/// The labels of a run or of a pool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LabelsShown {
    /// The labels by their names.
    pub labels: Labels,
    /// The head at which the labels were read.
    pub as_of: Cursor,
}
