//! Applying records about claims.

use heronry_journal::{
    Claim, MessageAcked, MessageExtended, MessageFetched, MessageReleased, Record,
};
use heronry_types::{
    MessageStatus, Millis, Position, ReleaseReason, RunId, TimelineState, Timestamp,
};

use crate::{
    State,
    apply::message,
    state::{ClaimOf, CopyOf, CopySlot, Due, Message, Receive},
};

/// The least time that every claim holds when its run or the engine goes on, unless its term is shorter.
pub(in crate::apply) const HOLD_MIN: Millis = Millis::from_secs(30);

/// The counting of a claim that is given back: as an attempt, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::apply) enum Attempt {
    /// The claim counts.
    Counted,
    /// The claim does not count: it is as if the copy had not been claimed.
    Uncounted,
}

pub(in crate::apply) fn fetched(state: &mut State, record: &Record, body: &MessageFetched) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    for gone in &body.undeliverable {
        let end = CopySlot::Undeliverable { why: gone.why };
        let accepted = gone.copy.accepted;
        let copy = CopyOf { accepted, run };
        message::end_copy(state, record, copy, end, TimelineState::Undeliverable);
    }
    let (fetched, until) = (record.position, body.claimed_until);
    for copy in &body.copies {
        let accepted = copy.copy.accepted;
        let slot = CopySlot::Claimed { fetched, until };
        let before = message::set_slot(
            state,
            record,
            CopyOf { accepted, run },
            slot,
            TimelineState::Claimed,
        );
        if let Some(CopySlot::Queued {
            visible_at: Some(at),
        }) = before
        {
            state.deadlines.remove_visible(at, run, accepted);
        }
        count_attempts(state, run, Claim { accepted, fetched }, |_| copy.attempt);
        begin_ordered(state, run, accepted);
        state
            .deadlines
            .insert(until, Due::Lapse(run.clone(), Claim { accepted, fetched }));
        message::watch_expiry(state, accepted);
    }
    let Some(member) = state.members.get_mut(run) else {
        return;
    };
    if body.copies.is_empty() {
        return;
    }
    for copy in &body.copies {
        let accepted = copy.copy.accepted;
        let own = if member.inbox.special.is_empty() {
            None
        } else {
            let message = state.messages.get(accepted);
            message.and_then(|message| message.own_turn(accepted, run))
        };
        member.inbox.take_queued(accepted, own);
        member.inbox.claimed += 1;
    }
    let claimed = body.copies.iter().map(|copy| copy.copy.accepted).collect();
    let receive = Receive {
        id: body.receive_id.clone(),
        claimed,
        claim_ms: body.claim_ms,
    };
    member.inbox.receives.insert(fetched, receive);
}

pub(in crate::apply) fn acked(state: &mut State, record: &Record, body: &MessageAcked) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    for (claim, _) in &body.claims {
        let end = CopySlot::Acked {
            outcome: body.outcome,
            fetched: claim.fetched,
        };
        let accepted = claim.accepted;
        message::end_copy(
            state,
            record,
            CopyOf { accepted, run },
            end,
            TimelineState::Acked,
        );
    }
}

pub(in crate::apply) fn released(state: &mut State, record: &Record, body: &MessageReleased) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let attempt = match body.reason {
        ReleaseReason::Released | ReleaseReason::Lapsed | ReleaseReason::Dormant => {
            Attempt::Counted
        }
        ReleaseReason::TakenOver | ReleaseReason::Unanswered => Attempt::Uncounted,
    };
    for (claim, _) in &body.claims {
        let claim = *claim;
        give_back(
            state,
            record,
            ClaimOf { run, claim },
            attempt,
            body.visible_at,
        );
    }
}

pub(in crate::apply) fn extended(state: &mut State, record: &Record, body: &MessageExtended) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    for (claim, _, until) in &body.claims {
        hold_until(state, run, *claim, *until);
        let member = state.members.get_mut(run);
        if let Some(receive) = member.and_then(|m| m.inbox.receives.get_mut(&claim.fetched)) {
            receive.claim_ms = receive.claim_ms.max(until.since(record.recorded_at));
        }
    }
}

/// Lets a claim lapse at another time; at the last time that there is, never.
pub(in crate::apply) fn hold_until(state: &mut State, run: &RunId, claim: Claim, until: Timestamp) {
    let fetched = claim.fetched;
    let slot = CopySlot::Claimed { fetched, until };
    let Some(copy) = copy_mut(state, run, claim) else {
        return;
    };
    if let CopySlot::Claimed { until: before, .. } = std::mem::replace(copy, slot) {
        state
            .deadlines
            .remove(before, Due::Lapse(run.clone(), claim));
        if until < Timestamp::LAST {
            state
                .deadlines
                .insert(until, Due::Lapse(run.clone(), claim));
        }
    }
}

/// Returns one claimed copy to its queue, or ends it when its message is over.
pub(in crate::apply) fn give_back(
    state: &mut State,
    record: &Record,
    ClaimOf { run, claim }: ClaimOf<'_>,
    attempt: Attempt,
    visible_at: Option<Timestamp>,
) {
    let accepted = claim.accepted;
    let copy = CopyOf { accepted, run };
    if attempt == Attempt::Uncounted {
        count_attempts(state, run, claim, |counted| counted.saturating_sub(1));
    }
    let message = state.messages.get(accepted);
    if message.is_none_or(Message::is_withdrawn) {
        let (end, timeline) = match message.and_then(|message| message.status) {
            Some(MessageStatus::Cancelled) => (CopySlot::Cancelled, TimelineState::Cancelled),
            None | Some(_) => (CopySlot::Expired, TimelineState::Expired),
        };
        return message::end_copy(state, record, copy, end, timeline);
    }
    let own = message.and_then(|message| message.own_turn(accepted, run));
    let slot = CopySlot::Queued { visible_at };
    let before = message::set_slot(state, record, copy, slot, TimelineState::Released);
    if let Some(CopySlot::Claimed { until, .. }) = before {
        state
            .deadlines
            .remove(until, Due::Lapse(run.clone(), claim));
    }
    let Some(member) = state.members.get_mut(run) else {
        return;
    };
    member.inbox.end_claim(claim);
    member.inbox.put_queued(accepted, own, visible_at);
    if let Some(at) = visible_at {
        state.deadlines.insert_visible(at, run, accepted);
    }
    message::watch_expiry(state, accepted);
}

/// From here on the copy holds up the other ordered ones of its sender, until it ends.
fn begin_ordered(state: &mut State, run: &RunId, accepted: Position) {
    let message = state.messages.get(accepted);
    let Some(message) = message.filter(|message| message.is_ordered()) else {
        return;
    };
    let sender = message.sender().cloned();
    if let (Some(member), Some(sender)) = (state.members.get_mut(run), sender) {
        member.inbox.begin(sender, accepted);
    }
}

fn copy_mut<'a>(state: &'a mut State, run: &RunId, claim: Claim) -> Option<&'a mut CopySlot> {
    let message = state.messages.get_mut(claim.accepted)?;
    let index = message.index_of(run)?;
    message.copies.get_mut(index).map(|copy| &mut copy.slot)
}

fn count_attempts(state: &mut State, run: &RunId, claim: Claim, count: impl Fn(u32) -> u32) {
    let Some(message) = state.messages.get_mut(claim.accepted) else {
        return;
    };
    let Some(index) = message.index_of(run) else {
        return;
    };
    if let Some(copy) = message.copies.get_mut(index) {
        copy.attempts = count(copy.attempts);
    }
}
