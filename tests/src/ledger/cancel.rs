//! The rules of a journal about cancelled messages.

use heronry_journal::{MessageCancelled, Record};
use heronry_types::{Actor, Position};

use super::{
    Ledger,
    copies::{Slot, Withdrawn},
};

impl Ledger {
    pub(super) fn message_cancelled(&mut self, record: &Record, body: &MessageCancelled) {
        let letter = self.letter(body.message.accepted);
        assert_eq!(letter.accepted.message_id, body.message.message_id);
        match &record.entry.actor {
            Actor::Member { run, .. } => assert_eq!(*run, letter.sender, "its sender cancels it"),
            Actor::Operator => {}
            Actor::Engine => panic!("nobody asked for it"),
        }
        for copy in letter.copies.values_mut() {
            if let Slot::Queued(_) = copy.slot {
                copy.slot = Slot::Cancelled;
            }
        }
        letter.check_standings(&body.copies);
        letter.finish(record.position);
        letter.withdrawn = Some(Withdrawn::Cancelled);
    }

    /// Returns true when a message has its terminal record.
    pub fn has_ended(&self, accepted: Position) -> bool {
        let letter = self.letters.get(&accepted);
        letter.is_some_and(|letter| letter.end.is_some())
    }
}
