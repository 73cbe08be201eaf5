//! Applying records about members.

pub(super) mod suspend;

use heronry_journal::{
    Claim, MemberChanged, MemberJoined, MemberRecord, MemberTakenOver, Record, RunEnded, RunLost,
};
use heronry_types::{Generation, Lineage, RunId, TimelineState, Undeliverable};

use crate::{
    State,
    apply::message::{self, inbox},
    state::{ClaimOf, CopyOf, CopySlot, Due, Inbox, Member},
    suspicion,
};

/// Applies a record that changes members and their runs.
pub(super) fn apply(state: &mut State, record: &Record, body: MemberRecord<'_>) {
    match body {
        MemberRecord::MemberJoined(body) => joined(state, record, body),
        MemberRecord::MemberTakenOver(body) => taken_over(state, record, body),
        MemberRecord::MemberChanged(body) => changed(state, &record.entry.lineage, body),
        MemberRecord::MemberLeft(body) => left(state, record, body.reason),
        MemberRecord::RunEnded(body) => ended(state, record, body),
        MemberRecord::RunLost(body) => lost(state, record, body),
        MemberRecord::RunResumed(_) => resumed(state, record),
        MemberRecord::RunSuspended(body) => suspend::suspended(state, record, body),
    }
}

fn joined(state: &mut State, record: &Record, body: &MemberJoined) {
    let lineage = &record.entry.lineage;
    let (Some(run), Some(agent)) = (&lineage.run, &lineage.agent) else {
        return;
    };
    suspicion::forget(state);
    state.members.insert(Member {
        run: run.clone(),
        agent: agent.clone(),
        session: lineage.session.clone(),
        instance: body.instance.clone(),
        generation: Generation(record.position),
        predecessor: None,
        policies: body.policies.clone(),
        topics: body.topics.clone(),
        inbox: Inbox::default(),
        wakes: std::collections::BTreeSet::new(),
        lease: body.lease_ms,
        lost_until: None,
        suspension: None,
    });
}

fn taken_over(state: &mut State, record: &Record, body: &MemberTakenOver) {
    let lineage = &record.entry.lineage;
    let Some(run) = &lineage.run else { return };
    for claim in held(state, run) {
        let attempt = inbox::Attempt::Uncounted;
        inbox::give_back(state, record, ClaimOf { run, claim }, attempt, None);
    }
    found(state, run);
    suspend::over(state, run);
    suspicion::forget(state);
    state.members.set_topics(run, &body.topics);
    state.members.set_policies(run, &body.policies);
    if let Some(member) = state.members.get_mut(run) {
        member.lease = body.lease_ms;
        member.instance = body.instance.clone();
        member.generation = Generation(record.position);
        member.predecessor = Some(body.predecessor);
        member.session.clone_from(&lineage.session);
    }
}

fn changed(state: &mut State, lineage: &Lineage, body: &MemberChanged) {
    if let Some(run) = &lineage.run {
        let member = state.members.get(run);
        // A lease changes nothing of who could do what.
        if member.is_some_and(|member| member.topics != body.topics) {
            suspicion::forget(state);
            state.members.set_topics(run, &body.topics);
        }
        if let Some(member) = state.members.get_mut(run) {
            member.lease = body.lease_ms;
        }
    }
}

/// Marks the member as lost; its claims lapse at once.
fn lost(state: &mut State, record: &Record, body: &RunLost) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    if state.members.get(run).is_none() {
        return;
    }
    for claim in held(state, run) {
        inbox::hold_until(state, run, claim, record.recorded_at);
    }
    found(state, run);
    state.members.set_lost(run, Some(body.kept_until));
    let due = Due::LostKeep(run.clone());
    state.deadlines.insert(body.kept_until, due);
}

/// The member is not lost any more, or not suspended.
fn resumed(state: &mut State, record: &Record) {
    if let Some(run) = &record.entry.lineage.run {
        found(state, run);
        suspend::resumed(state, record, run);
    }
}

fn held(state: &State, run: &RunId) -> Vec<Claim> {
    let member = state.members.get(run);
    member.map_or_else(Vec::new, |m| m.inbox.held().collect())
}

/// The member is not lost any more, if it was.
pub(super) fn found(state: &mut State, run: &RunId) {
    if let Some(until) = state.members.set_lost(run, None) {
        suspicion::forget(state);
        state.deadlines.remove(until, Due::LostKeep(run.clone()));
    }
}

fn ended(state: &mut State, record: &Record, body: &RunEnded) {
    if let Some(run) = &record.entry.lineage.run {
        state.members.set_ended(run.clone(), body.end);
    }
    left(state, record, Undeliverable::RunEnded);
}

/// Removes the member; each copy that it had is undeliverable from here on.
fn left(state: &mut State, record: &Record, why: Undeliverable) {
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
        let copy = CopyOf { accepted, run };
        message::end_copy(state, record, copy, end, TimelineState::Undeliverable);
    }
    found(state, run);
    suspend::over(state, run);
    state.members.remove(run);
}
