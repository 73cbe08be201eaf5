//! The wakes that wait for more than one filter says, and how far each has come; and those whose
//! earlier events are still to be looked through.
//!
//! Progress is no part of the state. An image has the events that count so far; what came after it, or after the
//! registration of each when there is no image, is counted again when the pool is opened, a slice at a time.

use std::collections::BTreeMap;

use heronry_event::{
    Envelope,
    filter::{CompileErrors, Fingerprint},
};
use heronry_journal::{CountedEvent, WakeRegistered, WakeTriggeredBy};
use heronry_store::KeyedMap;
use heronry_types::{Condition, Position, RunId};

use crate::{
    condition::{ConditionProgress, Occurrence},
    decide::{WakeEvents, cost_of_clause},
    engine::clauses::{ClauseId, ClauseKey, Clauses, CountsFor, KeptEvent, Leaf},
    state::Earlier,
};

/// The subject of an event: wakes and runs that suspend and resume, or something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum About {
    Wakes,
    Other,
}

#[derive(Debug)]
struct WaitingWake {
    progress: ConditionProgress,
    /// The filters that still count, by their numbers.
    clauses: Vec<Option<ClauseId>>,
    /// Once it holds, nothing counts any more.
    is_decided: bool,
    earlier: Earlier,
}

/// The worth of earlier events for a wake that waits: they may have brought it nearer to its end, or
/// not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EarlierEvents {
    /// Earlier events may count.
    Counts,
    /// Earlier events count for nothing: any one event of those that it waits for would have ended it.
    Nothing,
}

impl EarlierEvents {
    /// Returns what a wake that waits for this has.
    pub(super) fn of(body: &WakeRegistered, condition: &Condition) -> Self {
        if body.scan_to.is_none() && is_of_single_events(condition) {
            Self::Nothing
        } else {
            Self::Counts
        }
    }
}

/// Returns true when any one event that counts makes the condition hold.
fn is_of_single_events(condition: &Condition) -> bool {
    match condition {
        Condition::Filter(_) => true,
        Condition::Count(count) => count.n == 1,
        Condition::AnyOf(parts) => parts.iter().all(is_of_single_events),
        Condition::AllOf(parts) => parts.len() == 1 && parts.iter().all(is_of_single_events),
    }
}

impl WaitingWake {
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
    waiting: KeyedMap<Position, WaitingWake>,
    /// The filters that keep the event which is being counted, as far as they were not looked at.
    kept: Vec<ClauseId>,
    /// The leaves that may count it, as far as they did not; the first one is last once all filters were
    /// looked at.
    offered: Vec<Leaf>,
    /// The last record that was matched: none counts twice.
    through: Position,
}

/// A registration, and the condition that it waits for.
#[derive(Clone, Copy)]
pub(super) struct WhatWaits<'a> {
    pub(super) body: &'a WakeRegistered,
    pub(super) condition: &'a Condition,
}

/// The wakes that a matched event may count for.
pub(super) struct Audience<'a> {
    pub(super) counts_for: CountsFor,
    /// True of a run that sees the event.
    pub(super) sees: &'a dyn Fn(&RunId) -> bool,
    /// True of a wake that takes the event.
    pub(super) wants: &'a dyn Fn(Position) -> bool,
}

impl Conditions {
    /// Arms a wake of a run; returns its cost.
    pub(super) fn arm(
        &mut self,
        registered: Position,
        run: &RunId,
        WhatWaits { body, condition }: WhatWaits<'_>,
        counted: &[CountedEvent],
    ) -> Result<u64, CompileErrors> {
        let progress = ConditionProgress::new(condition, counted);
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
        let mut waiting = WaitingWake {
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
    }

    /// Returns true when no wake asks for events of this sort.
    pub(super) fn nobody_asks(&self, about: About) -> bool {
        self.clauses.nobody_asks(about)
    }

    /// Returns true when no condition waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the record after which events are counted that are not counted yet: the first registration of
    /// those that wait, or the last record that was counted for them before. Nothing when none waits.
    pub(super) fn counts_after(&self) -> Option<Position> {
        let first = self.waiting.keys().min().copied();
        first.map(|first| first.max(self.through))
    }

    /// Says that events up to this one are counted.
    pub(super) fn set_through(&mut self, through: Position) {
        self.through = through;
    }

    /// Takes in that the earlier events of a wake which was restored are known. Returns the event at which its
    /// condition came to hold, when it does.
    pub(super) fn was_scanned(&mut self, registered: Position) -> Option<WakeTriggeredBy> {
        let waiting = self.waiting.get_mut(&registered)?;
        waiting.earlier = Earlier::Seen;
        let matches = waiting.is_decided.then(|| waiting.progress.matches());
        matches?.last().copied()
    }

    /// Returns the events that count so far for each wake, by the registration of the wake.
    pub(super) fn counted_events(&self) -> BTreeMap<Position, Vec<CountedEvent>> {
        let waiting = self.waiting.iter();
        let counted = waiting.map(|(at, it)| (*at, it.progress.clone().counted()));
        counted.filter(|(_, events)| !events.is_empty()).collect()
    }

    /// Returns true when this wake waits.
    pub(super) fn has(&self, registered: Position) -> bool {
        self.waiting.contains_key(&registered)
    }

    /// Begins to count an event; returns how many alternatives were come upon.
    pub(super) fn begin(&mut self, position: Position, about: About, envelope: &Envelope) -> usize {
        debug_assert!(!self.is_counting(), "one event at a time");
        if position <= self.through || self.nobody_asks(about) {
            return 0;
        }
        self.through = position;
        self.clauses.matches(about, envelope, &mut self.kept)
    }

    /// Returns true while an event is not counted for all.
    pub(super) fn is_counting(&self) -> bool {
        !self.kept.is_empty() || !self.offered.is_empty()
    }

    /// Counts the event that was begun for so many more filters and wakes, and adds the wakes whose
    /// condition holds by it to `decided`. Returns how many were come upon, one wake more at the most.
    pub(super) fn go_on(
        &mut self,
        event: &mut Occurrence<'_>,
        audience: &Audience<'_>,
        decided: &mut Vec<Position>,
        at_most: usize,
    ) -> usize {
        let mut came_upon = 0;
        while came_upon < at_most && self.is_counting() {
            came_upon += match self.kept.pop() {
                Some(id) => self.offer(id, event, audience),
                None => self.count_for_next(event, audience, decided),
            };
        }
        came_upon
    }

    /// Offers the event to those who count by a filter that keeps it; returns that it was one filter.
    fn offer(
        &mut self,
        id: ClauseId,
        event: &mut Occurrence<'_>,
        audience: &Audience<'_>,
    ) -> usize {
        if let Some(key) = self.clauses.key(id)
            && let Some(distinct) = event.distinct(key.distinct_by)
            && (audience.sees)(&key.run)
        {
            let kept = KeptEvent {
                position: event.position(),
                distinct,
                counts_for: audience.counts_for,
            };
            self.clauses.offer(id, kept, &mut self.offered);
        }
        if self.kept.is_empty() {
            self.offered.sort_unstable_by(|one, other| other.cmp(one));
        }
        1
    }

    /// Counts the event for the first wake that it was offered to; returns by how many filters.
    fn count_for_next(
        &mut self,
        event: &mut Occurrence<'_>,
        audience: &Audience<'_>,
        decided: &mut Vec<Position>,
    ) -> usize {
        let Some(Leaf { registered, .. }) = self.offered.last().copied() else {
            return 0;
        };
        let others = self
            .offered
            .iter()
            .rposition(|leaf| leaf.registered != registered);
        let leaves = self.offered.drain(others.map_or(0, |last| last + 1)..);
        let count = leaves.len();
        let Some(waiting) = self.waiting.get_mut(&registered) else {
            return count;
        };
        if waiting.is_decided || !(audience.wants)(registered) {
            return count;
        }
        for leaf in leaves {
            waiting.progress.take(leaf.number, event);
        }
        waiting.is_decided = waiting.progress.holds();
        waiting.let_go(registered, &mut self.clauses);
        if waiting.is_decided && waiting.earlier == Earlier::Seen {
            decided.push(registered);
        }
        count
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
