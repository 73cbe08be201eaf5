//! The things that a host runs: one life of a run, or a module.

use heronry_types::{AgentId, Generation, ModuleId, PoolId, RunId};

/// One life of a run: from one joining to the next. A restart is another incarnation of the same run.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Incarnation {
    /// The pool.
    pub pool: PoolId,
    /// The run.
    pub run: RunId,
    /// The agent that it is a run of.
    pub agent: AgentId,
    /// The generation of the joining.
    pub generation: Generation,
}

/// The thing that a host runs.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HostedSubject {
    /// An incarnation of a member.
    Member(Incarnation),
    /// A module of a pool.
    Module {
        /// The pool.
        pool: PoolId,
        /// The module.
        module: ModuleId,
        /// The incarnation of the run that the module acts as; `None` for one that is no member.
        acts_as: Option<Incarnation>,
    },
}

impl HostedSubject {
    /// Returns the pool.
    pub fn pool(&self) -> &PoolId {
        match self {
            Self::Member(incarnation) => &incarnation.pool,
            Self::Module { pool, .. } => pool,
        }
    }

    /// Returns the incarnation whose token it gets; `None` for a module that is no member.
    pub fn incarnation(&self) -> Option<&Incarnation> {
        match self {
            Self::Member(incarnation) => Some(incarnation),
            Self::Module { acts_as, .. } => acts_as.as_ref(),
        }
    }

    /// Returns the name by which people know it: a run's or a module's.
    pub fn name(&self) -> &str {
        match self {
            Self::Member(incarnation) => incarnation.run.as_str(),
            Self::Module { module, .. } => module.as_str(),
        }
    }
}
