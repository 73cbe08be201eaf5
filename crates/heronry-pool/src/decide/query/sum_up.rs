//! The events that the summary of a wake may quote.

use heronry_types::{Position, ResumeWith, RunId, WakeId, WakePayload};

use crate::{
    Caller, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::{guard, sees},
    state::WakeEnd,
};

/// The highest number of events that a summary quotes.
const EVENTS_MAX: usize = 16;

/// Asks which events the summary of a wake may quote.
///
/// A summary says no more than members of the pool may read in the events themselves, whoever asks: it
/// is handed to the waiting run. A member that asks has to see the pool's events; an operator and the
/// resume hook are told what the run could see when its condition came to hold.
#[derive(Clone, Debug)]
pub struct SumUp {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that waited.
    pub run: RunId,
    /// The wake.
    pub wake_id: WakeId,
}

impl Command for SumUp {
    /// The first 16 events that triggered the wake, in order. None where it was not triggered or asks
    /// for no summary, where the pool shows its members envelopes only, and where the run that asks
    /// does not see the pool's events any more.
    type Answer = Vec<Position>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::reader(state, &self.caller, &self.run)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Vec<Position>, Rejection> {
        let mut own = state.wakes.of_id(&self.wake_id);
        let found = own.find(|it| it.wake.run == self.run);
        let wake = found.ok_or(Rejection::WakeNotFound)?.wake;
        let shows = match state.config.wake_payload {
            WakePayload::EnvelopeOnly => false,
            WakePayload::Summary | WakePayload::Refs => true,
        };
        let may_see = match self.caller {
            Caller::Operator => true,
            Caller::Member { .. } => sees(state, &self.run),
        };
        let asks = wake.registered.resume_with == ResumeWith::Summary;
        let Some((_, WakeEnd::Triggered { matches })) = &wake.end else {
            return Ok(Vec::new());
        };
        let quoted = matches.iter().map(|by| by.position);
        let quoted = quoted.filter(|_| shows && may_see && asks);
        Ok(quoted.take(EVENTS_MAX).collect())
    }
}
