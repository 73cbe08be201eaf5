//! Saying how members of the roster stand.

use heronry_journal::{Body, Entry, MemberStandingChanged};
use heronry_types::{MemberStanding, RunId, StewardToken, Timestamp};

use super::{check_runs, check_steward, dormant::GivenBack};
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
///
/// A member that falls dormant is not lost, however long it is silent, and gives back every claim that no suspension holds: the
/// attempts count. It stays a member, with its inbox, its wakes and its generation.
#[derive(Clone, Debug)]
pub struct SetStandings {
    /// The stewardship.
    pub steward: StewardToken,
    /// The standings.
    pub standings: Vec<StandingOf>,
}

/// The records of a batch.
struct Changes {
    now: Timestamp,
    standings: Vec<Entry>,
    back: GivenBack,
}

impl StandingOf {
    /// Adds the record that the member stands so, unless it does already.
    fn decide(&self, state: &State, changes: &mut Changes) -> Result<(), Rejection> {
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
            return Ok(());
        }
        let body = Body::MemberStandingChanged(MemberStandingChanged {
            standing: self.standing,
            why: self.why.clone(),
            generation,
        });
        let author = Author::of_run(state, &Caller::Operator, run);
        changes.standings.push(author.entry(body));
        let is_dormant = self.standing == MemberStanding::Dormant;
        if let Some(member) = member.filter(|member| is_dormant && !state.roster.is_dormant(member))
        {
            changes.back.add(state, member, &author, changes.now);
        }
        Ok(())
    }
}

impl Command for SetStandings {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.standings.len())
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        check_steward(state, self.steward)?;
        check_runs(self.standings.iter().map(|it| &it.run))?;
        let mut changes = Changes {
            now: cx.now,
            standings: Vec::new(),
            back: GivenBack::default(),
        };
        for standing in &self.standings {
            guard::note(state, standing.why.as_ref())?;
            standing.decide(state, &mut changes)?;
        }
        let mut entries = changes.standings;
        entries.extend(changes.back.entries(state));
        if entries.is_empty() {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
