//! The rules of a journal about messages and their copies.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use heronry_journal::{
    Claim, CopyName, MessageAccepted, MessageAcked, MessageDelivered, MessageExpired,
    MessageExtended, MessageFailed, MessageFetched, MessageReleased, MessageSettled, Record,
};
use heronry_types::{
    AckOutcome, ChosenBy, CopyStanding, CopyState, DeliveryOptions, Importance, MessageFailure,
    Position, ReleaseReason, RunId, Timestamp, Undeliverable,
};

use super::{Ledger, resume::PAUSE_MIN, run_of, wiring::PeeredRuns};

/// The slot of a copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    /// The copy waits to be claimed; a delayed one from this time on.
    Queued(Option<Timestamp>),
    /// The copy is held by this claim until this time.
    Claimed(Claim, Timestamp),
    /// The copy was acknowledged under this claim.
    Acked(Claim, AckOutcome),
    /// The copy expired.
    Expired,
    /// Its message was cancelled.
    Cancelled,
    /// The copy could not be handed over.
    Undeliverable(Undeliverable),
    /// The copy is dead: it was claimed too often, or it expired after a replay.
    Dead,
}

/// The numbers of copies of one recipient, by their slots.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Delivered to it, ever.
    pub delivered: u64,
    /// Waiting to be claimed.
    pub queued: u64,
    /// Claimed.
    pub claimed: u64,
    /// Acknowledged.
    pub acked: u64,
    /// Expired.
    pub expired: u64,
    /// Cancelled.
    pub cancelled: u64,
    /// Undeliverable.
    pub undeliverable: u64,
    /// Dead.
    pub dead: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct LedgerCopy {
    pub(super) slot: Slot,
    pub(super) attempts: u32,
    /// The time and the record that put the copy at the tail again.
    pub(super) replayed: Option<(Timestamp, Position)>,
    /// True when the copy was claimed since it was put there.
    pub(super) is_begun: bool,
}

/// The order in which copies are claimed: the more urgent first, then by the time from which on a
/// copy can be claimed.
pub(super) type Turn = (Reverse<Importance>, Timestamp, Position);

/// The reason why no copy of a message is handed over any more, whatever happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Withdrawn {
    Expired,
    Cancelled,
}

#[derive(Debug)]
pub(super) struct LedgerLetter {
    pub(super) sender: RunId,
    pub(super) accepted: MessageAccepted,
    accepted_at: (Timestamp, Position),
    pub(super) copies: BTreeMap<RunId, LedgerCopy>,
    /// The runs whose replies count so far.
    pub(super) replied: BTreeSet<RunId>,
    pub(super) end: Option<Position>,
    pub(super) withdrawn: Option<Withdrawn>,
}

impl LedgerCopy {
    fn standing(self) -> CopyStanding {
        let (state, why, outcome) = match self.slot {
            Slot::Queued(_) => (CopyState::Queued, None, None),
            Slot::Claimed(..) => (CopyState::Claimed, None, None),
            Slot::Acked(_, outcome) => (CopyState::Acked, None, Some(outcome)),
            Slot::Expired => (CopyState::Expired, None, None),
            Slot::Cancelled => (CopyState::Cancelled, None, None),
            Slot::Undeliverable(why) => (CopyState::Undeliverable, Some(why), None),
            Slot::Dead => (CopyState::Dead, None, None),
        };
        CopyStanding {
            state,
            attempt: self.attempts,
            why,
            outcome,
        }
    }

    fn is_claimed(self) -> bool {
        matches!(self.slot, Slot::Claimed(..))
    }

    pub(super) fn is_live(self) -> bool {
        matches!(self.slot, Slot::Queued(_) | Slot::Claimed(..))
    }
}

impl LedgerLetter {
    /// Returns the turn of a copy.
    pub(super) fn turn(&self, copy: LedgerCopy) -> Turn {
        let usual = (self.visible_at(), self.accepted_at.1);
        let (since, position) = copy.replayed.unwrap_or(usual);
        (Reverse(self.options().importance), since, position)
    }

    /// Returns the time from which on its copies can be claimed.
    fn visible_at(&self) -> Timestamp {
        let delay = self.options().deliver_after;
        self.accepted_at.0.after(delay.unwrap_or_default())
    }

    /// Returns the options with which it is handed over.
    pub(super) fn options(&self) -> DeliveryOptions {
        let options = self.accepted.options.as_deref();
        options.copied().unwrap_or_default()
    }

    pub(super) fn is_past_expiry(&self, now: Timestamp) -> bool {
        self.accepted.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns the slot of a copy whose claim is given back.
    fn slot_of_returned(&self, visible_at: Option<Timestamp>) -> Slot {
        match self.withdrawn {
            Some(Withdrawn::Expired) => Slot::Expired,
            Some(Withdrawn::Cancelled) => Slot::Cancelled,
            None => Slot::Queued(visible_at),
        }
    }

    pub(super) fn check_standings(&self, standings: &[CopyStanding]) {
        let now: Vec<_> = self.copies.values().map(|copy| copy.standing()).collect();
        assert_eq!(now, standings, "a terminal record carries every copy");
    }

    pub(super) fn finish(&mut self, at: Position) {
        assert_eq!(self.end.replace(at), None, "one terminal outcome");
    }
}

#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at a record of nothing"
)]
impl Ledger {
    pub(super) fn accepted(&mut self, record: &Record, body: &MessageAccepted) {
        let sender = run_of(record);
        assert!(self.is_member(&sender), "only members send");
        let id = format!("message {}", body.message_id.as_str());
        self.name(&sender, &body.idempotency_key, id);
        self.unnamed.remove(&body.content_ref);
        let letter = LedgerLetter {
            sender,
            accepted: body.clone(),
            accepted_at: (record.recorded_at, record.position),
            copies: BTreeMap::new(),
            replied: BTreeSet::new(),
            end: None,
            withdrawn: None,
        };
        self.letters.insert(record.position, letter);
        self.awaiting = Some(record.position);
        self.check_alias(body);
    }

    pub(super) fn delivered(&mut self, record: &Record, body: &MessageDelivered) {
        let letter = &self.letters[&body.accepted];
        assert!(!letter.is_past_expiry(record.recorded_at));
        let addressed = self.addressed(&letter.sender, &letter.accepted);
        let PeeredRuns {
            reached: addressed,
            left_out,
        } = self.peered(letter, addressed);
        assert_eq!(&*body.recipients.0, addressed, "recipients as addressed");
        let not_peered = body.not_peered.as_ref().map_or(&[][..], |runs| &*runs.0);
        assert_eq!(not_peered, left_out, "who has no edge with the sender");
        assert!(!addressed.is_empty());
        self.check_room(letter, body);
        let delay = letter.options().deliver_after;
        let visible_at = delay.map(|_| letter.visible_at());
        let slot_of = |index| {
            if body.is_skipped(index) {
                Slot::Undeliverable(Undeliverable::InboxFull)
            } else {
                Slot::Queued(visible_at)
            }
        };
        let copies = addressed.into_iter().enumerate().map(|(index, run)| {
            let copy = LedgerCopy {
                slot: slot_of(index),
                attempts: 0,
                replayed: None,
                is_begun: false,
            };
            (run, copy)
        });
        let copies = copies.collect();
        self.letter(body.accepted).copies = copies;
        self.tied(body.accepted, record.recorded_at);
    }

    pub(super) fn failed(&mut self, record: &Record, body: &MessageFailed) {
        let letter = &self.letters[&body.message.accepted];
        let addressed = self.addressed(&letter.sender, &letter.accepted);
        let PeeredRuns { reached, left_out } = self.peered(letter, addressed);
        assert!(reached.is_empty(), "it could have been delivered");
        let is_not_peered = body.reason == MessageFailure::NotPeered;
        assert_eq!(is_not_peered, !left_out.is_empty(), "it says why");
        self.letter(body.message.accepted).finish(record.position);
    }

    pub(super) fn fetched(&mut self, record: &Record, body: &MessageFetched) {
        let run = run_of(record);
        assert!(self.is_member(&run), "only members receive");
        for gone in &body.undeliverable {
            let copy = self.claimable(&run, &gone.copy, record.recorded_at);
            copy.slot = Slot::Undeliverable(gone.why);
            let policies = &self.letters[&gone.copy.accepted].accepted.policies;
            assert!(!self.holds(&run, policies));
        }
        self.terms.insert(record.position, body.claim_ms);
        let turns = body.copies.iter().map(|copy| {
            let letter = &self.letters[&copy.copy.accepted];
            letter.turn(letter.copies[&run])
        });
        assert!(turns.is_sorted(), "copies are claimed in turn");
        for fetched in &body.copies {
            let accepted = fetched.copy.accepted;
            assert!(self.holds(&run, &self.letters[&accepted].accepted.policies));
            self.check_line(&run, accepted);
            let copy = self.claimable(&run, &fetched.copy, record.recorded_at);
            assert_eq!(fetched.attempt, copy.attempts + 1, "attempts are counted");
            let fetched_at = record.position;
            let claim = Claim {
                accepted,
                fetched: fetched_at,
            };
            copy.slot = Slot::Claimed(claim, body.claimed_until);
            copy.attempts += 1;
            copy.is_begun = true;
            match body.chosen_by {
                None => self.check_first(&run, accepted),
                // It is handed over out of its turn, and says nothing of those before it.
                Some(ChosenBy::Name) => {
                    self.handed.entry(accepted).or_default().insert(run.clone());
                }
            }
        }
    }

    /// First deliveries of one sender come in order.
    fn check_first(&mut self, run: &RunId, accepted: Position) {
        let handed = self.handed.entry(accepted).or_default();
        if !handed.insert(run.clone()) {
            return;
        }
        let letter = &self.letters[&accepted];
        let (turn, line) = (letter.turn(letter.copies[run]), letter.line(run));
        let before = self.first_claimed.insert(line, turn);
        let in_turn = before.is_none_or(|before| before < turn);
        assert!(in_turn, "a later copy was handed over before");
    }

    pub(super) fn acked(&mut self, record: &Record, body: &MessageAcked) {
        let run = run_of(record);
        for (claim, _) in &body.claims {
            let copy = self.held(&run, *claim, record.recorded_at);
            copy.slot = Slot::Acked(*claim, body.outcome);
        }
    }

    pub(super) fn released(&mut self, record: &Record, body: &MessageReleased) {
        let run = run_of(record);
        for (claim, _) in &body.claims {
            let letter = &self.letters[&claim.accepted];
            letter.check_delay(record.recorded_at, body.visible_at);
            let back = letter.slot_of_returned(body.visible_at);
            let copy = self.copy(&run, claim.accepted);
            let Slot::Claimed(held, until) = copy.slot else {
                panic!("{claim} is not held");
            };
            assert_eq!(held, *claim, "a claim is given back by its name");
            let lapsed = body.reason == ReleaseReason::Lapsed;
            assert_eq!(until <= record.recorded_at, lapsed, "claims lapse in time");
            let late = record.recorded_at.since(until);
            assert!(late <= PAUSE_MIN, "nothing lapses during a pause");
            let counted = match body.reason {
                ReleaseReason::Released | ReleaseReason::Lapsed | ReleaseReason::Dormant => true,
                ReleaseReason::Unanswered | ReleaseReason::TakenOver => {
                    copy.attempts -= 1;
                    false
                }
            };
            let attempts = u64::from(copy.attempts);
            copy.slot = back;
            let is_over = !matches!(back, Slot::Queued(_)) || self.is_expiring(claim.accepted);
            let is_last = attempts >= self.attempts_max();
            assert!(is_over || !counted || !is_last, "it had to be dead");
        }
    }

    pub(super) fn extended(&mut self, record: &Record, body: &MessageExtended) {
        let run = run_of(record);
        for (claim, _, until) in &body.claims {
            let expires = self.letters[&claim.accepted].accepted.expires_at;
            let copy = self.held(&run, *claim, record.recorded_at);
            let Slot::Claimed(_, before) = copy.slot else {
                unreachable!("a held copy is claimed");
            };
            let late = expires.is_some_and(|at| *until > at.max(before));
            assert!(!late, "claims are not extended past expiry");
            copy.slot = Slot::Claimed(*claim, *until);
            let term = self.terms.entry(claim.fetched).or_default();
            *term = until.since(record.recorded_at).max(*term);
        }
    }

    pub(super) fn expired(&mut self, record: &Record, body: &MessageExpired) {
        let letter = self.letter(body.message.accepted);
        assert!(letter.is_past_expiry(record.recorded_at), "never early");
        for copy in letter.copies.values_mut() {
            if let Slot::Queued(_) = copy.slot {
                copy.slot = Slot::Expired;
            }
        }
        letter.check_standings(&body.copies);
        letter.finish(record.position);
        letter.withdrawn = Some(Withdrawn::Expired);
    }

    pub(super) fn settled(&mut self, record: &Record, body: &MessageSettled) {
        let letter = self.letter(body.message.accepted);
        assert!(!letter.copies.values().any(|copy| copy.is_live()));
        assert!(letter.contract().is_none(), "it had to fail");
        letter.check_standings(&body.copies);
        letter.finish(record.position);
    }

    /// Gives every claim of a run back, uncounted.
    pub(super) fn return_claims(&mut self, run: &RunId) {
        for letter in self.letters.values_mut() {
            let back = letter.slot_of_returned(None);
            if let Some(copy) = letter.copies.get_mut(run).filter(|copy| copy.is_claimed()) {
                copy.attempts -= 1;
                copy.slot = back;
            }
        }
    }

    /// Lets every claim of a run lapse now.
    pub(super) fn lapse_claims(&mut self, run: &RunId, now: Timestamp) {
        for letter in self.letters.values_mut() {
            if let Some(Slot::Claimed(_, until)) = letter.copies.get_mut(run).map(|c| &mut c.slot) {
                *until = now;
            }
        }
    }

    pub(super) fn end_copies_of(&mut self, run: &RunId, why: Undeliverable) {
        for letter in self.letters.values_mut() {
            if let Some(copy) = letter.copies.get_mut(run).filter(|copy| copy.is_live()) {
                copy.slot = Slot::Undeliverable(why);
            }
        }
    }

    pub(super) fn check_letters_at_rest(&self) {
        for (accepted, letter) in &self.letters {
            let live = letter.copies.values().any(|copy| copy.is_live());
            assert!(
                live || letter.end.is_some(),
                "the message at {accepted} is over without saying so"
            );
        }
    }

    /// The copy, checked to be one that may be claimed now.
    fn claimable(&mut self, run: &RunId, name: &CopyName, now: Timestamp) -> &mut LedgerCopy {
        let letter = self.letter(name.accepted);
        assert_eq!(letter.accepted.message_id, name.message_id);
        assert!(!letter.is_past_expiry(now), "nothing is handed over late");
        let is_over = letter.end.is_some();
        let asks = letter.contract().is_some() && letter.withdrawn.is_none();
        let copy = letter.copies.get_mut(run).unwrap();
        assert!(
            !is_over || asks || copy.replayed.is_some(),
            "nothing is handed over after the end"
        );
        let visible = matches!(copy.slot, Slot::Queued(at) if at.is_none_or(|at| at <= now));
        assert!(visible, "{copy:?} cannot be claimed");
        copy
    }

    /// The copy, checked to be held by this claim.
    fn held(&mut self, run: &RunId, claim: Claim, now: Timestamp) -> &mut LedgerCopy {
        let copy = self.copy(run, claim.accepted);
        let held = matches!(copy.slot, Slot::Claimed(held, until) if held == claim && until > now);
        assert!(held, "{claim} does not hold {copy:?}");
        copy
    }

    pub(super) fn copy(&mut self, run: &RunId, accepted: Position) -> &mut LedgerCopy {
        self.letter(accepted).copies.get_mut(run).unwrap()
    }

    pub(super) fn letter(&mut self, accepted: Position) -> &mut LedgerLetter {
        self.letters.get_mut(&accepted).unwrap()
    }

    /// Returns where a copy stands.
    pub fn standing(&self, run: &RunId, accepted: Position) -> Option<CopyStanding> {
        let copy = self.letters.get(&accepted)?.copies.get(run)?;
        Some(copy.standing())
    }

    /// Returns until when this claim holds its copy.
    pub fn held_until(&self, run: &RunId, claim: Claim) -> Option<Timestamp> {
        match self.letters.get(&claim.accepted)?.copies.get(run)?.slot {
            Slot::Claimed(held, until) if held == claim => Some(until),
            Slot::Queued(_)
            | Slot::Claimed(..)
            | Slot::Acked(..)
            | Slot::Expired
            | Slot::Cancelled
            | Slot::Undeliverable(_)
            | Slot::Dead => None,
        }
    }

    /// Returns true when its copy was acknowledged under this claim.
    pub fn is_acked(&self, run: &RunId, claim: Claim) -> bool {
        let copy = self
            .letters
            .get(&claim.accepted)
            .and_then(|l| l.copies.get(run));
        copy.is_some_and(|copy| matches!(copy.slot, Slot::Acked(acked, _) if acked == claim))
    }

    /// Returns the copies that a run may claim now, in order.
    pub fn claimable_by(&self, run: &RunId, now: Timestamp) -> Vec<Position> {
        let claimable = |(accepted, letter): (&Position, &LedgerLetter)| {
            let copy = letter.copies.get(run)?;
            let visible = matches!(copy.slot, Slot::Queued(at) if at.is_none_or(|at| at <= now));
            let claimable = visible && !letter.is_past_expiry(now);
            claimable.then(|| (letter.turn(*copy), *accepted))
        };
        let mut claimable: Vec<_> = self.letters.iter().filter_map(claimable).collect();
        claimable.sort_unstable();
        let in_turn = claimable.into_iter().map(|(_, accepted)| accepted);
        self.in_lines(run, in_turn)
    }

    /// Returns how many copies of a recipient stand where.
    pub fn tally(&self, run: &RunId) -> Tally {
        let mut tally = Tally::default();
        for copy in self
            .letters
            .values()
            .filter_map(|letter| letter.copies.get(run))
        {
            tally.delivered += 1;
            match copy.slot {
                Slot::Queued(_) => tally.queued += 1,
                Slot::Claimed(..) => tally.claimed += 1,
                Slot::Acked(..) => tally.acked += 1,
                Slot::Expired => tally.expired += 1,
                Slot::Cancelled => tally.cancelled += 1,
                Slot::Undeliverable(_) => tally.undeliverable += 1,
                Slot::Dead => tally.dead += 1,
            }
        }
        tally
    }
}
