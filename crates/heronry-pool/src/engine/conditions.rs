//! The wakes that wait for more than one filter says, and how far each has come; and those whose
//! earlier events are still to be looked through.
//!
//! Progress is no part of the state: it is counted again when the pool is opened, by matching each
//! record while it is replayed, with the state as it was then.

use std::collections::{BTreeMap, HashMap};

use heronry_event::filter::{CompileErrors, Fingerprint};
use heronry_journal::{CountedEvent, WakeRegistered, WakeTriggeredBy};
use heronry_types::{Condition, Position, RunId};

use super::{
    clauses::{ClauseId, ClauseKey, Clauses, CountsFor, Kept, Leaf},
    costs::cost_of_clause,
};
use crate::{
    condition::{Occurrence, Progress},
    decide::WakeEvents,
    state::Earlier,
};

/// Whether an event is about wakes, or about runs that suspend and resume.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum About {
    Wakes,
    Other,
}

#[derive(Debug)]
struct Waiting {
    progress: Progress,
    /// The filters that still count, by their numbers.
    clauses: Vec<Option<ClauseId>>,
    /// Once it holds, nothing counts any more.
    is_decided: bool,
    earlier: Earlier,
}

impl Waiting {
    /// Lets go of the filters that need no further event; of all when the condition holds.
    fn let_go(&mut self, registered: Position, clauses: &mut Clauses) {
        for (number, clause) in (0..).zip(&mut self.clauses) {
            if let Some(id) = *clause
                && (self.is_decided || self.progress.is_full(number))
            {
                clauses.take_out(id, Leaf { registered, number });
                *clause = None;
            }
        }
    }
}

/// The wakes that wait for more than one filter says.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    clauses: Clauses,
    waiting: HashMap<Position, Waiting>,
    kept: Vec<ClauseId>,
    offered: Vec<Leaf>,
    /// The last record that was matched: none counts twice.
    through: Position,
    /// Wakes that a replayed record decided, and that no record has ended so far.
    replayed: BTreeMap<Position, WakeTriggeredBy>,
}

/// Who a matched event may count for.
pub(super) struct Audience<'a> {
    pub(super) about: About,
    pub(super) counts_for: CountsFor,
    /// Whether a run sees the event.
    pub(super) sees: &'a dyn Fn(&RunId) -> bool,
    /// Whether a wake takes it.
    pub(super) wants: &'a dyn Fn(Position) -> bool,
}

impl Conditions {
    /// Arms a wake of a run; returns its cost.
    pub(super) fn arm(
        &mut self,
        (registered, run): (Position, &RunId),
        (body, condition): (&WakeRegistered, &Condition),
        counted: &[CountedEvent],
    ) -> Result<u64, CompileErrors> {
        let progress = Progress::new(condition, counted);
        let is_decided = progress.holds();
        let (mut clauses, mut cost) = (Vec::new(), 0);
        for (number, clause) in (0..).zip(condition.clauses()) {
            let key = ClauseKey {
                run: run.clone(),
                filter: Fingerprint::of(clause.filter),
                distinct_by: clause.distinct_by,
                wake_events: WakeEvents::of(body),
            };
            let put = self
                .clauses
                .put(Leaf { registered, number }, key, clause.filter)?;
            cost += cost_of_clause(clause.needed, put.cost);
            clauses.push(Some(put.id));
        }
        let mut waiting = Waiting {
            progress,
            clauses,
            is_decided,
            earlier: body.scan_to.map_or(Earlier::Seen, Earlier::Pending),
        };
        waiting.let_go(registered, &mut self.clauses);
        self.waiting.insert(registered, waiting);
        Ok(cost)
    }

    /// Takes in which earlier events count for a wake that was held until they were known. Returns
    /// the event at which its condition came to hold.
    pub(super) fn scanned(
        &mut self,
        registered: Position,
        counted: &[CountedEvent],
    ) -> Option<WakeTriggeredBy> {
        let waiting = self.waiting.get_mut(&registered)?;
        if std::mem::replace(&mut waiting.earlier, Earlier::Seen) == Earlier::Seen {
            return None;
        }
        waiting.progress.put_before(counted);
        waiting.is_decided = waiting.progress.holds();
        waiting.let_go(registered, &mut self.clauses);
        let matches = waiting.is_decided.then(|| waiting.progress.matches());
        matches?.last().copied()
    }

    pub(super) fn disarm(&mut self, registered: Position) {
        let Some(mut waiting) = self.waiting.remove(&registered) else {
            return;
        };
        waiting.is_decided = true;
        waiting.let_go(registered, &mut self.clauses);
        self.replayed.remove(&registered);
    }

    /// Returns true when no wake asks for events of this sort.
    pub(super) fn nobody_asks(&self, about: About) -> bool {
        self.clauses.nobody_asks(about)
    }

    /// Counts an event, and adds the wakes whose condition holds by it to `decided`. Returns how many
    /// alternatives and wakes were come upon.
    pub(super) fn match_event(
        &mut self,
        event: &mut Occurrence<'_>,
        audience: &Audience<'_>,
        decided: &mut Vec<Position>,
    ) -> usize {
        if event.position() <= self.through || self.nobody_asks(audience.about) {
            return 0;
        }
        self.through = event.position();
        self.kept.clear();
        let asked = (audience.about, event.envelope());
        let came_upon = self.clauses.matches(asked, &mut self.kept);
        self.offered.clear();
        for id in &self.kept {
            let Some(key) = self.clauses.key(*id) else {
                continue;
            };
            let Some(distinct) = event.distinct(key.distinct_by) else {
                continue;
            };
            if (audience.sees)(&key.run) {
                let kept = Kept {
                    position: event.position(),
                    distinct,
                    counts_for: audience.counts_for,
                };
                self.clauses.offer(*id, kept, &mut self.offered);
            }
        }
        self.offered.sort_unstable();
        for leaves in self
            .offered
            .chunk_by(|one, other| one.registered == other.registered)
        {
            let Some(registered) = leaves.first().map(|leaf| leaf.registered) else {
                continue;
            };
            let Some(waiting) = self.waiting.get_mut(&registered) else {
                continue;
            };
            if waiting.is_decided || !(audience.wants)(registered) {
                continue;
            }
            for leaf in leaves {
                waiting.progress.take(leaf.number, event);
            }
            waiting.is_decided = waiting.progress.holds();
            waiting.let_go(registered, &mut self.clauses);
            if waiting.is_decided && waiting.earlier == Earlier::Seen {
                decided.push(registered);
            }
        }
        came_upon + self.kept.len() + self.offered.len()
    }

    /// Keeps what a replayed record decided, until its end comes or the replay is over.
    pub(super) fn keep_replayed(&mut self, decided: &[Position], by: WakeTriggeredBy) {
        let decided = decided.iter().map(|registered| (*registered, by));
        self.replayed.extend(decided);
    }

    /// Takes what replayed records decided and no record ended.
    pub(super) fn take_replayed(&mut self) -> BTreeMap<Position, WakeTriggeredBy> {
        std::mem::take(&mut self.replayed)
    }

    /// Returns how many events count already for each filter of a condition.
    pub(super) fn counted(&self, registered: Position) -> Vec<u32> {
        let waiting = self.waiting.get(&registered);
        waiting.map_or_else(Vec::new, |it| it.progress.counted_by_clause())
    }

    /// Returns the events by which the condition of a wake holds.
    pub(super) fn matches_of(&self, registered: Position) -> Option<Vec<WakeTriggeredBy>> {
        let waiting = self.waiting.get(&registered)?;
        Some(waiting.progress.matches())
    }
}

#[cfg(test)]
mod tests;
