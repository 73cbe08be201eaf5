//! The times to look who waits on whom, and the progress of a look.

use heronry_journal::{Body, Entry, Noun, Record};
use heronry_types::{Millis, Timestamp};

use super::walk::{Sight, SuspicionWalk};
use crate::State;

/// The delay after a change until it is looked who waits on whom: changes that come together are looked
/// at once.
const AFTER: Millis = Millis::from_secs(1);

/// The times at which it is looked who waits on whom, while runs are suspended.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The time of the next look: something has changed that it depends on.
    next: Option<Timestamp>,
    /// The look that is under way.
    walk: SuspicionWalk,
    /// The time of the look after that: something has changed meanwhile.
    again: Option<Timestamp>,
}

impl Watch {
    /// Returns the time of the next look.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Returns true when it is time to look.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.next.is_some_and(|at| at <= now)
    }

    /// Begins to watch a pool that was opened.
    pub(crate) fn open(&mut self, state: &State) {
        if state.members.suspended().len() > 0 {
            self.next = Some(state.time.after(AFTER));
        }
    }

    /// Takes in a record that was applied: it may change who waits on whom.
    pub(crate) fn note(&mut self, state: &State, record: &Record) {
        let body = &record.entry.body;
        let changes =
            matches!(body.noun(), Noun::Member(_)) || matches!(body, Body::WakeScanned(_));
        if !changes || state.members.suspended().len() == 0 {
            return;
        }
        let soon = record.recorded_at.after(AFTER);
        if self.walk.has_begun() {
            self.again.get_or_insert(soon);
        } else {
            self.next.get_or_insert(soon);
        }
    }

    /// Looks at some more of the suspended runs; returns the records of what is suspected once all were
    /// looked at.
    pub(crate) fn look(&mut self, sight: Sight<'_>) -> Vec<Entry> {
        if self.walk.step(sight) {
            return Vec::new();
        }
        self.next = self.again.take();
        std::mem::take(&mut self.walk).finish(sight)
    }
}
