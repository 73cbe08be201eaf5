//! The callers of commands.

use heronry_types::{Actor, Generation, RunId};

/// The party that was authenticated for a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Caller {
    /// An operator; it may act for any run by naming it.
    Operator,
    /// One joining of a run; it acts as that run only.
    Member {
        /// The run.
        run: RunId,
        /// The generation of the joining.
        generation: Generation,
    },
}

impl Caller {
    /// Returns the actor that records of this caller's commands name.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Operator => Actor::Operator,
            Self::Member { run, generation } => Actor::Member {
                run: run.clone(),
                generation: *generation,
            },
        }
    }

    /// Returns the caller's own run; nothing for an operator.
    pub fn own_run(&self) -> Option<&RunId> {
        match self {
            Self::Operator => None,
            Self::Member { run, .. } => Some(run),
        }
    }

    /// Returns the run that is named, or the caller's own; nothing for an operator that names none.
    pub(crate) fn run_or_own<'a>(&'a self, named: Option<&'a RunId>) -> Option<&'a RunId> {
        named.or(self.own_run())
    }
}
