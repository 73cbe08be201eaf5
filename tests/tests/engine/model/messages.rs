//! The steps of a history that are about messages which were sent.

use heronry_pool::{Rejection, decide::CancelMessage};
use heronry_tests::run;
use heronry_types::{MessageStatus, Receipt};

use super::{
    play::{Play, acting, check_barred},
    steps::{By, RUNS},
};

impl Play {
    /// Remembers what was sent under a name.
    pub(super) fn note_sent(&mut self, name: (usize, String), said: String, receipt: &Receipt) {
        let (owner, accepted) = (name.0, receipt.cursor.position);
        let sent = (owner, receipt.message_id.clone(), accepted);
        self.sent.push(sent);
        self.asked.insert(name, (said, receipt.cursor));
    }

    /// Its sender cancels a message; whoever else asks for it finds none.
    pub(super) async fn withdraw(&mut self, by: By, number: usize) {
        self.catch_up().await;
        let Some((owner, message_id, accepted)) = self.sent.iter().rev().nth(number).cloned()
        else {
            return;
        };
        let who = acting(by, owner);
        let caller = self.caller(who);
        let is_foreign = (owner != who.run).then_some(Rejection::MessageNotFound);
        let refusal = self.barred(&caller).or(is_foreign);
        let had_ended = self.ledger.has_ended(accepted);
        let cancel = CancelMessage {
            caller,
            from: run(RUNS[who.run]),
            message_id,
        };
        let answer = self.pool().call(cancel).await;
        check_barred(&answer, refusal.as_ref());
        let Ok(receipt) = answer else { return };
        assert_eq!(receipt.cursor.position, accepted);
        assert_ne!(receipt.status, MessageStatus::Delivered);
        let head = self.ledger.head();
        self.read().await;
        if had_ended {
            assert_eq!(self.ledger.head(), head, "a message ends once");
        } else {
            assert_eq!(receipt.status, MessageStatus::Cancelled);
        }
    }
}
