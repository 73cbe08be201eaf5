//! The rules of a journal about pauses of the engine.

use heronry_journal::{PoolResumed, Record};
use heronry_types::{Millis, ResumeCause, Timestamp};

use super::{Ledger, copies::Slot};

/// The delay of the engine from which on it counts as a pause.
pub(super) const PAUSE_MIN: Millis = Millis::from_secs(2);
/// The time for which a claim holds after a pause, unless its term is shorter.
const HOLD_MIN: Millis = Millis::from_secs(30);

impl Ledger {
    /// Each lease begins again. Each claim that is held holds for its term or 30 seconds more, whichever is shorter.
    pub(super) fn resumed(&mut self, record: &Record, body: &PoolResumed) {
        let now = record.recorded_at;
        assert!(body.since <= now, "a pause lies in the past");
        let mut held = Vec::new();
        for copy in self
            .letters
            .values_mut()
            .flat_map(|l| l.copies.values_mut())
        {
            if let Slot::Claimed(claim, until) = &mut copy.slot
                && *until < Timestamp::LAST
            {
                held.push(*until);
                let term = self.terms.get(&claim.fetched).copied();
                let again = now.after(term.unwrap_or(HOLD_MIN).min(HOLD_MIN));
                *until = again.max(*until);
            }
        }
        let held = (held.into_iter().min(), self.renew_leases(now));
        Self::check_cause(body, held, now);
    }

    /// Checks the cause: the times are those at which the first claim would lapse, and at which the
    /// first lease ends at the earliest.
    fn check_cause(
        body: &PoolResumed,
        (claim, lease): (Option<Timestamp>, Option<Timestamp>),
        now: Timestamp,
    ) {
        match body.cause {
            ResumeCause::Opened => {
                assert!(
                    claim.is_some() || lease.is_some(),
                    "there is something to hold"
                );
            }
            ResumeCause::Paused => {
                assert!(
                    claim.is_none_or(|until| body.since <= until),
                    "the first that is late"
                );
                let of_lease = lease.is_some_and(|until| until <= body.since);
                assert!(of_lease || claim == Some(body.since), "something is late");
                assert!(now.since(body.since) > PAUSE_MIN, "the engine was in time");
            }
        }
    }
}
