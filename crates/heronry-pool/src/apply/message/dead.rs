//! Applying records about dead letters.

use heronry_journal::{MessageDeadLettered, MessageReplayed, Record};
use heronry_types::TimelineState;

use crate::{
    State,
    apply::message,
    state::{CopyOf, CopySlot, DeadLetter},
};

pub(in crate::apply) fn lettered(state: &mut State, record: &Record, body: &MessageDeadLettered) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let reason = body.reason;
    for dead in &body.copies {
        let accepted = dead.copy.accepted;
        let end = CopySlot::Dead { reason };
        message::end_copy(
            state,
            record,
            CopyOf { accepted, run },
            end,
            TimelineState::Dead,
        );
        let letter = DeadLetter {
            reason,
            position: record.position,
            at: record.recorded_at,
        };
        state.dead.insert(run.clone(), accepted, letter);
    }
}

/// Gives the recipient a new copy, behind every other.
pub(in crate::apply) fn replayed(state: &mut State, record: &Record, body: &MessageReplayed) {
    let (Some(run), accepted) = (&record.entry.lineage.run, body.copy.accepted) else {
        return;
    };
    state.dead.remove(run, accepted);
    let slot = CopySlot::Queued { visible_at: None };
    let copy = CopyOf { accepted, run };
    if message::set_slot(state, record, copy, slot, TimelineState::Replayed).is_none() {
        return;
    }
    let Some(message) = state.messages.get_mut(accepted) else {
        return;
    };
    let Some(index) = message.index_of(run) else {
        return;
    };
    if let Some(copy) = message.copies.get_mut(index) {
        copy.attempts = 0;
    }
    let replay = message::step(record, TimelineState::Replayed, None);
    message
        .replays
        .get_or_insert_default()
        .insert(index, replay);
    let own = message.own_turn(accepted, run);
    let sender = message.sender().cloned();
    if let (Some(member), Some(sender)) = (state.members.get_mut(run), sender) {
        member.inbox.put_queued(accepted, own, None);
        member.inbox.by_sender.add(&sender);
    }
    message::watch_expiry(state, accepted);
}
