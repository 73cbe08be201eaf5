//! Reconciles and errors, as a runtime tells of them.

use heronry_journal::{Body, Reconciled, RuntimeErrorRecorded};
use heronry_types::{
    RECONCILE_FAILURES_MAX, ReconcileCounts, ReconcileFailure, RunId, RuntimeErrorCategory,
    RuntimeErrorId, StewardToken,
};

use super::check_steward;
use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
    decide::guard,
};

/// Records what a reconcile came to. It tells the first [`RECONCILE_FAILURES_MAX`] failures; the counts have all.
#[derive(Clone, Debug)]
pub struct RecordReconcile {
    /// The stewardship.
    pub steward: StewardToken,
    /// The revision of the roster that the pool was brought to.
    pub revision: u64,
    /// The numbers of members that were found, and brought to their places.
    pub counts: ReconcileCounts,
    /// The failures.
    pub failures: Vec<ReconcileFailure>,
}

impl Command for RecordReconcile {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        check_steward(state, self.steward)?;
        let told = self.failures.iter().take(RECONCILE_FAILURES_MAX);
        for failure in told.clone() {
            guard::note(state, Some(&failure.kind))?;
            guard::note(state, Some(&failure.message))?;
        }
        let body = Body::Reconciled(Box::new(Reconciled {
            revision: self.revision,
            counts: self.counts,
            failures: told.cloned().collect(),
        }));
        let entry = Author::operator(state).last_entry(body);
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}

/// Records an error of a runtime, once: an id that was among the latest recorded ones is not recorded again. Who
/// is the steward no longer tells its errors too.
#[derive(Clone, Debug)]
pub struct RecordRuntimeError {
    /// The error.
    pub id: RuntimeErrorId,
    /// Its category.
    pub category: RuntimeErrorCategory,
    /// The run that it is about. `None`: no run.
    pub run: Option<RunId>,
    /// A short text that may be shown.
    pub detail: String,
}

impl Command for RecordRuntimeError {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::note(state, Some(&self.detail))?;
        if state.roster.errors.contains(self.id.as_str()) {
            return Ok(Decision::Nothing);
        }
        let body = RuntimeErrorRecorded {
            id: self.id.clone(),
            category: self.category,
            detail: self.detail.clone(),
        };
        let author = match &self.run {
            Some(run) => Author::of_run(state, &Caller::Operator, run),
            None => Author::operator(state),
        };
        let entry = author.last_entry(Body::RuntimeErrorRecorded(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
