//! The consequence of the end of a copy: the message may be over with it.

use heronry_journal::{Body, CopyName, Entry, MessageSettled};
use heronry_types::{CopyStanding, Position, RunId};

use crate::{
    State,
    command::Author,
    decide::message::reply,
    state::{Message, MessageAt},
};

/// The end of one copy of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyEnd {
    /// The index of its recipient.
    pub(super) index: usize,
    /// The standing of the copy from its end on.
    pub(super) standing: CopyStanding,
}

/// Returns the record that the message is settled, when the end of this copy ends its last one.
pub(in crate::decide) fn settled_by(
    state: &State,
    accepted: Position,
    run: &RunId,
    end: CopyStanding,
) -> Option<Entry> {
    let index = state.messages.get(accepted)?.index_of(run)?;
    settled_with(
        state,
        accepted,
        &[CopyEnd {
            index,
            standing: end,
        }],
    )
}

/// Returns the record that the message is settled, when these ends, each of another recipient's copy,
/// end its last ones.
pub(super) fn settled_with(state: &State, accepted: Position, ends: &[CopyEnd]) -> Option<Entry> {
    let message = state
        .messages
        .get(accepted)
        .filter(|message| message.is_open())?;
    if let Some(contract) = message.contract() {
        return reply::unsatisfiable_with(MessageAt { accepted, message }, contract, ends);
    }
    let live = message.copies.iter().filter(|copy| !copy.slot.is_ended());
    if live.count() > ends.len() {
        return None;
    }
    let copies = standings_with(message, ends);
    let message_id = message.accepted.message_id.clone();
    let author = Author::engine(message.lineage.clone()).caused_by(accepted);
    Some(author.entry(Body::MessageSettled(MessageSettled {
        message: CopyName {
            accepted,
            message_id,
        },
        copies,
    })))
}

/// Returns the standings of all copies after these ends, each of another recipient's copy by its index.
pub(super) fn standings_with(message: &Message, ends: &[CopyEnd]) -> Vec<CopyStanding> {
    let mut copies: Vec<CopyStanding> = message.copies.iter().map(|copy| copy.standing()).collect();
    for end in ends {
        if let Some(copy) = copies.get_mut(end.index) {
            *copy = end.standing;
        }
    }
    copies
}
