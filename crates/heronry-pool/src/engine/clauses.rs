//! The filters of conditions that wait, each once for its run, and which wakes count by them.
//!
//! Equal filters of a run are one, whatever the wakes that they are of. Who counts by a filter is
//! offered an event only when the thing that has to be another one was not kept since it began to
//! wait: what came before for all of them costs one look, however many they are.

use std::collections::BTreeSet;

use heronry_event::{
    Envelope,
    filter::{CompileErrors, Filter, Fingerprint},
    index::FilterIndex,
};
use heronry_journal::DistinctHash;
use heronry_store::KeyedMap;
use heronry_types::{DistinctBy, Position, RunId};

use crate::{decide::WakeEvents, engine::conditions::About};

/// The number of kept things that are remembered for a filter before those are forgotten that say
/// nothing any more: they are another one for everybody who still counts.
const KEPT_MAX: usize = 2_048;

/// A filter of a condition: the registration of its wake, and its number there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Leaf {
    pub(super) registered: Position,
    pub(super) number: u32,
}

/// The key by which filters of a run are one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct ClauseKey {
    pub(super) run: RunId,
    pub(super) filter: Fingerprint,
    pub(super) distinct_by: DistinctBy,
    pub(super) wake_events: WakeEvents,
}

/// A filter of a run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct ClauseId(u64);

#[derive(Debug)]
struct WaitedClause {
    key: ClauseKey,
    cost: usize,
    /// The leaves that count by it, in order of registration.
    takers: BTreeSet<Leaf>,
    /// The last event for each thing that was kept. One that is older than every taker says nothing.
    kept: KeyedMap<DistinctHash, Position>,
    /// The number of kept things at which those are looked for that say nothing any more.
    kept_max: usize,
}

/// The filters of the conditions that wait.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    index: FilterIndex<ClauseId>,
    /// The filters of wakes that take events about wakes too.
    including: FilterIndex<ClauseId>,
    by_key: KeyedMap<ClauseKey, ClauseId>,
    by_id: KeyedMap<ClauseId, WaitedClause>,
    /// Never used again.
    last_id: u64,
}

/// An event that was kept, for who counts by a filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptEvent {
    pub(super) position: Position,
    pub(super) distinct: DistinctHash,
    pub(super) counts_for: CountsFor,
}

/// The wakes for which an event counts, of those that its filter keeps it for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CountsFor {
    /// The event counts for all of them.
    All,
    /// The event may not count for one of them: nothing follows from its having been offered.
    Some,
}

/// A filter that was put in: its id, and its cost for one leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub(super) id: ClauseId,
    pub(super) cost: usize,
}

impl Clauses {
    /// Puts a filter in for a leaf of a condition; compiles its text when it is new for its run.
    pub(super) fn put(
        &mut self,
        leaf: Leaf,
        key: ClauseKey,
        text: &str,
    ) -> Result<Put, CompileErrors> {
        let id = match self.by_key.get(&key) {
            Some(id) => *id,
            None => self.add(key, &Filter::compile(text)?),
        };
        let clause = self.by_id.get_mut(&id);
        let cost = clause.map_or(0, |clause| {
            clause.takers.insert(leaf);
            clause.cost
        });
        Ok(Put { id, cost })
    }

    fn add(&mut self, key: ClauseKey, filter: &Filter) -> ClauseId {
        self.last_id += 1;
        let id = ClauseId(self.last_id);
        self.index_for(key.wake_events).insert(id, filter);
        self.by_key.insert(key.clone(), id);
        let clause = WaitedClause {
            key,
            cost: filter.cost().per_event,
            takers: BTreeSet::new(),
            kept: KeyedMap::default(),
            kept_max: KEPT_MAX,
        };
        self.by_id.insert(id, clause);
        id
    }

    fn index_for(&mut self, wake_events: WakeEvents) -> &mut FilterIndex<ClauseId> {
        match wake_events {
            WakeEvents::Skip => &mut self.index,
            WakeEvents::Include => &mut self.including,
        }
    }

    /// Says that a leaf counts no more; a filter by which nobody counts leaves the index at once.
    pub(super) fn take_out(&mut self, id: ClauseId, leaf: Leaf) {
        let Some(clause) = self.by_id.get_mut(&id) else {
            return;
        };
        clause.takers.remove(&leaf);
        if !clause.takers.is_empty() {
            return;
        }
        if let Some(clause) = self.by_id.remove(&id) {
            self.by_key.remove(&clause.key);
            self.index_for(clause.key.wake_events).remove(id);
        }
    }

    /// Returns true when no wake asks for events of this sort.
    pub(super) fn nobody_asks(&self, about: About) -> bool {
        self.including.is_empty() && (about == About::Wakes || self.index.is_empty())
    }

    /// Adds the filters that keep an event to `found`; returns how many alternatives were come upon.
    pub(super) fn matches(
        &mut self,
        about: About,
        envelope: &Envelope,
        found: &mut Vec<ClauseId>,
    ) -> usize {
        let came_upon = self.including.matches(envelope, found);
        match about {
            About::Wakes => came_upon,
            About::Other => came_upon + self.index.matches(envelope, found),
        }
    }

    /// Returns whose filter it is, and what has to be another one for it.
    pub(super) fn key(&self, id: ClauseId) -> Option<&ClauseKey> {
        self.by_id.get(&id).map(|clause| &clause.key)
    }

    /// Adds the leaves to `offered` for which an event may be another one.
    pub(super) fn offer(&mut self, id: ClauseId, kept: KeptEvent, offered: &mut Vec<Leaf>) {
        let Some(clause) = self.by_id.get_mut(&id) else {
            return;
        };
        let (position, counts_for) = (kept.position, kept.counts_for);
        let before = match (clause.key.distinct_by, counts_for) {
            // Each event is another one.
            (DistinctBy::Event, _) => None,
            (DistinctBy::Message | DistinctBy::Run | DistinctBy::Subject, CountsFor::All) => {
                clause.kept.insert(kept.distinct, position)
            }
            (DistinctBy::Message | DistinctBy::Run | DistinctBy::Subject, CountsFor::Some) => {
                clause.kept.get(&kept.distinct).copied()
            }
        };
        match before {
            // Who was registered before that event was offered it.
            Some(registered) => {
                let since = Leaf {
                    registered,
                    number: 0,
                };
                offered.extend(clause.takers.range(since..));
            }
            None => offered.extend(&clause.takers),
        }
        if clause.kept.len() > clause.kept_max
            && let Some(oldest) = clause.takers.first()
        {
            clause.kept.retain(|_, at| *at > oldest.registered);
            // What is left is looked at again when there is twice as much: so each event pays a little.
            clause.kept_max = KEPT_MAX.max(clause.kept.len().saturating_mul(2));
        }
    }

    /// Returns how many things that were kept are remembered for all filters together.
    #[cfg(test)]
    pub(super) fn kept_in_all(&self) -> usize {
        self.by_id.values().map(|clause| clause.kept.len()).sum()
    }
}
