//! Addressing: who gets a copy, resolved once against the present members.

use std::sync::Arc;

use heronry_journal::Recipients;
use heronry_types::{Address, Broadcast, MessageFailure, Policies, RunId};

use crate::{
    State,
    state::{Aim, Member, Reach},
};

/// The recipients that get a copy of a message.
#[derive(Debug)]
pub(super) enum Reached<'a> {
    /// The member that it is addressed to.
    One(Recipients, &'a Member),
    /// Those whom it is addressed to and who hold its policies.
    Many(Arc<Reach>),
}

impl Reached<'_> {
    /// Returns the runs, sorted and distinct.
    pub(super) fn runs(&self) -> &Recipients {
        match self {
            Self::One(runs, _) => runs,
            Self::Many(reach) => &reach.runs,
        }
    }

    /// Walks the members in the order of their runs.
    pub(super) fn members<'s>(&'s self, state: &'s State) -> impl Iterator<Item = &'s Member> {
        let (one, many) = match self {
            Self::One(_, member) => (Some(*member), &[][..]),
            Self::Many(reach) => (None, &*reach.slots),
        };
        let many = many.iter().filter_map(|slot| state.members.at(*slot));
        one.into_iter().chain(many)
    }
}

/// Returns the recipients, or why there are none.
pub(super) fn recipients<'a>(
    state: &'a State,
    sender: &RunId,
    to: &Address,
    policies: &Policies,
) -> Result<Reached<'a>, MessageFailure> {
    let members = &state.members;
    let without = match to {
        Address::Run { run_id } => return one(state, run_id, policies),
        Address::Pool { pool_id } if *pool_id != state.pool => {
            return Err(MessageFailure::ForeignPool);
        }
        Address::Pool { .. } => match state.config.message_policy.broadcast {
            Broadcast::IncludeSender => None,
            Broadcast::ExcludeSender => Some(sender.clone()),
        },
        Address::Agent { .. } | Address::Topic { .. } => None,
    };
    let aim = Aim {
        to: to.clone(),
        without,
        policies: policies.clone(),
    };
    let is_anybody_named = members.is_anybody_named(&aim);
    let reach = members.reach(aim);
    if !reach.slots.is_empty() {
        Ok(Reached::Many(reach))
    } else if is_anybody_named {
        Err(MessageFailure::Policy)
    } else {
        Err(MessageFailure::NoRecipient)
    }
}

fn one<'a>(
    state: &'a State,
    run: &RunId,
    policies: &Policies,
) -> Result<Reached<'a>, MessageFailure> {
    let Some(member) = state.members.get(run) else {
        return Err(match state.members.ended(run) {
            Some(_) => MessageFailure::RunEnded,
            None => MessageFailure::NoSuchMember,
        });
    };
    if member.policies.covers(policies) {
        let runs = Recipients([member.run.clone()].into());
        Ok(Reached::One(runs, member))
    } else {
        Err(MessageFailure::Policy)
    }
}
