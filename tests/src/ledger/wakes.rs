//! What a journal may say of wakes.

use heronry_event::filter::Filter;
use heronry_journal::{Record, WakeRegistered, WakeTriggered};
use heronry_types::{EventKind, Position, RunId, Timestamp, Visibility, WakeId};

use super::{Ledger, run_of};

#[derive(Debug)]
pub(super) struct Waiter {
    run: RunId,
    registered: WakeRegistered,
    filter: Filter,
    /// The first event that its condition holds for.
    hit: Option<Position>,
}

#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at a record of nothing"
)]
impl Ledger {
    pub(super) fn registered(&mut self, record: &Record, body: &WakeRegistered) {
        let run = run_of(record);
        assert!(self.is_member(&run), "only members wait");
        let id = format!("wake {}", body.wake_id.as_str());
        self.name(&run, &body.idempotency_key, id);
        let filter = Filter::compile(&body.filter).unwrap();
        let mut waiter = Waiter {
            run,
            registered: body.clone(),
            filter,
            hit: None,
        };
        let earlier = (body.since.0..record.position.previous().0).map(Position);
        waiter.hit = earlier
            .map(Position::next)
            .find(|position| self.holds_at(&waiter, *position));
        self.live.insert(record.position);
        if body.include_wakes {
            self.including.insert(record.position);
        }
        self.waiters.insert(record.position, waiter);
    }

    pub(super) fn triggered(&mut self, record: &Record, body: &WakeTriggered) {
        let waiter = self.end(body.registered);
        let by = body.matches.first().unwrap();
        assert_eq!(waiter.hit, Some(by.position), "the first match is named");
        assert!(by.position < record.position);
        let kind = self.record(by.position).kind();
        assert_eq!(by.kind, kind);
    }

    pub(super) fn timed_out(&mut self, record: &Record, registered: Position) {
        let waiter = self.end(registered);
        assert_eq!(
            waiter.hit, None,
            "its condition held before its time was up"
        );
        let deadline = waiter.registered.deadline.unwrap();
        assert!(deadline <= record.recorded_at, "no timer fires early");
    }

    pub(super) fn cancelled(&mut self, _: &Record, registered: Position) {
        let waiter = self.end(registered);
        assert_eq!(
            waiter.hit, None,
            "its condition held before it was cancelled"
        );
    }

    /// Takes the record in as an event: it may be what somebody waits for.
    pub(super) fn match_event(&mut self, record: &Record) {
        self.records.push(record.clone());
        let about_wakes = is_about_wakes(record.kind());
        let asked = if about_wakes {
            &self.including
        } else {
            &self.live
        };
        let waiting = asked.iter().filter(|registered| {
            let waiter = &self.waiters[registered];
            let after = (**registered).max(waiter.registered.since);
            waiter.hit.is_none() && record.position > after && self.counts(waiter, record)
        });
        let waiting: Vec<Position> = waiting.copied().collect();
        if waiting.is_empty() {
            return;
        }
        let event = heronry_pool::project(&self.timelines, record);
        for registered in waiting {
            let waiter = self.waiters.get_mut(&registered).unwrap();
            let held = waiter.filter.matches(&event.envelope);
            waiter.hit = held.then_some(record.position);
        }
    }

    pub(super) fn check_waiters_at_rest(&self) {
        for registered in &self.live {
            let waiter = &self.waiters[registered];
            assert_eq!(waiter.hit, None, "the wake at {registered} was lost");
            assert!(self.is_member(&waiter.run), "a departed run waits");
        }
    }

    /// Whether an event is what a waiter waits for.
    fn holds_at(&self, waiter: &Waiter, position: Position) -> bool {
        let record = self.record(position);
        let envelope = heronry_pool::project(&self.timelines, record).envelope;
        self.counts(waiter, record) && waiter.filter.matches(&envelope)
    }

    /// Whether an event counts for a waiter, whatever its filter says.
    fn counts(&self, waiter: &Waiter, record: &Record) -> bool {
        record.entry.visibility == Visibility::InScope
            && (waiter.registered.include_wakes || !is_about_wakes(record.kind()))
            && self.sees(&waiter.run)
    }

    fn record(&self, position: Position) -> &Record {
        let index = usize::try_from(position.0 - 1).unwrap();
        &self.records[index]
    }

    fn end(&mut self, registered: Position) -> &Waiter {
        assert!(self.live.remove(&registered), "a wake ends once");
        self.including.remove(&registered);
        &self.waiters[&registered]
    }

    /// Returns how many wakes wait although their time is up.
    pub fn overdue_wakes(&self, now: Timestamp) -> usize {
        let live = self.live.iter().map(|registered| &self.waiters[registered]);
        let deadlines = live.filter_map(|waiter| waiter.registered.deadline);
        deadlines.filter(|deadline| *deadline <= now).count()
    }

    /// Returns the record that registered a wake.
    pub fn registration_of(&self, run: &RunId, wake: &WakeId) -> Option<Position> {
        let mut waiters = self.waiters.iter();
        let found =
            waiters.find(|(_, waiter)| waiter.run == *run && waiter.registered.wake_id == *wake);
        found.map(|(registered, _)| *registered)
    }
}

fn is_about_wakes(kind: EventKind) -> bool {
    let name = kind.to_string();
    name.starts_with("wake_condition") || name == "run_suspended" || name == "run_resumed"
}
