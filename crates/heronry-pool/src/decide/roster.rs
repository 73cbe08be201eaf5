//! Rules about the roster: who keeps the pool as it was declared, what was declared, and what became of it.

mod declare;
mod dormant;
mod looks;
mod modules;
mod specify;
mod standings;
mod steward;
mod told;

use std::collections::HashSet;

use heronry_types::{RunId, StewardToken};

use crate::{Rejection, RosterFault, State};

pub use declare::{DeclareRoster, RosterDeclaration};
pub use looks::{DescribeRoster, ListModules, ListRoster};
pub use modules::SetModuleStanding;
pub use specify::{SpecifiedMember, SpecifyMembers};
pub use standings::{SetStandings, StandingOf};
pub use steward::{OnHeld, ReleaseSteward, TakeSteward};
pub use told::{RecordReconcile, RecordRuntimeError};

/// The most entries of one batch about the roster.
pub const ROSTER_BATCH_MAX: usize = 1_000;

/// The authority that changes what a pool is kept as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authority {
    /// An operator, by hand.
    ByHand,
    /// The steward of the pool.
    Steward(StewardToken),
}

impl Authority {
    /// Checks that a steward still is the steward.
    pub(in crate::decide) fn check(self, state: &State) -> Result<(), Rejection> {
        match self {
            Self::ByHand => Ok(()),
            Self::Steward(token) => check_steward(state, token),
        }
    }

    /// Returns the stewardship, when it is one.
    pub(in crate::decide) fn steward(self) -> Option<StewardToken> {
        match self {
            Self::ByHand => None,
            Self::Steward(token) => Some(token),
        }
    }
}

/// Checks that a stewardship has not ended.
pub(in crate::decide) fn check_steward(
    state: &State,
    token: StewardToken,
) -> Result<(), Rejection> {
    let steward = state.roster.steward.as_ref();
    if steward.is_some_and(|steward| steward.token == token) {
        Ok(())
    } else {
        Err(Rejection::StewardFenced)
    }
}

/// Checks that a batch is not too long.
pub(in crate::decide) fn check_batch(entries: usize) -> Result<(), Rejection> {
    if entries > ROSTER_BATCH_MAX {
        let (actual, max) = (entries, ROSTER_BATCH_MAX);
        return Err(RosterFault::BatchTooLong { actual, max }.into());
    }
    Ok(())
}

/// Checks that a batch is not too long, and names each run once.
fn check_runs<'a>(runs: impl ExactSizeIterator<Item = &'a RunId>) -> Result<(), Rejection> {
    check_batch(runs.len())?;
    let mut named = HashSet::new();
    for run in runs {
        if !named.insert(run) {
            return Err(RosterFault::NamedTwice { run: run.clone() }.into());
        }
    }
    Ok(())
}
