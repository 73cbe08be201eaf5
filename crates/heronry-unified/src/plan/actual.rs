//! The state that a pool is in, as the plan needs it.

use std::{collections::BTreeMap, time::Duration};

use heronry_host::RestartRule;
use heronry_types::{
    Address, AliasName, Digest, Edge, EdgeStanding, Labels, ManagedBy, MemberStanding, ModuleId,
    Peering, RosterLayer, RunId, TopicId,
};

/// The state that a pool is in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// The digest of the roster that was applied last; `None` before the first.
    pub roster: Option<Digest>,
    /// The runs that are members, or stand in the roster.
    pub members: BTreeMap<RunId, ActualMember>,
    /// The edges that are known.
    pub edges: BTreeMap<Edge, ActualEdge>,
    /// The aliases.
    pub aliases: BTreeMap<AliasName, ActualAlias>,
    /// The modules that run, or have a standing.
    pub modules: BTreeMap<ModuleId, ActualModule>,
    /// The rule who may send to whom.
    pub peering: Peering,
}

/// The tie between a run and the pool.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MembershipState {
    /// The run is no member.
    #[default]
    Stranger,
    /// The run is a member.
    Member,
    /// The run has ended, for good.
    Ended,
}

/// The process of a member or a module, by the digest of the spec that it is started with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ProcessState {
    /// There is none, and none is on its way.
    #[default]
    None,
    /// It runs, or is being started.
    Of(Digest),
}

/// The rules by which a member is looked after while it runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SupervisionRules {
    /// The rule of restarts.
    pub restart: RestartRule,
    /// The time without activity after which it is retired, or falls asleep.
    pub idle_after: Option<Duration>,
}

/// A run as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActualMember {
    /// The digest of its recorded spec; `None`: it does not stand in the roster.
    pub specified: Option<Digest>,
    /// The layer of its recorded spec.
    pub layer: Option<RosterLayer>,
    /// The labels of its recorded spec.
    pub labels: Labels,
    /// The topics that it lists, sorted.
    pub topics: Vec<TopicId>,
    /// The rules by which it is looked after; `None` when nobody has looked after it yet.
    pub rules: Option<SupervisionRules>,
    /// The tie to the pool.
    pub membership: MembershipState,
    /// The standing of its present joining.
    pub standing: Option<MemberStanding>,
    /// True when its standing came about under the roster that was applied last.
    pub is_settled: bool,
    /// Its process.
    pub process: ProcessState,
}

/// An edge that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ActualEdge {
    /// The party that looks after it.
    pub managed_by: ManagedBy,
    /// Its standing.
    pub standing: EdgeStanding,
}

/// An alias that is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActualAlias {
    /// The address that it leads to.
    pub to: Address,
    /// The party that looks after it.
    pub managed_by: ManagedBy,
}

/// A module as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ActualModule {
    /// Its process.
    pub process: ProcessState,
    /// True when it was given up under the roster that was applied last.
    pub is_given_up: bool,
}
