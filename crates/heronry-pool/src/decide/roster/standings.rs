//! Saying how members of the roster stand.

use heronry_journal::{Body, Entry, MemberStandingChanged};
use heronry_types::{MemberStanding, RunId, StewardToken};

use super::{check_runs, check_steward};
use crate::{
    Caller, Done, Rejection, RosterFault, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
    decide::guard,
};

/// The standing of a member of the roster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandingOf {
    /// The run.
    pub run: RunId,
    /// Its standing.
    pub standing: MemberStanding,
    /// A short text that may be shown.
    pub why: Option<String>,
}

/// Says how members of the roster stand, at most [`ROSTER_BATCH_MAX`](super::ROSTER_BATCH_MAX) of them. Who stands so
/// already is not recorded again.
#[derive(Clone, Debug)]
pub struct SetStandings {
    /// The stewardship.
    pub steward: StewardToken,
    /// The standings.
    pub standings: Vec<StandingOf>,
}

impl StandingOf {
    /// Returns the record that the member stands so; `None` when it does already.
    fn entry(&self, state: &State) -> Result<Option<Entry>, Rejection> {
        let run = &self.run;
        let row = state.roster.get(run);
        let row = row.ok_or_else(|| RosterFault::NotSpecified { run: run.clone() })?;
        let member = state.members.get(run);
        let generation = member.map(|member| member.generation);
        let stands_so = row.stands.as_deref().is_some_and(|stands| {
            stands.standing == self.standing
                && stands.why == self.why
                && stands.generation == generation
        });
        if stands_so {
            return Ok(None);
        }
        let body = Body::MemberStandingChanged(MemberStandingChanged {
            standing: self.standing,
            why: self.why.clone(),
            generation,
        });
        let author = Author::of_run(state, &Caller::Operator, run);
        Ok(Some(author.last_entry(body)))
    }
}

impl Command for SetStandings {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.standings.len())
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        check_steward(state, self.steward)?;
        check_runs(self.standings.iter().map(|it| &it.run))?;
        let mut entries = Vec::new();
        for standing in &self.standings {
            guard::note(state, standing.why.as_ref())?;
            entries.extend(standing.entry(state)?);
        }
        if entries.is_empty() {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
