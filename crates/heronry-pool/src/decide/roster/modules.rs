//! Saying how a module stands.

use heronry_journal::{Body, ModuleStandingChanged};
use heronry_types::{ModuleId, ModuleStanding, StewardToken};

use super::check_steward;
use crate::{
    Done, Rejection, RosterFault, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
    decide::guard,
    state::MODULES_MAX,
};

/// Says how a module stands. A module that stands so already is not recorded again.
///
/// A pool keeps the standings of so many modules; the one that was stopped first makes room for a new one.
#[derive(Clone, Debug)]
pub struct SetModuleStanding {
    /// The stewardship.
    pub steward: StewardToken,
    /// The module.
    pub module: ModuleId,
    /// Its standing.
    pub standing: ModuleStanding,
    /// A short text that may be shown.
    pub why: Option<String>,
}

impl Command for SetModuleStanding {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        check_steward(state, self.steward)?;
        guard::note(state, self.why.as_ref())?;
        let roster = &state.roster;
        match roster.modules.get(&self.module) {
            Some(row) if row.standing == self.standing && row.why == self.why => {
                return Ok(Decision::Nothing);
            }
            None if roster.modules.len() >= MODULES_MAX && roster.first_stopped().is_none() => {
                let max = MODULES_MAX;
                return Err(RosterFault::TooManyModules { max }.into());
            }
            Some(_) | None => {}
        }
        let body = ModuleStandingChanged {
            module: self.module.clone(),
            standing: self.standing,
            why: self.why.clone(),
        };
        let entry = Author::operator(state).last_entry(Body::ModuleStandingChanged(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
