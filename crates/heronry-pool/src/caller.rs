//! Who asks.

use heronry_types::{Actor, Generation, RunId};

/// Who was authenticated for a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Caller {
    /// An operator; it may act for any run by naming it.
    Operator,
    /// One joining of a run; it acts as that run only.
    Member {
        /// The run.
        run: RunId,
        /// Which joining.
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
}
