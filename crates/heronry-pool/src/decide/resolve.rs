//! Addressing: who gets a copy, resolved once against the present members.

use heronry_types::{Address, Broadcast, MessageFailure, Policies, RunId};

use crate::{State, state::Member};

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
