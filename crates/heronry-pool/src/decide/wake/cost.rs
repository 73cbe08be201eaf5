//! The costs of the wakes that wait: how much each adds to the cost of an event, by its run and in all.

use std::collections::HashMap;

use heronry_event::filter::Filter;
use heronry_types::{Condition, Position, RunId};

/// The further cost of a filter that counts several events: what counted already is looked up.
const COUNTING_COST: u64 = 4;

/// Returns the cost of a condition: how many values an event is compared with at the worst while a wake
/// waits for it.
pub(crate) fn cost_of(condition: &Condition<Filter>) -> u64 {
    let clauses = condition.clauses().into_iter();
    clauses
        .map(|clause| cost_of_clause(clause.needed, clause.filter.cost().per_event))
        .sum()
}

/// Returns the cost of a filter that has to keep so many events.
pub(crate) fn cost_of_clause(needed: u32, per_event: usize) -> u64 {
    per_event as u64 + if needed > 1 { COUNTING_COST } else { 0 }
}

/// The costs of the wakes that wait, each counted until the wake ends.
#[derive(Debug, Default)]
pub struct WakeCosts {
    of_wake: HashMap<Position, u64>,
    of_run: HashMap<RunId, u64>,
    total: u64,
}

impl WakeCosts {
    /// Returns the cost of all wakes of a run together.
    pub(crate) fn of_run(&self, run: &RunId) -> u64 {
        self.of_run.get(run).copied().unwrap_or(0)
    }

    /// Returns the cost of all wakes of the pool together.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn add(&mut self, registered: Position, run: &RunId, cost: u64) {
        self.of_wake.insert(registered, cost);
        if let Some(of_run) = self.of_run.get_mut(run) {
            *of_run += cost;
        } else {
            self.of_run.insert(run.clone(), cost);
        }
        self.total += cost;
    }

    pub(crate) fn remove(&mut self, registered: Position, run: &RunId) {
        let Some(cost) = self.of_wake.remove(&registered) else {
            return;
        };
        self.total = self.total.saturating_sub(cost);
        if let Some(of_run) = self.of_run.get_mut(run) {
            *of_run = of_run.saturating_sub(cost);
            if *of_run == 0 {
                self.of_run.remove(run);
            }
        }
    }
}
