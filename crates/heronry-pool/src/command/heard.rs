//! The times when members were last heard of, which are nowhere recorded.

use heronry_journal::{Body, Record};
use heronry_store::KeyedMap;
use heronry_types::{RunId, Timestamp};

/// The signs of life of one member since the pool was opened.
#[derive(Clone, Copy, Debug)]
struct Signs {
    last: Timestamp,
    /// The last one of the generation that this one took over.
    of_predecessor: Option<Timestamp>,
}

/// The time when each member was last heard of, as far as it was since the pool was opened.
///
/// No record and no fold depends on it: it goes into answers and refusals alone.
#[derive(Debug, Default)]
pub struct Heard {
    by_run: KeyedMap<RunId, Signs>,
}

impl Heard {
    /// Returns when the present generation of a member was last heard of.
    pub fn last(&self, run: &RunId) -> Option<Timestamp> {
        Some(self.by_run.get(run)?.last)
    }

    /// Returns when the generation was last heard of that the present one took over.
    pub fn of_predecessor(&self, run: &RunId) -> Option<Timestamp> {
        self.by_run.get(run)?.of_predecessor
    }

    /// Notes that a member was heard of.
    pub(crate) fn note(&mut self, run: &RunId, now: Timestamp) {
        if let Some(signs) = self.by_run.get_mut(run) {
            signs.last = now;
        } else {
            let signs = Signs {
                last: now,
                of_predecessor: None,
            };
            self.by_run.insert(run.clone(), signs);
        }
    }

    /// Keeps the signs as a record says that was decided just now: who joins is heard of with it.
    pub(crate) fn record(&mut self, record: &Record) {
        let Some(run) = &record.entry.lineage.run else {
            return;
        };
        let body = &record.entry.body;
        if matches!(body, Body::MemberJoined(_) | Body::MemberTakenOver(_)) {
            let signs = Signs {
                last: record.recorded_at,
                of_predecessor: self.last(run),
            };
            self.by_run.insert(run.clone(), signs);
        } else if matches!(body, Body::MemberLeft(_) | Body::RunEnded(_)) {
            self.by_run.remove(run);
        }
    }
}
