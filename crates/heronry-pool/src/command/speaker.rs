//! The member that is heard of by a command.

use heronry_types::{InstanceId, RunId};

use crate::{Caller, State, state::Member};

/// The party that is heard of by a command.
#[derive(Clone, Copy, Debug)]
pub enum Speaker<'a> {
    /// A run does something: the member itself, or an operator in its name. It is resumed if it was
    /// suspended, unless it is refused or repeats itself.
    Acting(&'a Caller, &'a RunId),
    /// A run is there, in the same way, and does nothing: it says so, or looks at what it has. This
    /// resumes nobody.
    Present(&'a Caller, &'a RunId),
    /// Somebody asks something.
    Asking(&'a Caller),
    /// A process joins as the run.
    Joining(&'a RunId, &'a InstanceId),
}

impl<'a> Speaker<'a> {
    /// Returns the run of a member that speaks for itself; nothing for an operator, and for who joins.
    pub fn own_run(self) -> Option<&'a RunId> {
        let caller = match self {
            Self::Acting(caller, _) | Self::Present(caller, _) | Self::Asking(caller) => caller,
            Self::Joining(..) => return None,
        };
        match caller {
            Caller::Operator => None,
            Caller::Member { run, .. } => Some(run),
        }
    }
}

impl Speaker<'_> {
    /// Returns the member that is heard of: the present generation, and not one that is fenced.
    pub(crate) fn member(self, state: &State) -> Option<&Member> {
        let (caller, named) = match self {
            Self::Acting(caller, run) | Self::Present(caller, run) => (caller, Some(run)),
            Self::Asking(caller) => (caller, None),
            Self::Joining(run, instance) => {
                let member = state.members.get(run);
                return member.filter(|member| member.instance == *instance);
            }
        };
        match caller {
            Caller::Operator => state.members.get(named?),
            Caller::Member { run, generation } => {
                let member = state.members.get(run);
                member.filter(|member| member.generation == *generation)
            }
        }
    }
}
