//! Being heard of: what renews a lease.

use heronry_types::RunId;

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::guard,
};

/// Says that a run is there, and nothing else. Nothing is recorded, unless it was lost; a run that is
/// suspended stays so.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
}

impl Command for Heartbeat {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Present(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::standing(state, &self.caller, &self.run)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
