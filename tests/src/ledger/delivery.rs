//! The rules of a journal about deliveries that are not the usual ones.

use std::collections::BTreeSet;

use heronry_journal::MessageDelivered;
use heronry_types::{
    Address, DeliveryOptions, Importance, LimitName, Millis, OnFull, Policies, Position, RunId,
    Timestamp,
};

use super::{Ledger, copies::LedgerLetter};

/// Copies that are handed over in the order of their turns: those of one sender to one recipient, of
/// one importance, ordered or not.
pub(super) type LineName = (RunId, RunId, Importance, bool);

/// The longest delay for which an ordered copy is given back.
const ORDERED_DELAY_MAX: Millis = Millis::from_secs(60);

/// The greatest depth of inboxes that are counted: counting looks at every message.
const COUNTED_DEPTH_MAX: u64 = 64;

impl LedgerLetter {
    /// Returns the line in which its copy to a recipient stands.
    pub(super) fn line(&self, run: &RunId) -> LineName {
        let options = self.options();
        let sender = self.sender.clone();
        (sender, run.clone(), options.importance, options.ordered)
    }

    pub(super) fn check_delay(&self, now: Timestamp, visible_at: Option<Timestamp>) {
        let is_long = visible_at.is_some_and(|at| at > now.after(ORDERED_DELAY_MAX));
        assert!(!is_long || !self.options().ordered, "it holds others up");
    }
}

/// Returns the treatment of a message when an inbox is full.
fn on_full(to: &Address, options: DeliveryOptions) -> OnFull {
    let usual = match to {
        Address::Run { .. } => OnFull::Refuse,
        Address::Agent { .. } | Address::Topic { .. } | Address::Pool { .. } => OnFull::Skip,
        Address::Alias { .. } => panic!("an alias was followed before"),
    };
    options.on_full.unwrap_or(usual)
}

impl Ledger {
    pub(super) fn attempts_max(&self) -> u64 {
        self.limits.get(LimitName::AttemptsMax)
    }

    /// Returns true when a message is ordered.
    pub fn is_ordered(&self, accepted: Position) -> bool {
        let letter = self.letters.get(&accepted);
        letter.is_some_and(LedgerLetter::is_ordered)
    }

    fn depth_max(&self) -> u64 {
        self.limits.get(LimitName::InboxDepthMax)
    }

    /// Returns true when a recipient has room for no other message, whoever sends it.
    pub fn is_full(&self, run: &RunId) -> bool {
        self.depth_of(run, |_| true) >= self.depth_max()
    }

    fn depth_of(&self, run: &RunId, counts: impl Fn(&LedgerLetter) -> bool) -> u64 {
        let letters = self.letters.values().filter(|letter| counts(letter));
        let copies = letters.filter_map(|letter| letter.copies.get(run));
        copies.filter(|copy| copy.is_live()).count() as u64
    }

    /// Returns true when a recipient has no room for a message of this sender.
    pub fn is_full_for(&self, run: &RunId, sender: &RunId) -> bool {
        let share = (self.depth_max() / 2).max(1);
        self.is_full(run) || self.depth_of(run, |letter| letter.sender == *sender) >= share
    }

    /// Returns true when a message is refused because an inbox is full.
    pub fn refuses(&self, sender: &RunId, to: &Address, options: DeliveryOptions) -> bool {
        let addressed = self.addressed_by(sender, (to, &Policies::default()));
        let is_full = |run: &RunId| self.is_full_for(run, sender);
        on_full(to, options) == OnFull::Refuse && addressed.iter().any(is_full)
    }

    /// Checks that the members without room are left out, and nobody else.
    pub(super) fn check_room(&self, letter: &LedgerLetter, body: &MessageDelivered) {
        let skips = on_full(&letter.accepted.to, letter.options()) == OnFull::Skip;
        assert!(skips || body.skipped.is_none(), "it asked to be refused");
        if self.depth_max() > COUNTED_DEPTH_MAX {
            return;
        }
        for (index, run) in body.recipients.0.iter().enumerate() {
            let is_full = self.is_full_for(run, &letter.sender);
            assert_eq!(body.is_skipped(index), is_full, "room at {run:?}");
        }
    }

    /// An ordered copy is the only one of its sender that was claimed and has not ended.
    pub(super) fn check_line(&self, run: &RunId, accepted: Position) {
        assert!(!self.is_held_up(run, accepted), "{accepted} is held up");
    }

    fn is_held_up(&self, run: &RunId, accepted: Position) -> bool {
        let Some(letter) = self.letters.get(&accepted) else {
            return false;
        };
        let holds_up = |(other, before): (&Position, &LedgerLetter)| {
            let copy = before.copies.get(run);
            let is_begun = copy.is_some_and(|copy| copy.is_begun && copy.is_live());
            is_begun && *other != accepted && before.sender == letter.sender && before.is_ordered()
        };
        letter.is_ordered() && self.letters.iter().any(holds_up)
    }

    /// Returns the copies that one receive may claim, in their turn.
    pub(super) fn in_lines(
        &self,
        run: &RunId,
        in_turn: impl Iterator<Item = Position>,
    ) -> Vec<Position> {
        let mut begun = BTreeSet::new();
        in_turn
            .filter(|accepted| {
                let letter = self.letters.get(accepted);
                let ordered = letter.filter(|letter| letter.is_ordered());
                ordered.is_none_or(|letter| {
                    !self.is_held_up(run, *accepted) && begun.insert(letter.sender.clone())
                })
            })
            .collect()
    }
}

impl LedgerLetter {
    fn is_ordered(&self) -> bool {
        self.options().ordered
    }
}
