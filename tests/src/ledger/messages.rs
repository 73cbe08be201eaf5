//! The rules of a journal about records of messages and their copies.

use heronry_journal::{MessageRecord, Record};

use super::Ledger;

impl Ledger {
    pub(super) fn of_message(&mut self, record: &Record, body: MessageRecord<'_>) {
        match body {
            MessageRecord::MessageAccepted(body) => self.accepted(record, body),
            MessageRecord::MessageDelivered(body) => self.delivered(record, body),
            MessageRecord::MessageFetched(body) => self.fetched(record, body),
            MessageRecord::MessageAcked(body) => self.acked(record, body),
            MessageRecord::MessageReleased(body) => self.released(record, body),
            MessageRecord::MessageExtended(body) => self.extended(record, body),
            MessageRecord::MessageFailed(body) => self.failed(record, body),
            MessageRecord::MessageExpired(body) => self.expired(record, body),
            MessageRecord::MessageCancelled(body) => self.message_cancelled(record, body),
            MessageRecord::MessageSettled(body) => self.settled(record, body),
            MessageRecord::MessageDeadLettered(body) => self.dead_lettered(record, body),
            MessageRecord::MessageReplayed(body) => self.replayed(record, body),
            MessageRecord::MessageResponded(body) => self.responded(record, body),
            MessageRecord::MessageTimedOut(body) => self.reply_timed_out(record, body),
            MessageRecord::MessageUnsatisfiable(body) => self.unsatisfiable(record, body),
        }
    }
}
