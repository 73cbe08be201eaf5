//! Recording that the cursor of a named consumer was found stale.

use heronry_journal::{Body, ConsumerReset};
use heronry_types::Lineage;

use crate::{
    Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
};

/// Records that the cursor of a named consumer was found stale. The host asks, which keeps the cursors.
#[derive(Clone, Debug)]
pub struct RecordConsumerReset {
    /// The record to keep.
    pub reset: ConsumerReset,
}

impl Command for RecordConsumerReset {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let body = Body::ConsumerReset(Box::new(self.reset.clone()));
        let author = Author::engine(Lineage::of_pool(state.pool.clone()));
        Ok(Decision::Write(Draft::of(vec![author.last_entry(body)])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
