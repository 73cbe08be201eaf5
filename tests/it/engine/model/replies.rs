//! The steps of a history that are about replies.

use std::num::NonZeroU32;

use heronry_pool::{
    Rejection,
    decide::{SendMessage, SendRequest},
};
use heronry_tests::{World, key, run};
use heronry_types::{Address, DeliveryOptions, Millis, ResponseContract, RunId};

use super::{
    play::{INBOX_DEPTH, Play, check_barred, check_conflict},
    steps::{Asking, Letter, RUNS, Who},
};

/// The contract of a letter.
pub(super) fn contract(asking: Asking) -> ResponseContract {
    let expected = NonZeroU32::MIN.saturating_add(asking.more_than_one);
    let mut contract = ResponseContract::new(expected);
    contract.timeout_ms = asking.timeout.map(Millis::from_secs);
    let runs = RUNS.iter().enumerate();
    let named = |from: u8| {
        let asked = runs.filter(|(index, _)| from & (1 << index) != 0);
        asked.map(|(_, name)| run(name)).collect()
    };
    contract.from = asking.from.map(named);
    contract
}

impl Play {
    /// Returns the reason why a letter is refused that asks for more replies than can count.
    pub(super) fn unsatisfiable(&self, sender: usize, letter: Letter) -> Option<Rejection> {
        let asked = letter.asking.map(contract)?;
        let sender = run(RUNS[sender]);
        let recipients = self.ledger.recipients(&sender, &Self::address(letter.to));
        let has_room = |run: &RunId| !self.ledger.is_full_for(run, &sender);
        let may_reply = recipients
            .iter()
            .filter(|run| **run != sender && asked.asks(run) && has_room(run));
        let (expected, eligible) = (asked.expected_responses.get(), may_reply.count());
        let too_few = !recipients.is_empty() && eligible < expected as usize;
        too_few.then_some(Rejection::ContractUnsatisfiable { expected, eligible })
    }

    /// Replies to a message that asks, counted from the newest, whether or not it asks this run.
    pub(super) async fn reply(&mut self, who: Who, number: usize, under: u8) {
        self.catch_up().await;
        let Some((sender, id)) = self.ledger.asking(number) else {
            return;
        };
        let (caller, name) = (self.caller(who), (who.run, under.to_string()));
        let to = Address::Run { run_id: sender };
        let request = SendRequest {
            reply_to: Some(id),
            ..SendRequest::new(to, heronry_tests::body("work"), key(&name.1))
        };
        let said = format!("reply {:?} {:?}", request.to, request.reply_to);
        let replier = World::run_of(&caller);
        let is_full = self
            .ledger
            .refuses(&replier, &request.to, DeliveryOptions::default());
        let depth = INBOX_DEPTH;
        let full = is_full.then_some(Rejection::InboxFull { depth });
        let send = SendMessage::new(caller.clone(), World::run_of(&caller), request);
        let answer = self.pool().call(send).await;
        match self.asked.get(&name) {
            Some((before, first)) if *before == said => {
                assert_eq!(answer.unwrap().receipt.cursor, *first);
            }
            Some((_, first)) => check_conflict(&answer, *first),
            None => {
                check_barred(&answer, self.barred(&caller).or(full).as_ref());
                if let Ok(sent) = answer {
                    self.note_sent(name, said, &sent.receipt);
                }
            }
        }
    }
}
