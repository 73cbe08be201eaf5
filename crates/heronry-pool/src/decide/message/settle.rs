//! What follows when a copy ends: the message may be over with it.

use heronry_journal::{Body, CopyName, Entry, MessageSettled};
use heronry_types::{CopyStanding, Position, RunId};

use crate::{State, command::Author, decide::message::reply, state::Message};

/// Returns the record that the message is settled, when the end of this copy ends its last one.
pub(in crate::decide) fn settled_by(
    state: &State,
    accepted: Position,
    run: &RunId,
    end: CopyStanding,
) -> Option<Entry> {
    let index = state.messages.get(accepted)?.index_of(run)?;
    settled_with(state, accepted, &[(index, end)])
}

/// Returns the record that the message is settled, when these ends, each of another recipient's copy,
/// end its last ones.
pub(super) fn settled_with(
    state: &State,
    accepted: Position,
    ends: &[(usize, CopyStanding)],
) -> Option<Entry> {
    let message = state
        .messages
        .get(accepted)
        .filter(|message| message.is_open())?;
    if let Some(contract) = message.contract() {
        return reply::unsatisfiable_with((accepted, message), contract, ends);
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

/// How every copy stands after these ends, each of another recipient's copy by its index.
pub(super) fn standings_with(
    message: &Message,
    ends: &[(usize, CopyStanding)],
) -> Vec<CopyStanding> {
    let mut copies: Vec<CopyStanding> = message.copies.iter().map(|copy| copy.standing()).collect();
    for (index, end) in ends {
        if let Some(copy) = copies.get_mut(*index) {
            *copy = *end;
        }
    }
    copies
}
