//! Answers about the roster.

use heronry_types::{
    ContentRef, Cursor, Digest, Generation, InstanceId, Labels, MemberStanding, ModuleId,
    ModuleStanding, ReconcileCounts, RosterLayer, RunId, StewardToken,
};

use super::Done;

/// The answer to a steward that takes a pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stewardship {
    /// The token that each of its commands names.
    pub token: StewardToken,
    /// The record of the stewardship.
    pub done: Done,
    /// True when this instance had it before: then nothing was changed.
    pub repeated: bool,
}

/// The answer to who declares a layer of the roster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeclaredRoster {
    /// The revision of the roster.
    pub revision: u64,
    /// The record of the declaration, or the head when it was declared before.
    pub done: Done,
    /// True when it was declared before: then nothing was recorded.
    pub repeated: bool,
}

/// The steward of a pool, as others see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StewardView {
    /// The token of the stewardship.
    pub token: StewardToken,
    /// The instance that has it.
    pub instance: InstanceId,
    /// The fencing token of the owner with which it ends.
    pub owner: u64,
}

/// A layer of the roster, as it was declared last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LayerView {
    /// The layer.
    pub layer: RosterLayer,
    /// The revision of the roster with that declaration.
    pub revision: u64,
    /// The digest of what was declared.
    pub digest: Digest,
    /// The number of members.
    pub members: u64,
    /// The body with what was declared. `None`: it was not stored.
    pub content: Option<ContentRef>,
    /// The record of the declaration.
    pub cursor: Cursor,
}

/// The last reconcile of a pool with its roster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReconciledView {
    /// Its record.
    pub cursor: Cursor,
    /// The revision of the roster.
    pub revision: u64,
    /// The numbers of members that it found, and brought to their places.
    pub counts: ReconcileCounts,
}

/// The roster of a pool as a whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RosterView {
    /// The steward. `None` while there is none.
    pub steward: Option<StewardView>,
    /// The revision; 0 while nothing was declared.
    pub revision: u64,
    /// The layers that were declared, the lowest first.
    pub layers: Vec<LayerView>,
    /// The start of the timeline in which the roster was not applied yet. `None`: it is in force.
    pub not_applied_since: Option<Cursor>,
    /// The last reconcile. `None` before the first.
    pub reconciled: Option<ReconciledView>,
    /// The number of members that are specified.
    pub members: u64,
    /// The head at which it was read.
    pub as_of: Cursor,
}

/// A member of the roster, as others see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RosterRowView {
    /// The run.
    pub run: RunId,
    /// The digest of its spec.
    pub digest: Digest,
    /// The labels of its spec.
    pub labels: Labels,
    /// The layer that the spec comes from.
    pub layer: RosterLayer,
    /// The reason for which it was specified.
    pub why: Option<String>,
    /// The record that specified it so.
    pub specified: Cursor,
    /// Its standing. `None` before the first.
    pub stands: Option<StandingView>,
    /// The present joining of the run. `None` while it is no member.
    pub generation: Option<Generation>,
}

/// The standing of a member of the roster, as its steward said it last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandingView {
    /// The standing.
    pub standing: MemberStanding,
    /// The reason for it.
    pub why: Option<String>,
    /// The joining that stands so. `None`: the run was no member.
    pub generation: Option<Generation>,
    /// The record that says so.
    pub since: Cursor,
}

/// Some of the members of the roster, in order of their run ids.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RosterPage {
    /// The members.
    pub rows: Vec<RosterRowView>,
    /// The run after which the next page begins. `None` when there are no more members.
    pub next: Option<RunId>,
    /// The head at which they were read.
    pub as_of: Cursor,
}

/// A module, as others see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModuleView {
    /// The module.
    pub module: ModuleId,
    /// Its standing.
    pub standing: ModuleStanding,
    /// The reason for it.
    pub why: Option<String>,
    /// The record that says so.
    pub since: Cursor,
}

/// Some of the modules, in order of their ids.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModulePage {
    /// The modules.
    pub modules: Vec<ModuleView>,
    /// The module after which the next page begins. `None` when there are no more modules.
    pub next: Option<ModuleId>,
    /// The head at which they were read.
    pub as_of: Cursor,
}
