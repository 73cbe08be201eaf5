//! The rules of a journal about replies, and about messages that ask for them.

use heronry_journal::{
    Answering, Contract, MessageResponded, MessageTimedOut, MessageUnsatisfiable, Record,
};
use heronry_types::{Actor, MessageId, Position, ReplyStanding, RunId, Timestamp};

use super::{Ledger, copies::LedgerLetter};

impl LedgerLetter {
    pub(super) fn contract(&self) -> Option<&Contract> {
        self.accepted.contract()
    }

    fn answering(&self) -> Option<Answering> {
        self.accepted.answering()
    }

    /// Returns the number of replies that it asks for.
    fn expected(&self) -> usize {
        let asked = self.contract().map(|contract| &contract.asked);
        asked.map_or(0, |asked| asked.expected_responses.get() as usize)
    }

    /// Returns true when a reply of this recipient would count, whenever it came.
    fn may_reply(&self, run: &RunId) -> bool {
        let asked = self.contract().map(|contract| contract.asked.asks(run));
        asked == Some(true) && *run != self.sender && !self.replied.contains(run)
    }

    /// Returns the number of replies that it can have in the end.
    fn possible(&self) -> usize {
        let copies = self.copies.iter();
        let may_come = copies.filter(|(run, copy)| copy.is_live() && self.may_reply(run));
        self.replied.len() + may_come.count()
    }

    fn standing_of_reply(&self, run: &RunId) -> ReplyStanding {
        if self.contract().is_none() {
            ReplyStanding::Uncounted
        } else if self.end.is_some() {
            ReplyStanding::Late
        } else if self.may_reply(run) {
            ReplyStanding::Counted
        } else {
            ReplyStanding::Uncounted
        }
    }

    fn is_overdue(&self, now: Timestamp) -> bool {
        let deadline = self.contract().and_then(|contract| contract.deadline);
        self.end.is_none() && deadline.is_some_and(|at| at <= now)
    }
}

impl Ledger {
    /// Before a caller's record everything is decided that follows from the records before it, and
    /// everything that is due at its time.
    pub(super) fn check_asking(&mut self, record: &Record) {
        if record.entry.actor == Actor::Engine || self.asking.is_empty() {
            return;
        }
        let letters = &self.letters;
        let is_open = |at: &Position| letters.get(at).is_some_and(|letter| letter.end.is_none());
        self.asking.retain(is_open);
        for letter in self.asking.iter().filter_map(|at| letters.get(at)) {
            assert!(!letter.is_overdue(record.recorded_at), "decided when due");
            assert!(letter.possible() >= letter.expected(), "it had to fail");
        }
    }

    /// A message was delivered: what ties it to others follows from the rules.
    #[expect(
        clippy::indexing_slicing,
        reason = "a test stops at a record of nothing"
    )]
    pub(super) fn tied(&mut self, accepted: Position, at: Timestamp) {
        let letter = &self.letters[&accepted];
        let replier = letter.sender.clone();
        if let Some(contract) = letter.contract() {
            assert!(
                letter.possible() >= letter.expected(),
                "it was to be refused"
            );
            let timeout = contract.asked.timeout_ms;
            let deadline = timeout.map(|timeout| at.after(timeout));
            assert_eq!(contract.deadline, deadline);
            self.asking.insert(accepted);
        }
        let answering = self.answering(accepted);
        assert_eq!(self.letters[&accepted].answering(), answering);
        let counted = answering.filter(|of| of.standing == ReplyStanding::Counted);
        if let Some(of) = counted {
            let request = self.letter(of.accepted);
            request.replied.insert(replier);
            if request.replied.len() == request.expected() {
                self.responding = Some((of.accepted, accepted));
            }
        }
    }

    /// Returns the run that asked what a message replies to, when it is among those that are addressed.
    pub(super) fn requester<'a>(
        &'a self,
        reply: &LedgerLetter,
        addressed: &[RunId],
    ) -> Option<&'a RunId> {
        let id = reply.accepted.reply_to.as_ref()?;
        let of_id = |letter: &&LedgerLetter| {
            letter.accepted.message_id == *id
                && addressed.contains(&letter.sender)
                && letter.copies.contains_key(&reply.sender)
        };
        let request = self.letters.values().rev().find(of_id)?;
        Some(&request.sender)
    }

    /// Returns the message that this one replies to: the latest of that id that one of its
    /// recipients sent and its sender has a copy of.
    fn answering(&self, accepted: Position) -> Option<Answering> {
        let reply = self.letters.get(&accepted)?;
        let id = reply.accepted.reply_to.as_ref()?;
        let of_id = |(at, letter): &(&Position, &LedgerLetter)| {
            **at < accepted
                && letter.accepted.message_id == *id
                && reply.copies.contains_key(&letter.sender)
                && letter.copies.contains_key(&reply.sender)
        };
        let (at, request) = self.letters.iter().rev().find(of_id)?;
        Some(Answering {
            accepted: *at,
            standing: request.standing_of_reply(&reply.sender),
        })
    }

    /// The reply that makes a number full is followed by the record that says so.
    pub(super) fn check_responding(&mut self, record: &Record) {
        if self.awaiting.is_some() {
            return;
        }
        if let Some((request, by)) = self.responding.take() {
            let body = &record.entry.body;
            let says_so = matches!(body, heronry_journal::Body::MessageResponded(body)
                if body.message.accepted == request && body.by == by);
            assert!(says_so, "the message at {request} had its replies by {by}");
        }
    }

    pub(super) fn responded(&mut self, record: &Record, body: &MessageResponded) {
        let letter = self.letter(body.message.accepted);
        assert_eq!(letter.replied.len(), letter.expected());
        letter.check_standings(&body.copies);
        letter.finish(record.position);
    }

    pub(super) fn reply_timed_out(&mut self, record: &Record, body: &MessageTimedOut) {
        let letter = self.letter(body.message.accepted);
        assert!(letter.is_overdue(record.recorded_at), "never early");
        letter.check_standings(&body.copies);
        letter.finish(record.position);
    }

    pub(super) fn unsatisfiable(&mut self, record: &Record, body: &MessageUnsatisfiable) {
        let letter = self.letter(body.message.accepted);
        assert!(letter.possible() < letter.expected(), "it could have been");
        letter.check_standings(&body.copies);
        letter.finish(record.position);
    }

    /// Returns who sent a message that asks for replies, counted from the newest, and its id.
    pub fn asking(&self, number: usize) -> Option<(RunId, MessageId)> {
        let asking = |letter: &&LedgerLetter| letter.contract().is_some();
        let letter = self.letters.values().rev().filter(asking).nth(number)?;
        Some((letter.sender.clone(), letter.accepted.message_id.clone()))
    }

    /// Returns the messages that have waited too long for replies.
    pub fn overdue_replies(&self, now: Timestamp) -> usize {
        let letters = self.letters.values();
        letters.filter(|letter| letter.is_overdue(now)).count()
    }
}
