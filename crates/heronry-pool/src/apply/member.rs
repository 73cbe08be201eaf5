//! Applying records about members.

use heronry_journal::{MemberChanged, MemberJoined, MemberTakenOver, Record, RunEnded};
use heronry_types::{Generation, Lineage, TimelineState, Undeliverable};

use super::{inbox, message};
use crate::{
    State,
    state::{CopySlot, Inbox, Member},
};

pub(super) fn joined(state: &mut State, record: &Record, body: &MemberJoined) {
    let lineage = &record.entry.lineage;
    let (Some(run), Some(agent)) = (&lineage.run, &lineage.agent) else {
        return;
    };
    state.members.insert(Member {
        run: run.clone(),
        agent: agent.clone(),
        session: lineage.session.clone(),
        instance: body.instance.clone(),
        generation: Generation(record.position),
        policies: body.policies.clone(),
        topics: body.topics.clone(),
        inbox: Inbox::default(),
        wakes: std::collections::BTreeSet::new(),
    });
}

pub(super) fn taken_over(state: &mut State, record: &Record, body: &MemberTakenOver) {
    let lineage = &record.entry.lineage;
    let Some(run) = &lineage.run else { return };
    let held: Vec<_> = state
        .members
        .get(run)
        .map_or_else(Vec::new, |m| m.inbox.held().collect());
    for claim in held {
        inbox::give_back(state, record, (run, claim), inbox::Attempt::Uncounted, None);
    }
    state.members.set_topics(run, &body.topics);
    if let Some(member) = state.members.get_mut(run) {
        member.instance = body.instance.clone();
        member.generation = Generation(record.position);
        member.policies = body.policies.clone();
        member.session.clone_from(&lineage.session);
    }
}

pub(super) fn changed(state: &mut State, lineage: &Lineage, body: &MemberChanged) {
    if let Some(run) = &lineage.run {
        state.members.set_topics(run, &body.topics);
    }
}

pub(super) fn ended(state: &mut State, record: &Record, body: &RunEnded) {
    if let Some(run) = &record.entry.lineage.run {
        state.members.set_ended(run.clone(), body.end);
    }
    left(state, record, Undeliverable::RunEnded);
}

/// Removes the member; each copy that it had is undeliverable from here on.
pub(super) fn left(state: &mut State, record: &Record, why: Undeliverable) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let Some(member) = state.members.get(run) else {
        return;
    };
    let mut copies = member.inbox.queued();
    copies.extend(member.inbox.held().map(|claim| claim.accepted));
    for accepted in copies {
        let end = CopySlot::Undeliverable { why };
        message::end_copy(
            state,
            record,
            (accepted, run),
            end,
            TimelineState::Undeliverable,
        );
    }
    state.members.remove(run);
}
