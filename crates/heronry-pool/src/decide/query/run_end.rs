//! The end of a run, for streams that close with it.

use heronry_types::{RunEnd, RunId};

use crate::{
    Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile},
};

/// Asks how a run ended, for a reader that was admitted.
#[derive(Clone, Debug)]
pub struct FindRunEnd {
    /// The run.
    pub run: RunId,
}

impl Command for FindRunEnd {
    /// The end; `None` while the run has not ended, and of one that never joined.
    type Answer = Option<RunEnd>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, _: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Option<RunEnd>, Rejection> {
        Ok(state.members.ended(&self.run))
    }
}
