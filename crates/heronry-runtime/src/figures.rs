//! Counts of one pool since it was opened.

mod distribution;

use heronry_journal::{Noun, Record, SourceRecord, WakeRecord};
use heronry_types::SourceGapReason;

pub use distribution::{Bucket, Distribution};

/// The upper bounds by which the records of an append are counted.
const RECORDS: [u64; Distribution::BOUNDS] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000,
];

/// The counts of a pool since it was opened.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PoolCounts {
    /// The appends that are durable, by their number of records.
    pub appends: Distribution,
    /// The number of wakes that were triggered.
    pub wakes_triggered: u64,
    /// The counts of what came from foreign sources.
    pub sources: SourceCounts,
    /// The counts of the trims of the journal.
    pub trims: TrimCounts,
}

/// The counts of what came from foreign sources.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SourceCounts {
    /// The number of events that were recorded. The end of a run is a change of the run, and not among them.
    pub appended: u64,
    /// The number of reported events that had been taken before.
    pub repeated: u64,
    /// The number of events that were refused for good, as their bridges tell; each is a gap, too.
    pub refused: u64,
    /// The number of gaps that were recorded, of every reason.
    pub gaps: u64,
}

/// The counts of trims that dropped something.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TrimCounts {
    /// The number of trims.
    pub count: u64,
    /// The number of records that they dropped.
    pub records: u64,
}

impl Default for PoolCounts {
    fn default() -> Self {
        Self {
            appends: Distribution::over(&RECORDS),
            wakes_triggered: 0,
            sources: SourceCounts::default(),
            trims: TrimCounts::default(),
        }
    }
}

impl PoolCounts {
    /// Counts an append that is durable.
    pub(crate) fn note(&mut self, records: &[Record]) {
        self.appends.note(records.len() as u64);
        for record in records {
            let noun = record.entry.body.noun();
            let is_triggered = matches!(noun, Noun::Wake(WakeRecord::WakeTriggered(_)));
            self.wakes_triggered += u64::from(is_triggered);
            if let Noun::Source(record) = noun {
                self.sources.note(record);
            }
        }
    }

    /// Counts a trim that is durable, unless it dropped nothing.
    pub(crate) fn note_trim(&mut self, records: u64) {
        self.trims.count += u64::from(records > 0);
        self.trims.records += records;
    }
}

impl SourceCounts {
    fn note(&mut self, record: SourceRecord<'_>) {
        match record {
            SourceRecord::ApplicationEvent(event) => {
                self.appended += u64::from(event.from.is_some());
            }
            SourceRecord::SourceGap(gap) => {
                let is_refused = gap.reason == SourceGapReason::RefusedPermanently;
                self.refused += u64::from(is_refused);
                self.gaps += 1;
            }
            SourceRecord::SourceAttached(_) | SourceRecord::SourceDetached(_) => {}
        }
    }
}
