//! Looking through earlier events for what a wake waits for.

mod finish;
mod request;

use heronry_event::filter::Filter;
use heronry_journal::{CountedEvent, Record, WakeTriggeredBy};
use heronry_types::{Timelines, Visibility};

use crate::{
    condition::{ConditionProgress, Occurrence},
    decide::{WakeEvents, cost_of, is_about_wakes},
    project,
};

pub use finish::{FinishScan, Scanned};
pub use request::ScanRequest;

/// The events that a look through earlier ones found for the condition of a wake.
#[derive(Clone, Debug, Default)]
pub struct FoundEvents {
    /// The events by which the condition holds; empty while it does not.
    pub(crate) matches: Vec<WakeTriggeredBy>,
    /// The events that count so far, while it does not hold.
    pub(crate) counted: Vec<CountedEvent>,
    /// The extent of the look.
    pub(crate) extent: Extent,
}

/// The extent of a look: all that was asked for, or nothing so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Extent {
    /// Everything that was asked for was looked through.
    #[default]
    All,
    /// Nothing was looked through: there is too much to do it at once.
    Later,
}

impl FoundEvents {
    /// Nothing was asked for, so nothing was found.
    pub(crate) const NOTHING: Self = Self {
        matches: Vec::new(),
        counted: Vec::new(),
        extent: Extent::All,
    };

    /// Returns true when later records change nothing: the condition holds, or they are looked through
    /// with all others when the wake is registered.
    pub(crate) fn is_settled(&self) -> bool {
        !self.matches.is_empty() || self.extent == Extent::Later
    }

    /// Says that there is too much to look through at once: the wake is registered before that is
    /// done.
    pub fn later() -> Self {
        Self {
            extent: Extent::Later,
            ..Self::default()
        }
    }
}

/// The cost of reading a record, as a number of comparisons.
const RECORD_COST: u64 = 8;
/// The highest number of records that are looked through while the command waits.
const RECORDS_AT_ONCE_MAX: u64 = 1_024;
/// The highest cost of a look through earlier events while its command waits, in compared values. A look
/// that costs more goes on beside the pool.
const COST_AT_ONCE_MAX: u64 = 16 * 1_024;
/// The approximate cost of a look through earlier events after which others go on, in compared values.
const COST_OF_SLICE: u64 = 2 * 1_024;
/// The number of records that a look through earlier events sees before others go on.
const RECORDS_OF_SLICE: u64 = 256;

/// The state of a scan after some records: it needs more of them, or is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScanStep {
    /// The condition does not hold so far.
    More,
    /// It holds: later records change nothing.
    Done,
}

/// A look through earlier events, in order, until the condition holds.
#[derive(Debug)]
pub struct Scan {
    request: ScanRequest,
    filters: Vec<Filter>,
    progress: ConditionProgress,
    /// The cost of a record at the worst, in compared values; reading it is included.
    cost: u64,
}

impl Scan {
    /// Begins to look for what a command asks for.
    pub fn new(request: ScanRequest) -> Self {
        let clauses = request.condition.clauses();
        let filters = clauses.iter().map(|clause| clause.filter.clone()).collect();
        let progress = ConditionProgress::new(&request.condition, &[]);
        let cost = RECORD_COST + cost_of(&request.condition);
        Self {
            request,
            filters,
            progress,
            cost,
        }
    }

    /// Returns true when what is asked for costs so little that its command can wait for it.
    pub fn is_cheap(&self) -> bool {
        let records = self.request.until.0.saturating_sub(self.request.after.0);
        records <= RECORDS_AT_ONCE_MAX && records.saturating_mul(self.cost) <= COST_AT_ONCE_MAX
    }

    /// Returns how many records to look through before others go on; at least one.
    pub fn records_at_once(&self) -> usize {
        let records = (COST_OF_SLICE / self.cost).clamp(1, RECORDS_OF_SLICE);
        usize::try_from(records).unwrap_or(1)
    }

    /// Returns the request.
    pub fn request(&self) -> &ScanRequest {
        &self.request
    }

    /// Returns what was found.
    pub fn finish(self) -> FoundEvents {
        if self.progress.holds() {
            FoundEvents {
                matches: self.progress.matches(),
                ..FoundEvents::default()
            }
        } else {
            FoundEvents {
                counted: self.progress.counted(),
                ..FoundEvents::default()
            }
        }
    }

    /// Returns the events that count, up to the one at which the condition holds.
    pub fn counted(self) -> Vec<CountedEvent> {
        self.progress.counted()
    }

    /// Looks through records that every waiter may see which sees the pool's events.
    pub fn look(&mut self, timelines: &Timelines, records: &[Record]) -> ScanStep {
        let holds = records.iter().any(|record| {
            if self.counts(record) {
                self.take(timelines, record);
            }
            self.progress.holds()
        });
        if holds {
            ScanStep::Done
        } else {
            ScanStep::More
        }
    }

    /// Returns what was found, with what these later records add to it.
    pub(crate) fn go_on(
        mut self,
        found: &FoundEvents,
        timelines: &Timelines,
        records: &[Record],
    ) -> FoundEvents {
        self.progress = ConditionProgress::new(&self.request.condition, &found.counted);
        self.look(timelines, records);
        self.finish()
    }

    fn counts(&self, record: &Record) -> bool {
        record.position > self.request.after
            && record.position <= self.request.until
            && record.entry.visibility == Visibility::InScope
            && (self.request.wake_events == WakeEvents::Include || !is_about_wakes(record.kind()))
    }

    fn take(&mut self, timelines: &Timelines, record: &Record) {
        let envelope = project(timelines, record).envelope;
        let by = WakeTriggeredBy {
            position: record.position,
            kind: record.kind(),
        };
        let mut event = Occurrence::new(&envelope, by);
        for (clause, filter) in (0..).zip(&self.filters) {
            if !self.progress.is_full(clause) && filter.matches(&envelope) {
                self.progress.take(clause, &mut event);
            }
        }
    }
}
