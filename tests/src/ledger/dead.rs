//! The rules of a journal about dead letters.

use heronry_journal::{MessageDeadLettered, MessageReplayed, Record};
use heronry_types::{DeadReason, Position, Timestamp};

use super::{Ledger, copies::Slot, run_of};

impl Ledger {
    /// Returns true when the expiry of a message ends its copies by itself, now or as the next
    /// thing that is due.
    pub(super) fn is_expiring(&self, accepted: Position) -> bool {
        let letter = self.letters.get(&accepted);
        letter.is_some_and(|letter| letter.end.is_none() && letter.is_past_expiry(self.time))
    }

    /// Returns true when no copy of a message can be handed over any more.
    pub fn is_over(&self, accepted: Position, now: Timestamp) -> bool {
        let letter = self.letters.get(&accepted);
        letter.is_some_and(|letter| letter.withdrawn.is_some() || letter.is_past_expiry(now))
    }

    pub(super) fn dead_lettered(&mut self, record: &Record, body: &MessageDeadLettered) {
        let (run, now, max) = (run_of(record), record.recorded_at, self.attempts_max());
        for dead in &body.copies {
            let letter = self.letter(dead.copy.accepted);
            assert_eq!(letter.accepted.message_id, dead.copy.message_id);
            let (is_late, is_over) = (letter.is_past_expiry(now), letter.end.is_some());
            let asks = letter.contract().is_some();
            assert!(
                letter.withdrawn.is_none(),
                "whoever withdrew it ended its copies"
            );
            let copy = self.copy(&run, dead.copy.accepted);
            assert_eq!(dead.attempt, copy.attempts);
            let lapsed = match copy.slot {
                Slot::Claimed(_, until) => Some(until <= now),
                Slot::Queued(_) => None,
                Slot::Acked(..)
                | Slot::Expired
                | Slot::Cancelled
                | Slot::Undeliverable(_)
                | Slot::Dead => {
                    panic!("{copy:?} has ended")
                }
            };
            let is_last = u64::from(copy.attempts) >= max;
            match body.reason {
                DeadReason::Lapsed => assert!(lapsed == Some(true) && is_last && !is_late),
                DeadReason::Released => assert!(lapsed == Some(false) && is_last && !is_late),
                DeadReason::Expired => {
                    assert!(is_late && is_over && (asks || copy.replayed.is_some()));
                }
            }
            copy.slot = Slot::Dead;
        }
    }

    pub(super) fn replayed(&mut self, record: &Record, body: &MessageReplayed) {
        let run = run_of(record);
        assert!(self.is_member(&run), "only members get a new copy");
        let letter = self.letter(body.copy.accepted);
        assert!(letter.withdrawn.is_none() && !letter.is_past_expiry(record.recorded_at));
        let copy = self.copy(&run, body.copy.accepted);
        assert_eq!(copy.slot, Slot::Dead, "only what is dead is replayed");
        copy.slot = Slot::Queued(None);
        copy.attempts = 0;
        copy.is_begun = false;
        copy.replayed = Some((record.recorded_at, record.position));
    }
}
