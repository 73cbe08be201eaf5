//! Cancelling a message.

use heronry_journal::{Body, CopyName, MessageCancelled};
use heronry_store::KeyName;
use heronry_types::{CopyStanding, CopyState, Epoch, MessageId, Receipt, RunId};

use crate::{
    Caller, Minter, Rejection, State, answer,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Names, Profile, Speaker},
    decide::guard,
};

/// Cancels a message: it is over, and its queued copies are not handed over any more.
///
/// A copy under a live claim goes on: its reader may still acknowledge it; given back, it ends. A
/// message that is over already stays as it ended, and nothing is recorded.
#[derive(Clone, Debug)]
pub struct CancelMessage {
    /// The authenticated caller: the sender, or an operator.
    pub caller: Caller,
    /// The run that sent it.
    pub from: RunId,
    /// The message.
    pub message_id: MessageId,
}

impl Command for CancelMessage {
    type Answer = Receipt;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .reserved_for(&self.from)
            .spoken_by(Speaker::Acting(&self.caller, &self.from))
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        let id = KeyName::Message(self.message_id.clone());
        Some(Names::new(&self.from, None, Some(id)))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::reader(state, &self.caller, &self.from)?;
        let found = cx.prior.id.ok_or(Rejection::MessageNotFound)?;
        let accepted = found.first;
        let message = state.messages.get(accepted);
        let message = message.ok_or_else(|| state.no_message(accepted))?;
        if !message.is_open() {
            return Ok(Decision::Repeat(accepted));
        }
        let end = |mut standing: CopyStanding| {
            if standing.state == CopyState::Queued {
                standing.state = CopyState::Cancelled;
            }
            standing
        };
        let copies = message.copies.iter();
        let body = MessageCancelled {
            message: CopyName {
                accepted,
                message_id: self.message_id.clone(),
            },
            copies: copies.map(|copy| end(copy.standing())).collect(),
        };
        let author = Author::of_message(state, &self.caller, message).caused_by(accepted);
        let entry = author.last_entry(Body::MessageCancelled(body));
        Ok(Decision::Amend(Draft::of(vec![entry]), accepted))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Receipt, Rejection> {
        answer::receipt(state, applied.first, applied.durability)
            .ok_or_else(|| state.no_message(applied.first))
    }
}
