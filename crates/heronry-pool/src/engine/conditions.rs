//! The wakes that wait for more than one filter says, and how far each has come; and those whose
//! earlier events are still to be looked through.
//!
//! Progress is no part of the state: it is counted again when the pool is opened, by matching each
//! record while it is replayed, with the state as it was then.

use std::collections::{BTreeMap, HashMap};

use heronry_event::{
    Envelope,
    filter::{CompileErrors, Filter},
    index::FilterIndex,
};
use heronry_journal::{CountedEvent, WakeRegistered, WakeTriggeredBy};
use heronry_types::{Condition, Position};

use crate::{condition::Progress, state::Earlier};

/// Whether an event is about wakes, or about runs that suspend and resume.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum About {
    Wakes,
    Other,
}

/// A filter of a condition: the registration, and its number.
type Leaf = (Position, u32);

#[derive(Debug)]
struct Waiting {
    progress: Progress,
    /// Once it holds, nothing counts any more.
    is_decided: bool,
    earlier: Earlier,
}

/// The wakes that wait for more than one filter says.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    index: FilterIndex<Leaf>,
    /// The filters of wakes that take events about wakes too.
    including: FilterIndex<Leaf>,
    waiting: HashMap<Position, Waiting>,
    kept: Vec<Leaf>,
    /// The last record that was matched: none counts twice.
    through: Position,
    /// Wakes that a replayed record decided, and that no record has ended so far.
    replayed: BTreeMap<Position, WakeTriggeredBy>,
}

impl Conditions {
    pub(super) fn arm(
        &mut self,
        registered: Position,
        (body, condition): (&WakeRegistered, &Condition),
        counted: &[CountedEvent],
    ) -> Result<(), CompileErrors> {
        let index = if body.include_wakes {
            &mut self.including
        } else {
            &mut self.index
        };
        for (clause, number) in condition.clauses().into_iter().zip(0..) {
            index.insert((registered, number), &Filter::compile(clause.filter)?);
        }
        let progress = Progress::new(condition, counted);
        let is_decided = progress.holds();
        let waiting = Waiting {
            progress,
            is_decided,
            earlier: body.scan_to.map_or(Earlier::Seen, Earlier::Pending),
        };
        self.waiting.insert(registered, waiting);
        Ok(())
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
        let matches = waiting.is_decided.then(|| waiting.progress.matches());
        matches?.last().copied()
    }

    pub(super) fn disarm(&mut self, registered: Position) {
        let Some(waiting) = self.waiting.remove(&registered) else {
            return;
        };
        for (_, number) in (0..waiting.progress.clauses()).zip(0..) {
            self.index.remove((registered, number));
            self.including.remove((registered, number));
        }
        self.replayed.remove(&registered);
    }

    /// Returns true when no wake asks for events of this sort.
    pub(super) fn nobody_asks(&self, about: About) -> bool {
        self.including.is_empty() && (about == About::Wakes || self.index.is_empty())
    }

    /// Counts an event, and adds the wakes whose condition holds by it to `decided`.
    pub(super) fn match_event(
        &mut self,
        (about, envelope, by): (About, &Envelope, WakeTriggeredBy),
        wants: impl Fn(Position) -> bool,
        decided: &mut Vec<Position>,
    ) {
        if by.position <= self.through || self.nobody_asks(about) {
            return;
        }
        self.through = by.position;
        self.kept.clear();
        self.including.matches(envelope, &mut self.kept);
        if about == About::Other {
            self.index.matches(envelope, &mut self.kept);
        }
        self.kept.sort_unstable();
        for leaves in self.kept.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((registered, _)) = leaves.first() else {
                continue;
            };
            let waiting = self.waiting.get_mut(registered);
            let Some(waiting) = waiting.filter(|waiting| !waiting.is_decided) else {
                continue;
            };
            if !wants(*registered) {
                continue;
            }
            for (_, clause) in leaves {
                waiting.progress.take(*clause as usize, envelope, by);
            }
            waiting.is_decided = waiting.progress.holds();
            if waiting.is_decided && waiting.earlier == Earlier::Seen {
                decided.push(*registered);
            }
        }
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
