//! Addressing: who gets a copy, resolved once against the present members.

use heronry_types::{Address, Broadcast, LimitName, MessageFailure, Policies, RunId};

use crate::{Rejection, State, state::Member};

/// Returns the recipients, sorted and distinct, or why there are none.
pub(super) fn recipients(
    state: &State,
    sender: &RunId,
    to: &Address,
    policies: &Policies,
) -> Result<Vec<RunId>, MessageFailure> {
    let holds = |member: &&Member| member.policies.covers(policies);
    let addressed = addressed(state, sender, to)?;
    let recipients: Vec<RunId> = addressed
        .into_iter()
        .filter(holds)
        .map(|member| member.run.clone())
        .collect();
    if recipients.is_empty() {
        Err(MessageFailure::Policy)
    } else {
        Ok(recipients)
    }
}

fn addressed<'a>(
    state: &'a State,
    sender: &RunId,
    to: &Address,
) -> Result<Vec<&'a Member>, MessageFailure> {
    let members = &state.members;
    let found: Vec<&Member> = match to {
        Address::Run { run_id } => match members.get(run_id) {
            Some(member) => vec![member],
            None if members.ended(run_id).is_some() => return Err(MessageFailure::RunEnded),
            None => return Err(MessageFailure::NoSuchMember),
        },
        Address::Agent { agent_id } => members.of_agent(agent_id).collect(),
        Address::Topic { topic_id } => members.of_topic(topic_id).collect(),
        Address::Pool { pool_id } if *pool_id != state.pool => {
            return Err(MessageFailure::ForeignPool);
        }
        Address::Pool { .. } => match state.config.message_policy.broadcast {
            Broadcast::IncludeSender => members.iter().collect(),
            Broadcast::ExcludeSender => members.iter().filter(|m| m.run != *sender).collect(),
        },
    };
    if found.is_empty() {
        Err(MessageFailure::NoRecipient)
    } else {
        Ok(found)
    }
}

/// Checks that the message does not have too many recipients, and that each has room for it.
pub(super) fn check_room(
    state: &State,
    sender: &RunId,
    recipients: &[RunId],
) -> Result<(), Rejection> {
    let limits = &state.settings.limits;
    limits.check(LimitName::RecipientsPerMessageMax, recipients.len())?;
    let bytes = recipients.iter().map(|run| run.as_str().len()).sum();
    limits.check(LimitName::RecipientIdsBytesMax, bytes)?;
    let depth = limits.get(LimitName::InboxDepthMax);
    let share = (depth / 2).max(1);
    let full = |run: &RunId| {
        state.members.get(run).is_some_and(|member| {
            member.inbox.depth() >= depth || member.inbox.depth_of(sender) >= share
        })
    };
    if recipients.iter().any(full) {
        Err(Rejection::InboxFull { depth })
    } else {
        Ok(())
    }
}
