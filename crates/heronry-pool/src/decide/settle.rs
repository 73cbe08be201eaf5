//! What follows when a copy ends: the message may be over with it.

use heronry_journal::{Body, CopyName, Entry, MessageSettled};
use heronry_types::{CopyStanding, Position, RunId};

use super::draft::Author;
use crate::State;

/// Returns the record that the message is settled, when the end of this copy ends its last one.
pub(super) fn settled_by(
    state: &State,
    accepted: Position,
    run: &RunId,
    end: CopyStanding,
) -> Option<Entry> {
    let message = state
        .messages
        .get(accepted)
        .filter(|message| message.is_open())?;
    let index = message.index_of(run)?;
    let others_ended = message
        .copies
        .iter()
        .enumerate()
        .all(|(other, copy)| other == index || copy.slot.is_ended());
    if !others_ended {
        return None;
    }
    let mut copies: Vec<CopyStanding> = message.copies.iter().map(|copy| copy.standing()).collect();
    *copies.get_mut(index)? = end;
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
