//! Addressing: who gets a copy, resolved once against the present members.

use std::sync::Arc;

use heronry_journal::Recipients;
use heronry_types::{Address, Broadcast, MessageFailure, Peering, Policies, RunId};

use crate::{
    Rejection, State,
    state::{Aim, Among, Member, Reach},
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

    /// Returns the runs that are addressed and have no edge with the sender; `None` when there are none.
    pub(super) fn not_peered(&self) -> Option<&Recipients> {
        match self {
            Self::One(..) => None,
            Self::Many(reach) => reach.not_peered.as_ref(),
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

/// A message as it is resolved: its sender, its address, which is no alias, and its policies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel<'a> {
    pub(super) sender: &'a RunId,
    pub(super) to: &'a Address,
    pub(super) policies: &'a Policies,
}

/// Returns the runs that a sender reaches at all; a reply reaches its requester in any case.
pub(super) fn among(state: &State, sender: &RunId, requester: Option<&RunId>) -> Among {
    match state.settings.peering() {
        Peering::Open => Among::All,
        Peering::Wired => Among::Neighbours {
            of: sender.clone(),
            requester: requester.cloned(),
        },
    }
}

/// Returns the address that a message goes to, and the alias that led there.
///
/// # Errors
/// [`Rejection::AliasNotFound`] when it is sent to an alias and none leads anywhere.
pub(super) fn address<'a>(state: &'a State, to: &'a Address) -> Result<&'a Address, Rejection> {
    match to {
        Address::Run { .. }
        | Address::Agent { .. }
        | Address::Topic { .. }
        | Address::Pool { .. } => Ok(to),
        Address::Alias { recipient, channel } => {
            let found = state.wiring.resolve(recipient, channel.as_ref());
            let found = found.ok_or(Rejection::AliasNotFound)?;
            Ok(&found.known.to)
        }
    }
}

/// Returns the recipients, or why there are none.
pub(super) fn recipients<'a>(
    state: &'a State,
    parcel: Parcel<'_>,
    among: Among,
) -> Result<Reached<'a>, MessageFailure> {
    let Parcel {
        sender,
        to,
        policies,
    } = parcel;
    let members = &state.members;
    let without = match to {
        Address::Run { run_id } => return one(state, run_id, policies, &among),
        Address::Pool { pool_id } if *pool_id != state.pool => {
            return Err(MessageFailure::ForeignPool);
        }
        Address::Pool { .. } => match state.config.message_policy.broadcast {
            Broadcast::IncludeSender => None,
            Broadcast::ExcludeSender => Some(sender.clone()),
        },
        Address::Agent { .. } | Address::Topic { .. } => None,
        // An alias was followed before, and leads to none.
        Address::Alias { .. } => return Err(MessageFailure::NoRecipient),
    };
    let aim = Aim {
        to: to.clone(),
        without,
        policies: policies.clone(),
        among,
    };
    let is_anybody_named = members.is_anybody_named(&aim);
    let reach = members.reach(aim, &state.wiring);
    if !reach.slots.is_empty() {
        Ok(Reached::Many(reach))
    } else if reach.not_peered.is_some() {
        Err(MessageFailure::NotPeered)
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
    among: &Among,
) -> Result<Reached<'a>, MessageFailure> {
    let Some(member) = state.members.get(run) else {
        return Err(match state.members.ended(run) {
            Some(_) => MessageFailure::RunEnded,
            None => MessageFailure::NoSuchMember,
        });
    };
    if !member.policies.covers(policies) {
        Err(MessageFailure::Policy)
    } else if !among.has(&state.wiring, run) {
        Err(MessageFailure::NotPeered)
    } else {
        let runs = Recipients([member.run.clone()].into());
        Ok(Reached::One(runs, member))
    }
}
