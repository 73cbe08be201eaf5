//! The rules of a journal about wakes.

use heronry_event::filter::Filter;
use std::collections::BTreeSet;

use heronry_event::Envelope;
use heronry_journal::{
    Body, ConditionRegistered, Record, WakeCancelled, WakeRecord, WakeRegistered, WakeScanned,
    WakeTriggered,
};
use heronry_types::{
    Condition, DistinctBy, EventKind, Position, RunId, Timestamp, Visibility, WakeId, WakeReason,
};

use super::{Ledger, run_of};

#[derive(Debug)]
pub(super) struct Waiter {
    run: RunId,
    registered: WakeRegistered,
    condition: Condition<Filter>,
    /// Every event that it may see and that one of its filters keeps, while it waits.
    seen: Vec<(Position, Envelope)>,
    /// The events by which its condition came to hold, in order.
    hit: Option<Vec<Position>>,
    /// True while its earlier events are still to be looked through.
    is_held: bool,
}

impl Waiter {
    /// Shows it an event that counts for it.
    fn see(&mut self, position: Position, envelope: &Envelope) {
        let keeps = |filter: &Filter| filter.matches(envelope);
        if self.condition.clauses().iter().any(|it| keeps(it.filter)) {
            self.seen.push((position, envelope.clone()));
            let by = holds_by(&self.condition, &self.seen);
            self.hit = by.map(|by| by.into_iter().collect());
        }
    }
}

/// The events by which a condition holds, in the light of everything that was seen.
fn holds_by(
    condition: &Condition<Filter>,
    seen: &[(Position, Envelope)],
) -> Option<BTreeSet<Position>> {
    let parts = |parts: &[Condition<Filter>]| -> Vec<_> {
        parts.iter().map(|part| holds_by(part, seen)).collect()
    };
    match condition {
        Condition::Filter(filter) => {
            let first = seen.iter().find(|(_, it)| filter.matches(it))?;
            Some([first.0].into())
        }
        Condition::AnyOf(list) => {
            let held = parts(list).into_iter().flatten();
            held.reduce(|mut one, other| {
                one.extend(other);
                one
            })
        }
        Condition::AllOf(list) => {
            let held: Option<Vec<_>> = parts(list).into_iter().collect();
            Some(held?.into_iter().flatten().collect())
        }
        Condition::Count(count) => {
            let mut things = BTreeSet::new();
            let kept = seen.iter().filter(|(_, it)| count.filter.matches(it));
            let counted = kept.filter(|(position, it)| {
                thing_of(count.distinct_by, *position, it).is_some_and(|it| things.insert(it))
            });
            let counted = counted
                .take(count.n as usize)
                .map(|(position, _)| *position);
            let counted: BTreeSet<_> = counted.collect();
            (counted.len() == count.n as usize).then_some(counted)
        }
    }
}

/// Returns the part of an event that has to differ for the event to count once more.
fn thing_of(by: DistinctBy, position: Position, envelope: &Envelope) -> Option<String> {
    let run = envelope.identity.run.as_ref();
    match by {
        DistinctBy::Event => Some(position.to_string()),
        DistinctBy::Message => {
            let message = envelope.exchange.message.as_ref()?;
            Some(format!("{run:?} {message:?}"))
        }
        DistinctBy::Run => run.map(ToString::to_string),
        DistinctBy::Subject => Some(format!("{:?}", envelope.about.subject)),
    }
}

#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at a record of nothing"
)]
impl Ledger {
    pub(super) fn of_wake(&mut self, record: &Record, body: WakeRecord<'_>) {
        match body {
            WakeRecord::WakeRegistered(body) => self.registered(record, body),
            WakeRecord::ConditionRegistered(body) => self.condition_registered(record, body),
            WakeRecord::WakeScanned(body) => self.scanned(body),
            WakeRecord::WakeTriggered(body) => self.triggered(record, body),
            WakeRecord::WakeTimedOut(body) => self.timed_out(record, body.registered),
            WakeRecord::WakeCancelled(body) => self.cancelled(record, body),
            WakeRecord::WakeFailed(body) => self.wake_failed(body.registered),
            WakeRecord::DeadlockSuspected(body) => self.suspected(body),
            WakeRecord::WakeOrphaned(body) => self.orphaned(record, body),
        }
    }

    pub(super) fn registered(&mut self, record: &Record, body: &WakeRegistered) {
        let run = run_of(record);
        assert!(self.is_member(&run), "only members wait");
        self.check_held(&run, body);
        let id = format!("wake {}", body.wake_id.as_str());
        self.name(&run, &body.idempotency_key, id);
        let condition = Condition::Filter(Filter::compile(&body.filter).unwrap());
        self.wait(record, run, body, condition);
    }

    pub(super) fn condition_registered(&mut self, record: &Record, body: &ConditionRegistered) {
        let run = run_of(record);
        assert!(self.is_member(&run), "only members wait");
        self.check_held(&run, &body.wake);
        let id = format!("wake {}", body.wake.wake_id.as_str());
        self.name(&run, &body.wake.idempotency_key, id);
        body.condition.check().unwrap();
        let compile = |text: &String| Filter::compile(text);
        let condition = body.condition.try_map(&mut { compile }).unwrap();
        self.wait(record, run, &body.wake, condition);
        let waiter = &self.waiters[&record.position];
        let counted: BTreeSet<_> = body.counted.iter().map(|it| it.by.position).collect();
        let seen: BTreeSet<_> = waiter.seen.iter().map(|(position, _)| *position).collect();
        assert!(counted.is_subset(&seen), "what counts was seen");
        assert!(waiter.hit.is_none() || counted.is_empty());
    }

    fn check_held(&self, run: &RunId, body: &WakeRegistered) {
        let holds = self.may_wait(run, body);
        assert!(
            holds,
            "who waits sees the events, and holds what its wake carries"
        );
        let is_said = body.policies.as_deref().is_none_or(|it| !it.is_empty());
        assert!(is_said, "no policies are left out");
    }

    /// Returns true when a run may read the pool's events and holds the policies that its wake
    /// carries.
    fn may_wait(&self, run: &RunId, body: &WakeRegistered) -> bool {
        let carried = body.policies.as_deref();
        self.sees(run) && carried.is_none_or(|carried| self.holds(run, carried))
    }

    fn wait(
        &mut self,
        record: &Record,
        run: RunId,
        body: &WakeRegistered,
        condition: Condition<Filter>,
    ) {
        let mut waiter = Waiter {
            run,
            registered: body.clone(),
            condition,
            seen: Vec::new(),
            hit: None,
            is_held: body.scan_to.is_some(),
        };
        if let Some(until) = body.scan_to {
            assert_eq!(until, record.position.previous(), "all earlier events");
        }
        for position in (body.since.0..record.position.previous().0).map(Position) {
            if waiter.hit.is_none() {
                self.show(&mut waiter, position.next());
            }
        }
        self.live.insert(record.position);
        if body.include_wakes {
            self.including.insert(record.position);
        }
        self.waiters.insert(record.position, waiter);
    }

    pub(super) fn triggered(&mut self, record: &Record, body: &WakeTriggered) {
        let waiter = self.end(body.registered);
        assert!(!waiter.is_held, "earlier events come first");
        let named = body.matches.iter().map(|by| by.position).collect();
        assert_eq!(waiter.hit, Some(named), "the first matches are named");
        for by in &body.matches {
            assert!(by.position < record.position);
            assert_eq!(by.kind, self.record(by.position).kind());
        }
    }

    pub(super) fn timed_out(&mut self, record: &Record, registered: Position) {
        let waiter = self.end(registered);
        assert!(
            waiter.hit.is_none() || waiter.is_held,
            "its condition held before its time was up"
        );
        let deadline = waiter.registered.deadline.unwrap();
        assert!(deadline <= record.recorded_at, "no timer fires early");
    }

    pub(super) fn cancelled(&mut self, record: &Record, body: &WakeCancelled) {
        let waiter = self.end(body.registered);
        assert!(
            waiter.hit.is_none() || waiter.is_held,
            "its condition held before it was cancelled"
        );
        let (run, wake) = (waiter.run.clone(), waiter.registered.clone());
        let is_by_policy = body.reason == WakeReason::Policy;
        if self.is_member(&run) {
            let holds = self.may_wait(&run, &wake);
            assert_eq!(is_by_policy, !holds, "it goes with its policy, at once");
        } else {
            assert!(!is_by_policy, "who is gone lost no policy");
        }
        if is_by_policy {
            let joined = self.generation(&run).unwrap().0;
            assert_eq!(record.entry.lineage.caused_by, Some(joined));
        }
    }

    pub(super) fn wake_failed(&mut self, registered: Position) {
        let waiter = self.end(registered);
        assert!(waiter.is_held, "nothing else can fail");
    }

    pub(super) fn scanned(&mut self, body: &WakeScanned) {
        assert!(self.live.contains(&body.registered), "it waits");
        let waiter = self.waiters.get_mut(&body.registered).unwrap();
        assert!(waiter.is_held, "its earlier events are looked through once");
        waiter.is_held = false;
        let seen: BTreeSet<_> = waiter.seen.iter().map(|(position, _)| *position).collect();
        for event in &body.counted {
            assert!(seen.contains(&event.by.position), "what counts was seen");
            assert!(event.by.position < body.registered);
        }
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
            let own = matches!(&record.entry.body, Body::RunSuspended(body)
                if body.wakes.iter().any(|wake| wake.registered == **registered));
            let comes = record.position > after && !own;
            waiter.hit.is_none() && comes && self.counts(waiter, record)
        });
        let waiting: Vec<Position> = waiting.copied().collect();
        if waiting.is_empty() {
            return;
        }
        let event = heronry_pool::project(&self.timelines, record);
        for registered in waiting {
            let waiter = self.waiters.get_mut(&registered).unwrap();
            waiter.see(record.position, &event.envelope);
        }
    }

    pub(super) fn check_waiters_at_rest(&self) {
        for registered in &self.live {
            let waiter = &self.waiters[registered];
            let waits = waiter.hit.is_none() || waiter.is_held;
            assert!(waits, "the wake at {registered} was lost");
            assert!(self.is_member(&waiter.run), "a departed run waits");
            let holds = self.may_wait(&waiter.run, &waiter.registered);
            assert!(holds, "the wake at {registered} outlived its policy");
        }
    }

    /// Shows an earlier event to a waiter.
    fn show(&self, waiter: &mut Waiter, position: Position) {
        let record = self.record(position);
        if self.counts(waiter, record) {
            let envelope = heronry_pool::project(&self.timelines, record).envelope;
            waiter.see(position, &envelope);
        }
    }

    /// Returns true when an event counts for a waiter, whatever its filter says.
    fn counts(&self, waiter: &Waiter, record: &Record) -> bool {
        record.entry.visibility == Visibility::InScope
            && (waiter.registered.include_wakes || !is_about_wakes(record.kind()))
            && self.may_wait(&waiter.run, &waiter.registered)
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

    /// Returns true while the earlier events of a wake that waits are still looked through.
    pub fn is_looking_back(&self) -> bool {
        let mut live = self.live.iter();
        live.any(|registered| self.waiters[registered].is_held)
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
