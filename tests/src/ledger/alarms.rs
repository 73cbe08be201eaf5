//! Suspicions are true: nothing that could not come comes, unless somebody came to help.

use std::collections::{BTreeMap, BTreeSet};

use heronry_journal::{Body, DeadlockSuspected, Record, WakeTriggered};
use heronry_types::{Actor, Position, ResumedBy, RunId};

use super::run_of;

/// The suspicions that still stand.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// Wakes that nobody could end, and where that was said.
    orphaned: BTreeMap<Position, Position>,
    /// Runs that wait only on each other, and where that was said.
    deadlocks: BTreeMap<Position, DeadlockSuspected>,
}

impl Alarms {
    pub(super) fn note(&mut self, record: &Record) {
        let body = &record.entry.body;
        if let Body::RunResumed(resumed) = body {
            match resumed.by {
                // A lost member is back.
                None => *self = Self::default(),
                // That is seen at its wake.
                Some(ResumedBy::Wake) => {}
                Some(ResumedBy::Command | ResumedBy::Interrupt | ResumedBy::Timeout) => {
                    self.goes_on(&run_of(record));
                }
            }
        } else if let Body::RunSuspended(_) = body {
            self.goes_on(&run_of(record));
        } else if let Body::WakeTriggered(body) = body {
            self.check(body);
        } else if let Body::WakeOrphaned(body) = body {
            self.orphaned.insert(body.registered, record.position);
        } else if let Body::DeadlockSuspected(body) = body {
            self.deadlocks.insert(record.position, body.clone());
        } else if matches!(
            body,
            Body::MemberJoined(_) | Body::MemberTakenOver(_) | Body::MemberChanged(_)
        ) {
            *self = Self::default();
        }
        match &record.entry.actor {
            // Whoever that acts for may help.
            Actor::Operator => *self = Self::default(),
            // The process of a suspended run does something all the same.
            Actor::Member { run, .. } => self.goes_on(run),
            Actor::Engine => {}
        }
    }

    /// A run that was suspected does something, or can.
    fn goes_on(&mut self, run: &RunId) {
        self.deadlocks.retain(|_, body| !body.runs.contains(run));
    }

    fn check(&self, body: &WakeTriggered) {
        let registered = body.registered;
        let orphaned = self.orphaned.get(&registered);
        assert_eq!(orphaned, None, "{registered} was of no avail, and came");
        let has_wake =
            |said: &DeadlockSuspected| said.wakes.iter().any(|it| it.registered == registered);
        let suspected: BTreeSet<&Position> = self
            .deadlocks
            .iter()
            .filter(|(_, said)| has_wake(said))
            .map(|(at, _)| at)
            .collect();
        assert!(
            suspected.is_empty(),
            "{registered} came, and {suspected:?} say that it cannot"
        );
    }
}
