//! A layer that counts and times the calls of a store.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heronry_store::{Clock, Store};

use super::{
    StoreOperation,
    observe::{CallOutcome, EndedCall, Observed, Observer},
};
use crate::figures::Distribution;

/// The upper bounds by which the times of calls are counted, in microseconds.
const MICROSECONDS: [u64; Distribution::BOUNDS] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];

/// Counts and times the calls of a store. Cheap to clone; all clones are the same meter.
///
/// A call counts when it ends; one that its caller gives up does not. The calls that wait for
/// something to happen are not counted.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    operations: Arc<Mutex<BTreeMap<StoreOperation, OperationFigures>>>,
}

/// A store with the meter of its calls.
#[derive(Debug)]
pub struct Metered {
    /// The store, to be used as any other.
    pub store: Store,
    /// The meter of its calls.
    pub meter: Meter,
}

/// The figures of a store since its meter was made: those of each operation that was called.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoreFigures {
    /// The figures, by operation.
    pub operations: BTreeMap<StoreOperation, OperationFigures>,
}

/// The figures of one operation of a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OperationFigures {
    /// The number of calls that did what they were asked for.
    pub ok: u64,
    /// The number of calls that a rule of the port refused, as a stale token.
    pub refused: u64,
    /// The number of calls in which the store failed.
    pub failed: u64,
    /// The calls by the time that they took, in microseconds.
    pub times: Distribution,
    /// The time that the longest call took.
    pub max: Duration,
}

impl Meter {
    /// Returns a store whose calls are counted, and timed by this clock.
    pub fn over(store: Store, clock: Arc<dyn Clock>) -> Metered {
        let meter = Self::default();
        let observer = Metering {
            meter: meter.clone(),
            clock,
        };
        let store = Observed::over(store, observer);
        Metered { store, meter }
    }

    /// Returns the present figures.
    pub fn figures(&self) -> StoreFigures {
        let operations = self.operations.lock();
        StoreFigures {
            operations: operations.unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn note(&self, operation: StoreOperation, outcome: CallOutcome, took: Duration) {
        // Figures are numbers at every point, so a panic elsewhere cannot have broken them.
        let mut operations = self
            .operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let figures = operations.entry(operation).or_default();
        match outcome {
            CallOutcome::Ok => figures.ok += 1,
            CallOutcome::Refused => figures.refused += 1,
            CallOutcome::Failed => figures.failed += 1,
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        figures.times.note(micros);
        figures.max = figures.max.max(took);
    }
}

impl Default for OperationFigures {
    fn default() -> Self {
        Self {
            ok: 0,
            refused: 0,
            failed: 0,
            times: Distribution::over(&MICROSECONDS),
            max: Duration::ZERO,
        }
    }
}

impl OperationFigures {
    /// Returns the number of calls, however they ended.
    pub fn calls(&self) -> u64 {
        self.ok + self.refused + self.failed
    }
}

/// The observer of a meter.
struct Metering {
    meter: Meter,
    clock: Arc<dyn Clock>,
}

impl Observer for Metering {
    type Begun = Duration;

    fn measures(&self) -> bool {
        false
    }

    fn begin(&self) -> Duration {
        self.clock.elapsed()
    }

    fn end(&self, begun: Duration, ended: &EndedCall<'_>) {
        let took = self.clock.elapsed().saturating_sub(begun);
        self.meter.note(ended.call.operation, ended.outcome, took);
    }
}
