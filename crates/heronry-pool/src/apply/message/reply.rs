//! Applying records about replies.

use heronry_journal::{MessageAccepted, Record};
use heronry_types::{MessageFailure, MessageStatus, Position, ReplyStanding, TimelineState};

use crate::{
    State,
    apply::message::{self, MessageEnd},
    state::CountedReply,
};

/// Notes a reply that counts with the message that asked for it.
pub(super) fn replied(state: &mut State, record: &Record, body: &MessageAccepted) {
    let answering = body.answering();
    let counted = answering.filter(|answering| answering.standing == ReplyStanding::Counted);
    let (Some(answering), Some(run)) = (counted, &record.entry.lineage.run) else {
        return;
    };
    let Some(request) = state.messages.get_mut(answering.accepted) else {
        return;
    };
    let Some(index) = request.index_of(run) else {
        return;
    };
    if let Some(copy) = request.copies.get_mut(index) {
        copy.has_replied = true;
    }
    let recipient = u32::try_from(index).ok();
    let step = message::step(record, TimelineState::Replied, recipient);
    request.timeline.push(step);
    let reply = CountedReply {
        message_id: body.message_id.clone(),
        content_ref: body.content_ref,
    };
    request
        .replies
        .get_or_insert_default()
        .insert(record.position, reply);
}

pub(in crate::apply) fn responded(state: &mut State, record: &Record, accepted: Position) {
    let end = MessageEnd {
        status: MessageStatus::Responded,
        timeline: TimelineState::Responded,
    };
    message::finish(state, record, accepted, end);
}

pub(in crate::apply) fn timed_out(state: &mut State, record: &Record, accepted: Position) {
    let end = MessageEnd {
        status: MessageStatus::TimedOut,
        timeline: TimelineState::TimedOut,
    };
    message::finish(state, record, accepted, end);
}

pub(in crate::apply) fn unsatisfiable(state: &mut State, record: &Record, accepted: Position) {
    if let Some(message) = state.messages.get_mut(accepted) {
        message.reason = Some(MessageFailure::Unsatisfiable);
    }
    let end = MessageEnd {
        status: MessageStatus::Failed,
        timeline: TimelineState::Failed,
    };
    message::finish(state, record, accepted, end);
}
