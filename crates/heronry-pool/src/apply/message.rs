//! Applying records about messages as a whole.

mod archive;
pub(super) mod dead;
mod delivery;
pub(super) mod inbox;
pub(super) mod reply;

use heronry_journal::{
    Claim, MessageAccepted, MessageDelivered, MessageFailed, MessageRecord, Record,
};
use heronry_types::{MessageStatus, Position, RunId, TimelineState};

pub(crate) use archive::refold;

use crate::{
    State,
    apply::content,
    state::{CopyOf, CopySlot, Due, Message, MessageCopy, TimelineStep},
};

/// Applies a record that changes messages and their copies.
pub(super) fn apply(state: &mut State, record: &Record, body: MessageRecord<'_>) {
    match body {
        MessageRecord::MessageAccepted(body) => accepted(state, record, body),
        MessageRecord::MessageDelivered(body) => delivered(state, record, body),
        MessageRecord::MessageFetched(body) => inbox::fetched(state, record, body),
        MessageRecord::MessageAcked(body) => inbox::acked(state, record, body),
        MessageRecord::MessageReleased(body) => inbox::released(state, record, body),
        MessageRecord::MessageExtended(body) => inbox::extended(state, record, body),
        MessageRecord::MessageFailed(body) => failed(state, record, body),
        MessageRecord::MessageExpired(body) => expired(state, record, body.message.accepted),
        MessageRecord::MessageSettled(body) => settled(state, record, body.message.accepted),
        MessageRecord::MessageCancelled(body) => cancelled(state, record, body.message.accepted),
        MessageRecord::MessageDeadLettered(body) => dead::lettered(state, record, body),
        MessageRecord::MessageReplayed(body) => dead::replayed(state, record, body),
        MessageRecord::MessageResponded(body) => {
            reply::responded(state, record, body.message.accepted);
        }
        MessageRecord::MessageTimedOut(body) => {
            reply::timed_out(state, record, body.message.accepted);
        }
        MessageRecord::MessageUnsatisfiable(body) => {
            reply::unsatisfiable(state, record, body.message.accepted);
        }
    }
}

fn accepted(state: &mut State, record: &Record, body: &MessageAccepted) {
    let step = step(record, TimelineState::Accepted, None);
    state.messages.insert(
        record.position,
        Message {
            lineage: record.entry.lineage.clone(),
            accepted: body.clone(),
            recipients: heronry_journal::Recipients::default(),
            not_peered: None,
            copies: Box::default(),
            status: None,
            reason: None,
            timeline: timeline_of(step),
            replays: None,
            replies: None,
            is_finished: false,
        },
    );
    content::named(state, body.content_ref);
    reply::replied(state, record, body);
}

fn delivered(state: &mut State, record: &Record, body: &MessageDelivered) {
    let accepted = body.accepted;
    let Some(message) = state.messages.get_mut(accepted) else {
        return;
    };
    let queued = MessageCopy {
        slot: CopySlot::Queued { visible_at: None },
        attempts: 0,
        has_replied: false,
    };
    message.recipients = body.recipients.clone();
    message.not_peered.clone_from(&body.not_peered);
    message.copies = vec![queued; body.recipients.0.len()].into_boxed_slice();
    message.status = Some(MessageStatus::Delivered);
    message
        .timeline
        .push(step(record, TimelineState::Delivered, None));
    if let Some(at) = message.accepted.expires_at {
        state.deadlines.insert(at, Due::Expiry(accepted));
    }
    if let Some(at) = message.contract().and_then(|contract| contract.deadline) {
        state.deadlines.insert(at, Due::ReplyTimeout(accepted));
    }
    if body.skipped.is_some() || message.accepted.options.is_some() {
        return delivery::delivered(state, record, body);
    }
    let Some(sender) = &record.entry.lineage.run else {
        return;
    };
    state.members.each_of(&body.recipients, |member| {
        member.inbox.ready.insert(accepted);
        member.inbox.by_sender.add(sender);
    });
}

fn failed(state: &mut State, record: &Record, body: &MessageFailed) {
    if let Some(message) = state.messages.get_mut(body.message.accepted) {
        message.reason = Some(body.reason);
    }
    let end = MessageEnd {
        status: MessageStatus::Failed,
        timeline: TimelineState::Failed,
    };
    finish(state, record, body.message.accepted, end);
}

fn settled(state: &mut State, record: &Record, accepted: Position) {
    let end = MessageEnd {
        status: MessageStatus::Settled,
        timeline: TimelineState::Settled,
    };
    finish(state, record, accepted, end);
}

fn expired(state: &mut State, record: &Record, accepted: Position) {
    let end = MessageEnd {
        status: MessageStatus::Expired,
        timeline: TimelineState::Expired,
    };
    withdraw(state, record, accepted, end, CopySlot::Expired);
}

fn cancelled(state: &mut State, record: &Record, accepted: Position) {
    let end = MessageEnd {
        status: MessageStatus::Cancelled,
        timeline: TimelineState::Cancelled,
    };
    withdraw(state, record, accepted, end, CopySlot::Cancelled);
}

/// Ends the message and its queued copies; a copy under a live claim goes on.
fn withdraw(
    state: &mut State,
    record: &Record,
    accepted: Position,
    end: MessageEnd,
    slot: CopySlot,
) {
    let Some(message) = state.messages.get(accepted) else {
        return;
    };
    let queued: Vec<RunId> = message
        .recipients
        .0
        .iter()
        .zip(&message.copies)
        .filter(|(_, copy)| matches!(copy.slot, CopySlot::Queued { .. }))
        .map(|(run, _)| run.clone())
        .collect();
    for run in &queued {
        end_copy(state, record, CopyOf { accepted, run }, slot, end.timeline);
    }
    finish(state, record, accepted, end);
}

/// The end of a message, as its status and as its timeline say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageEnd {
    pub(super) status: MessageStatus,
    pub(super) timeline: TimelineState,
}

pub(super) fn finish(state: &mut State, record: &Record, accepted: Position, end: MessageEnd) {
    let Some(message) = state.messages.get_mut(accepted) else {
        return;
    };
    message.status = Some(end.status);
    message.timeline.push(step(record, end.timeline, None));
    if let Some(at) = message.contract().and_then(|contract| contract.deadline) {
        state.deadlines.remove(at, Due::ReplyTimeout(accepted));
    }
    watch_expiry(state, accepted);
    state.messages.count_over();
    state.messages.note_end(accepted, record.position);
}

/// Ends one copy, wherever it stood.
pub(super) fn end_copy(
    state: &mut State,
    record: &Record,
    copy: CopyOf<'_>,
    end: CopySlot,
    timeline: TimelineState,
) {
    let Some(before) = set_slot(state, record, copy, end, timeline) else {
        return;
    };
    let CopyOf { accepted, run } = copy;
    let message = state.messages.get(accepted);
    let sender = message.and_then(|message| message.sender().cloned());
    let own = message.and_then(|message| message.own_turn(accepted, run));
    let is_ordered = message.is_some_and(Message::is_ordered);
    if let Some(member) = state.members.get_mut(run) {
        match before {
            CopySlot::Queued { visible_at } => {
                member.inbox.take_queued(accepted, own);
                if let Some(at) = visible_at {
                    state.deadlines.remove_visible(at, run, accepted);
                }
            }
            CopySlot::Claimed { fetched, until } => {
                let claim = Claim { accepted, fetched };
                member.inbox.end_claim(claim);
                state
                    .deadlines
                    .remove(until, Due::Lapse(run.clone(), claim));
            }
            CopySlot::Acked { .. }
            | CopySlot::Expired
            | CopySlot::Cancelled
            | CopySlot::Undeliverable { .. }
            | CopySlot::Dead { .. } => {}
        }
        if let Some(sender) = sender {
            member.inbox.by_sender.take(&sender);
            if is_ordered {
                member.inbox.end_begun(&sender, accepted);
            }
        }
    }
    watch_expiry(state, accepted);
    state.messages.note_end(accepted, record.position);
}

/// Moves one copy to another slot, notes it in the timeline, and returns the slot before.
pub(super) fn set_slot(
    state: &mut State,
    record: &Record,
    CopyOf { accepted, run }: CopyOf<'_>,
    slot: CopySlot,
    timeline: TimelineState,
) -> Option<CopySlot> {
    let message = state.messages.get_mut(accepted)?;
    let index = message.index_of(run)?;
    let copy = message.copies.get_mut(index)?;
    let before = std::mem::replace(&mut copy.slot, slot);
    let recipient = u32::try_from(index).ok();
    message.timeline.push(step(record, timeline, recipient));
    Some(before)
}

/// Keeps the expiry deadline exactly while the message has queued copies that may be handed over.
pub(super) fn watch_expiry(state: &mut State, accepted: Position) {
    let Some(message) = state.messages.get(accepted) else {
        return;
    };
    let Some(at) = message.accepted.expires_at else {
        return;
    };
    if !message.is_withdrawn() && message.queued() > 0 {
        state.deadlines.insert(at, Due::Expiry(accepted));
    } else {
        state.deadlines.remove(at, Due::Expiry(accepted));
    }
}

pub(super) fn step(record: &Record, state: TimelineState, recipient: Option<u32>) -> TimelineStep {
    TimelineStep {
        at: record.recorded_at,
        position: record.position,
        state,
        recipient,
    }
}

/// A timeline with room for what becomes of most messages.
fn timeline_of(first: TimelineStep) -> Vec<TimelineStep> {
    let mut timeline = Vec::with_capacity(4);
    timeline.push(first);
    timeline
}
