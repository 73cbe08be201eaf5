//! Taking the stewardship of a pool, and giving it back: one steward at a time.

use heronry_journal::{Body, StewardReleased, StewardTaken};
use heronry_types::{InstanceId, StewardToken};

use crate::{
    Done, Rejection, State, Stewardship,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Profile},
    state::Steward,
};

/// The choice what happens when another instance of the same owner is the steward.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnHeld {
    /// The request is refused.
    Refuse,
    /// That stewardship ends.
    TakeOver,
}

/// Takes the stewardship of a pool. The host asks, for a runtime that keeps the pool as it was declared.
///
/// A stewardship ends with the owner that it was taken under, so one of another owner is replaced without
/// being asked for.
#[derive(Clone, Debug)]
pub struct TakeSteward {
    /// The instance of the steward. The instance that has it already gets the same answer again.
    pub instance: InstanceId,
    /// The fencing token of the owner of the pool.
    pub owner: u64,
    /// The choice what happens when another instance of the same owner is the steward.
    pub on_held: OnHeld,
}

impl TakeSteward {
    /// Returns the stewardship that holds: it lives as long as the owner.
    fn held<'a>(&self, state: &'a State) -> Option<&'a Steward> {
        let steward = state.roster.steward.as_ref();
        steward.filter(|steward| steward.owner == self.owner)
    }
}

impl Command for TakeSteward {
    type Answer = Stewardship;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).reserved()
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        match (self.held(state), self.on_held) {
            (Some(held), _) if held.instance == self.instance => {
                return Ok(Decision::Repeat(held.token.0));
            }
            (Some(held), OnHeld::Refuse) => {
                let steward = held.token;
                return Err(Rejection::StewardHeld { steward });
            }
            (Some(_), OnHeld::TakeOver) | (None, OnHeld::Refuse | OnHeld::TakeOver) => {}
        }
        let replaced = state.roster.steward.as_ref();
        let body = Body::StewardTaken(StewardTaken {
            instance: self.instance.clone(),
            owner: self.owner,
            replaced: replaced.map(|steward| steward.token),
        });
        let entry = Author::operator(state).last_entry(body);
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Stewardship, Rejection> {
        Ok(Stewardship {
            token: StewardToken(applied.first),
            done: Done::at(state, applied),
            repeated: applied.how == How::Repeated,
        })
    }
}

/// Gives a stewardship back. One that has ended is given back already.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseSteward {
    /// The stewardship.
    pub steward: StewardToken,
}

impl Command for ReleaseSteward {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).reserved()
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        if super::check_steward(state, self.steward).is_err() {
            return Ok(Decision::Nothing);
        }
        let body = StewardReleased {
            steward: self.steward,
        };
        let entry = Author::operator(state).last_entry(Body::StewardReleased(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
