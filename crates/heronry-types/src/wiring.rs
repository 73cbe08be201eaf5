//! The wiring of a pool: who may talk to whom, which names lead where, and what is noted about runs.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Address, ChannelId, Cursor, Edge, EdgeStanding, ManagedBy, RunId};

/// The most edges of one pool.
pub const EDGES_MAX: usize = 250_000;
/// The most aliases of one pool.
pub const ALIASES_MAX: usize = 50_000;
/// The most runs of one pool that have labels.
pub const LABELLED_RUNS_MAX: usize = 50_000;
/// The most edges, aliases or labelled things that one request changes.
pub const WIRING_CHANGES_MAX: usize = 1_000;

/// An edge of a pool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgeView {
    /// The runs at its ends; they need not be members.
    #[serde(flatten)]
    pub edge: Edge,
    /// The party that looks after it.
    pub managed_by: ManagedBy,
    /// The standing of the edge: whether its ends may talk to each other.
    pub standing: EdgeStanding,
    /// The record that made it so.
    pub cursor: Cursor,
}

/// The recipient and the channel that an alias stands for.
#[derive(
    Clone, Debug, Decode, Deserialize, Encode, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AliasName {
    /// The recipient; absent: any.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RunId>,
    /// The channel of that recipient; absent: any.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
}

/// An alias of a pool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AliasView {
    /// The recipient and the channel that it stands for.
    #[serde(flatten)]
    pub alias: AliasName,
    /// The address that it leads to.
    pub to: Address,
    /// The party that looks after it.
    pub managed_by: ManagedBy,
    /// The record that made it so.
    pub cursor: Cursor,
}
