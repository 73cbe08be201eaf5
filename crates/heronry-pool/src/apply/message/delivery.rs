//! Applying deliveries that are not the usual ones: delayed, urgent, ordered, or past full inboxes.

use heronry_journal::{MessageDelivered, Record};
use heronry_types::{Position, TimelineState, Timestamp, Undeliverable};

use crate::{
    State,
    apply::message,
    state::{CopyOf, CopySlot, MessageCopy},
};

/// Puts the copies where they belong; the message and its timeline are as after any delivery.
pub(super) fn delivered(state: &mut State, record: &Record, body: &MessageDelivered) {
    let visible_at = visible_at(state, record, body.accepted);
    for (index, run) in body.recipients.0.iter().enumerate() {
        if body.is_skipped(index) {
            skip(state, record, body.accepted, index);
        } else {
            let accepted = body.accepted;
            put(state, record, CopyOf { accepted, run }, index, visible_at);
        }
    }
}

/// Returns the time since when the copies can be claimed. `None` when that is not later than the
/// acceptance.
fn visible_at(state: &State, record: &Record, accepted: Position) -> Option<Timestamp> {
    let options = state.messages.get(accepted)?.accepted.options.as_ref()?;
    let delay = options.deliver_after?;
    Some(record.recorded_at.after(delay))
}

/// The recipient's inbox is full: it gets no copy.
fn skip(state: &mut State, record: &Record, accepted: Position, index: usize) {
    let Some(message) = state.messages.get_mut(accepted) else {
        return;
    };
    if let Some(copy) = message.copies.get_mut(index) {
        let why = Undeliverable::InboxFull;
        copy.slot = CopySlot::Undeliverable { why };
    }
    let recipient = u32::try_from(index).ok();
    let step = message::step(record, TimelineState::Undeliverable, recipient);
    message.timeline.push(step);
}

/// Puts a copy, that of the recipient at this index, into its recipient's inbox.
fn put(
    state: &mut State,
    record: &Record,
    CopyOf { accepted, run }: CopyOf<'_>,
    index: usize,
    visible_at: Option<Timestamp>,
) {
    let Some(message) = state.messages.get_mut(accepted) else {
        return;
    };
    if let Some(copy) = message.copies.get_mut(index) {
        let slot = CopySlot::Queued { visible_at };
        *copy = MessageCopy { slot, ..*copy };
    }
    let own = message.own_turn(accepted, run);
    let sender = record.entry.lineage.run.clone();
    if let (Some(member), Some(sender)) = (state.members.get_mut(run), sender) {
        member.inbox.put_queued(accepted, own, visible_at);
        member.inbox.by_sender.add(&sender);
        if let Some(at) = visible_at {
            state.deadlines.insert_visible(at, run, accepted);
        }
    }
}
