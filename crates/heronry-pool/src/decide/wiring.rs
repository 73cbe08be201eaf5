//! Rules about the wiring of a pool: edges, aliases and labels. Whoever wires is an operator, or the steward.

mod aliases;
mod edges;
mod labels;

use heronry_journal::Body;
use heronry_types::{ManagedBy, StewardToken, WIRING_CHANGES_MAX};

use crate::{
    Caller, Rejection, State, WiringLimit,
    command::{Author, Decision, Draft},
    decide::{guard, roster::check_steward},
};

pub use aliases::{AliasLookup, FindAlias, ListAliases, NewAlias, RemoveAliases, SetAliases};
pub use edges::{ListEdges, UnwireEdges, WireEdges};
pub use labels::{LabelsOf, NewLabels, SetLabels};

/// The party that changes the wiring of a pool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WiredBy {
    /// Somebody does it by hand: an operator.
    Hand(Caller),
    /// The steward does it, by its token. What an operator looks after, it leaves alone.
    Steward(StewardToken),
}

impl WiredBy {
    /// Checks that the party may change the wiring, and returns who it is.
    fn admit(&self, state: &State) -> Result<ManagedBy, Rejection> {
        match self {
            Self::Hand(caller) => {
                guard::operator(caller)?;
                Ok(ManagedBy::Operator)
            }
            Self::Steward(token) => {
                check_steward(state, *token)?;
                Ok(ManagedBy::Steward)
            }
        }
    }
}

/// Checks that a request does not change too much at once.
fn check_changes(changes: usize) -> Result<(), Rejection> {
    check_room(WiringLimit::Changes, changes, WIRING_CHANGES_MAX)
}

/// Returns the decision that these bodies are recorded, in this order.
fn written(author: &Author, bodies: impl Iterator<Item = Body>) -> Decision {
    let entries: Vec<_> = bodies.map(|body| author.entry(body)).collect();
    if entries.is_empty() {
        Decision::Nothing
    } else {
        Decision::Write(Draft::of(entries))
    }
}

fn check_room(limit: WiringLimit, needed: usize, max: usize) -> Result<(), Rejection> {
    if needed > max {
        return Err(Rejection::TooMuchWiring { limit, max });
    }
    Ok(())
}
