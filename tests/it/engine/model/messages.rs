//! The steps of a history that are about messages which were sent.

use heronry_pool::{Rejection, decide::CancelMessage};
use heronry_tests::run;
use heronry_types::{MessageStatus, OnFull, Receipt};

use super::{
    play::{INBOX_DEPTH, Play, acting, check_barred},
    steps::{By, Letter, RUNS, To, Who},
};

/// Returns the request of a message as a text, without its defaults.
pub(super) fn said(letter: Letter) -> String {
    let Letter {
        to, mut options, ..
    } = letter;
    let usual = match to {
        To::Run(_) => OnFull::Refuse,
        To::Agent(_) | To::Topic(_) | To::Pool => OnFull::Skip,
    };
    options.on_full = options.on_full.filter(|it| *it != usual);
    options.deliver_after = options.deliver_after.filter(|delay| delay.0 > 0);
    let asking = letter.asking;
    format!("send {to:?} {:?} {options:?} {asking:?}", letter.expires_in)
}

impl Play {
    /// The refusal of a message for which there is no room.
    pub(super) fn full(&self, who: Who, letter: Letter) -> Option<Rejection> {
        let request = Self::request(letter);
        let refused = self
            .ledger
            .refuses(&run(RUNS[who.run]), &request.to, letter.options);
        let depth = INBOX_DEPTH;
        refused.then_some(Rejection::InboxFull { depth })
    }

    /// Remembers what was sent under a name.
    pub(super) fn note_sent(&mut self, name: (usize, String), said: String, receipt: &Receipt) {
        let (owner, accepted) = (name.0, receipt.cursor.position);
        let sent = (owner, receipt.message_id.clone(), accepted);
        self.sent.push(sent);
        self.note_body(receipt.content_ref);
        self.asked.insert(name, (said, receipt.cursor));
    }

    /// Its sender cancels a message; whoever else asks for it finds none.
    pub(super) async fn withdraw(&mut self, by: By, number: usize) {
        self.catch_up().await;
        self.settle_scans().await;
        let Some((owner, message_id, accepted)) = self.sent.iter().rev().nth(number).cloned()
        else {
            return;
        };
        let who = acting(by, owner);
        let caller = self.caller(who);
        let is_foreign = (owner != who.run).then_some(Rejection::MessageNotFound);
        let refusal = self.barred(&caller).or(is_foreign);
        let had_ended = self.ledger.has_ended(accepted);
        let is_back = self.ledger.is_lost(&run(RUNS[who.run]));
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
            let recorded = self.ledger.head().0 - head.0;
            assert_eq!(recorded, u64::from(is_back), "a message ends once");
        } else {
            assert_eq!(receipt.status, MessageStatus::Cancelled);
        }
    }
}
