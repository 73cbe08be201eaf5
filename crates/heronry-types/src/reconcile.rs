//! Reconciles of a pool with its roster: counts and failures.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ChannelId, Edge, ModuleId, ReconcileStage, RunId};

/// The most failures that the record of one reconcile tells.
pub const RECONCILE_FAILURES_MAX: usize = 64;

/// The numbers of members that a reconcile found and brought to their places.
#[derive(
    Clone, Copy, Debug, Decode, Default, Deserialize, Encode, Eq, Hash, PartialEq, Serialize,
)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReconcileCounts {
    /// The number of members that the roster has.
    #[n(0)]
    pub desired: u64,
    /// The number of members that were as they should be.
    #[n(1)]
    pub retained: u64,
    /// The number of members that were changed in place.
    #[n(2)]
    pub changed: u64,
    /// The number of members that were started.
    #[n(3)]
    pub started: u64,
    /// The number of members that were restarted.
    #[n(4)]
    pub restarted: u64,
    /// The number of members that were retired.
    #[n(5)]
    pub retired: u64,
    /// The number of members that are members without a process.
    #[n(6)]
    pub dormant: u64,
    /// The number of things that failed.
    #[n(7)]
    pub failed: u64,
}

/// The declared entry that something is told of.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum DeclaredEntry {
    /// A member.
    #[n(0)]
    Run(#[n(0)] RunId),
    /// A module.
    #[n(1)]
    Module(#[n(0)] ModuleId),
    /// An edge.
    #[n(2)]
    Edge(#[n(0)] Edge),
    /// An alias.
    #[n(3)]
    Alias {
        /// The recipient; absent: any.
        #[n(0)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recipient: Option<RunId>,
        /// The channel; absent: any.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelId>,
    },
}

/// A failure of a reconcile. It stopped nothing else.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReconcileFailure {
    /// The entry that it is about.
    #[n(0)]
    pub of: DeclaredEntry,
    /// The step that failed.
    #[n(1)]
    pub stage: ReconcileStage,
    /// The kind of the failure, for programs: a word.
    #[n(2)]
    pub kind: String,
    /// The failure, for people.
    #[n(3)]
    pub message: String,
}
