//! Specifying members of the roster.

use heronry_journal::{Body, Entry, MemberSpecified};
use heronry_types::{Digest, Labels, LimitName, RosterLayer, RunId, StewardToken};

use super::{check_runs, check_steward};
use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
    decide::guard,
};

/// A member as the roster specifies it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpecifiedMember {
    /// The run.
    pub run: RunId,
    /// The digest of its spec. `None`: it is specified no longer, and its row goes.
    pub digest: Option<Digest>,
    /// The labels that the spec gives it.
    pub labels: Labels,
    /// The layer of the roster that the spec comes from.
    pub layer: RosterLayer,
    /// A short text that may be shown.
    pub why: Option<String>,
}

/// Specifies members, at most [`ROSTER_BATCH_MAX`](super::ROSTER_BATCH_MAX) of them. Who is specified so already is
/// not recorded again.
#[derive(Clone, Debug)]
pub struct SpecifyMembers {
    /// The stewardship.
    pub steward: StewardToken,
    /// The members.
    pub specified: Vec<SpecifiedMember>,
}

impl SpecifiedMember {
    /// Returns true when the roster says just this of the member.
    fn is_in(&self, state: &State) -> bool {
        match (state.roster.get(&self.run), self.digest) {
            (None, None) => true,
            (Some(row), Some(digest)) => {
                row.digest == digest
                    && row.labels == self.labels
                    && row.layer == self.layer
                    && row.why == self.why
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    fn entry(&self, state: &State) -> Entry {
        let body = Body::MemberSpecified(Box::new(MemberSpecified {
            digest: self.digest,
            labels: self.labels.clone(),
            layer: self.layer,
            why: self.why.clone(),
        }));
        Author::of_run(state, &Caller::Operator, &self.run).last_entry(body)
    }
}

impl Command for SpecifyMembers {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.specified.len())
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        check_steward(state, self.steward)?;
        check_runs(self.specified.iter().map(|it| &it.run))?;
        for specified in &self.specified {
            guard::note(state, specified.why.as_ref())?;
        }
        let changed = || self.specified.iter().filter(|it| !it.is_in(state));
        let is_new = |it: &&SpecifiedMember| state.roster.get(&it.run).is_none();
        let new = changed().filter(is_new).count();
        let gone = changed().filter(|it| it.digest.is_none()).count();
        let members = (state.roster.len() + new).saturating_sub(gone);
        guard::limit(state, LimitName::MembersMax, members as u64)?;
        let entries: Vec<Entry> = changed().map(|it| it.entry(state)).collect();
        if entries.is_empty() {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
