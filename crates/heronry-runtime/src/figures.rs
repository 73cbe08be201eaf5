//! Counts of one pool since it was opened.

mod distribution;

use heronry_journal::{Noun, Record, WakeRecord};

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
}

impl Default for PoolCounts {
    fn default() -> Self {
        Self {
            appends: Distribution::over(&RECORDS),
            wakes_triggered: 0,
        }
    }
}

impl PoolCounts {
    /// Counts an append that is durable.
    pub(crate) fn note(&mut self, records: &[Record]) {
        self.appends.note(records.len() as u64);
        let triggered = records.iter().filter(|record| is_triggered(record));
        self.wakes_triggered += triggered.count() as u64;
    }
}

fn is_triggered(record: &Record) -> bool {
    matches!(
        record.entry.body.noun(),
        Noun::Wake(WakeRecord::WakeTriggered(_))
    )
}
