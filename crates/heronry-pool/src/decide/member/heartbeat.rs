//! Being heard of: what renews a lease.

use heronry_types::RunId;

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Lane, Speaker},
    decide::guard,
};

/// Says that a run is there, and nothing else. Nothing is recorded, unless it was lost; a run that is
/// suspended stays so.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Who asks.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
}

impl Command for Heartbeat {
    type Answer = Done;

    fn about_wakes(&self) -> AboutWakes {
        AboutWakes::Nothing
    }

    fn lane(&self) -> Lane {
        Lane::Reserved
    }

    fn run(&self) -> Option<&RunId> {
        Some(&self.run)
    }

    fn speaker(&self) -> Option<Speaker<'_>> {
        Some(Speaker::Present(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::standing(state, &self.caller, &self.run)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
