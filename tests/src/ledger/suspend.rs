//! The rules of a journal about suspended runs.

use heronry_journal::{DeadlockSuspected, Record, RunSuspended, WakeOrphaned};
use heronry_types::{Actor, Generation, Importance, Millis, Position, ResumedBy, RunId, Timestamp};

use super::{Ledger, copies::Slot, run_of};

/// The least time for which a claim holds after its run goes on, unless its term is shorter.
const HOLD_MIN: Millis = Millis::from_secs(30);

/// The things that a suspended run waits for.
#[derive(Clone, Debug)]
pub(super) struct Sleep {
    wakes: Vec<Position>,
    until: Option<Timestamp>,
}

impl Ledger {
    pub(super) fn suspended(&mut self, record: &Record, body: &RunSuspended) {
        let run = run_of(record);
        let wakes: Vec<Position> = body.wakes.iter().map(|wake| wake.registered).collect();
        assert!(wakes.is_sorted(), "the oldest wake comes first");
        for wake in &body.wakes {
            let named = self.registration_of(&run, &wake.wake_id);
            assert_eq!(
                named,
                Some(wake.registered),
                "a run waits for its own wakes"
            );
        }
        let seat = self.seat(&run);
        assert_eq!(seat.generation, body.generation, "the present one sleeps");
        assert_eq!(seat.lost_until, None, "who is lost does not suspend itself");
        let until = body.until;
        seat.asleep = Some(Sleep { wakes, until });
        self.move_claims(&run, |_, _| Some(Timestamp::LAST));
    }

    pub(super) fn woken(&mut self, record: &Record, generation: Generation, by: ResumedBy) {
        let (run, now) = (run_of(record), record.recorded_at);
        let seat = self.seat(&run);
        assert_eq!(seat.generation, generation, "the present one goes on");
        let asleep = seat.asleep.take();
        seat.heard = now;
        let asleep = asleep.unwrap_or_else(|| panic!("{run} was not suspended"));
        match by {
            ResumedBy::Wake => assert!(self.is_called(&asleep), "one of its wakes has ended"),
            ResumedBy::Interrupt => assert!(self.is_interrupted(&run, now)),
            ResumedBy::Timeout => assert!(asleep.until.is_some_and(|until| until <= now)),
            ResumedBy::Command => assert_ne!(record.entry.actor, Actor::Engine),
        }
        self.move_claims(&run, |until, (term, expires)| {
            let (again, least) = (now.after(term), now.after(term.min(HOLD_MIN)));
            let again = expires.map_or(again, |at: Timestamp| again.min(at.max(least)));
            (until == Timestamp::LAST).then_some(again)
        });
    }

    /// Changes until when a run holds its claims, by their terms and the expiries of their messages.
    fn move_claims(
        &mut self,
        run: &RunId,
        to: impl Fn(Timestamp, (Millis, Option<Timestamp>)) -> Option<Timestamp>,
    ) {
        for letter in self.letters.values_mut() {
            let expires = letter.accepted.expires_at;
            let slot = letter.copies.get_mut(run).map(|copy| &mut copy.slot);
            if let Some(Slot::Claimed(claim, until)) = slot {
                let term = self.terms.get(&claim.fetched).copied().unwrap_or_default();
                *until = to(*until, (term, expires)).unwrap_or(*until);
            }
        }
    }

    fn is_called(&self, asleep: &Sleep) -> bool {
        asleep.wakes.iter().any(|it| !self.live.contains(it))
    }

    /// Returns true when an urgent message waits that a run can claim.
    fn is_interrupted(&self, run: &RunId, now: Timestamp) -> bool {
        self.letters.values().any(|letter| {
            let options = letter.accepted.options.as_deref();
            let copy = letter.copies.get(run);
            options.is_some_and(|it| it.importance == Importance::Interrupt)
                && !letter.is_past_expiry(now)
                && copy.is_some_and(
                    |it| matches!(it.slot, Slot::Queued(at) if at.is_none_or(|at| at <= now)),
                )
        })
    }

    /// Only runs that sleep for wakes are suspected.
    pub(super) fn suspected(&mut self, body: &DeadlockSuspected) {
        assert!(!body.runs.is_empty() && body.runs.is_sorted());
        for run in &body.runs {
            let asleep = self.seats.get(run).and_then(|seat| seat.asleep.as_ref());
            let asleep = asleep.unwrap_or_else(|| panic!("{run} is not suspended"));
            assert!(!asleep.wakes.is_empty(), "{run} waits for nobody");
            let named = |it: &Position| body.wakes.iter().any(|wake| wake.registered == *it);
            assert!(asleep.wakes.iter().all(named), "its wakes are named");
        }
    }

    pub(super) fn orphaned(&mut self, record: &Record, body: &WakeOrphaned) {
        let run = run_of(record);
        let seat = self.seat(&run);
        let asleep = seat.asleep.as_ref();
        assert!(asleep.is_some_and(|it| it.wakes.contains(&body.registered)));
        assert!(self.live.contains(&body.registered), "it waits");
    }

    /// Nobody sleeps whom something has resumed.
    pub(super) fn check_sleepers_at_rest(&self) {
        let now = self.time;
        for (run, seat) in &self.seats {
            let Some(asleep) = &seat.asleep else {
                continue;
            };
            assert!(!self.is_called(asleep), "{run} waits for what has ended");
            assert!(!self.is_interrupted(run, now), "{run} is not told");
            let is_over = asleep.until.is_some_and(|until| until <= now);
            assert!(!is_over, "the time of {run} is up");
        }
    }

    /// Returns true when a run is a member that is suspended.
    pub fn is_suspended(&self, run: &RunId) -> bool {
        self.seats.get(run).is_some_and(|it| it.asleep.is_some())
    }
}
