//! Conditions: their canonical form, and how far they have come.

use std::collections::HashSet;

use heronry_event::{
    Envelope,
    filter::{Filter, Fingerprint},
};
use heronry_journal::{CountedEvent, DistinctHash, WakeTriggeredBy};
use heronry_types::{Condition, Count, DistinctBy, Position, Vocabulary};

/// Returns the condition in the one form that conditions with the same parts share: parts in order
/// of their texts and each once, and a part that stands alone in place of its list.
pub(crate) fn canonical(condition: Condition<Filter>) -> Condition<Filter> {
    let each = |parts: Vec<Condition<Filter>>| {
        let parts = parts.into_iter().map(canonical);
        let mut parts: Vec<_> = parts.map(|part| (text(&part), part)).collect();
        parts.sort_by(|(one, _), (other, _)| one.cmp(other));
        parts.dedup_by(|(one, _), (other, _)| one == other);
        parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>()
    };
    let alone = |mut parts: Vec<_>, list: fn(Vec<_>) -> _| match parts.len() {
        1 => parts.swap_remove(0),
        _ => list(parts),
    };
    match condition {
        Condition::AnyOf(parts) => alone(each(parts), Condition::AnyOf),
        Condition::AllOf(parts) => alone(each(parts), Condition::AllOf),
        Condition::Filter(_) | Condition::Count(_) => condition,
    }
}

/// Returns true when a condition holds whose filters hold or do not.
pub(crate) fn holds(condition: &Condition<bool>) -> bool {
    match condition {
        Condition::Filter(possible) => *possible,
        Condition::Count(count) => count.filter,
        Condition::AnyOf(parts) => parts.iter().any(holds),
        Condition::AllOf(parts) => parts.iter().all(holds),
    }
}

/// Returns the condition with the canonical texts of its filters.
pub(crate) fn texts(condition: &Condition<Filter>) -> Condition {
    let mapped = condition.try_map(&mut |filter: &Filter| {
        Ok::<_, std::convert::Infallible>(filter.normal_form().to_owned())
    });
    match mapped {
        Ok(texts) => texts,
        Err(never) => match never {},
    }
}

/// Returns the oldest version of the filter language that can say what a condition asks for.
pub(crate) fn language(condition: &Condition<Filter>) -> u16 {
    let clauses = condition.clauses();
    let versions = clauses.iter().map(|clause| clause.filter.language());
    versions.max().unwrap_or(1)
}

/// Returns the canonical text of a condition in canonical form.
pub(crate) fn text(condition: &Condition<Filter>) -> String {
    if let Condition::Filter(filter) = condition {
        filter.normal_form().to_owned()
    } else {
        texts(condition).to_string()
    }
}

/// Returns what identifies a condition in canonical form.
pub(crate) fn fingerprint(condition: &Condition<Filter>) -> Fingerprint {
    if let Condition::Filter(filter) = condition {
        *filter.fingerprint()
    } else {
        Fingerprint::of(&text(condition))
    }
}

/// The progress of a condition: the events that count so far for each of its filters.
#[derive(Clone, Debug)]
pub(crate) struct ConditionProgress {
    /// Its leaves are the numbers of the clauses.
    tree: Condition<usize>,
    clauses: Vec<ClauseTally>,
}

/// The events that count for one filter. Never more than it needs.
#[derive(Clone, Debug)]
struct ClauseTally {
    needed: usize,
    distinct_by: DistinctBy,
    seen: HashSet<DistinctHash>,
    events: Vec<CountedEvent>,
}

impl ConditionProgress {
    /// Returns the progress of a condition for which these events count already.
    pub(crate) fn new<L>(condition: &Condition<L>, counted: &[CountedEvent]) -> Self {
        let mut number = 0;
        let numbered = condition.try_map(&mut |_| {
            number += 1;
            Ok::<_, std::convert::Infallible>(number - 1)
        });
        let tree = match numbered {
            Ok(tree) => tree,
            Err(never) => match never {},
        };
        let clauses = condition.clauses();
        let clauses = clauses.iter().map(|clause| ClauseTally {
            needed: clause.needed as usize,
            distinct_by: clause.distinct_by,
            seen: HashSet::new(),
            events: Vec::new(),
        });
        let mut progress = Self {
            tree,
            clauses: clauses.collect(),
        };
        progress.put_before(counted);
        progress
    }

    /// Counts an event that one of the filters keeps, when it is another one.
    pub(crate) fn take(&mut self, clause: u32, event: &mut Occurrence<'_>) {
        let Some(tally) = self.clauses.get_mut(clause as usize) else {
            return;
        };
        if tally.is_full() {
            return;
        }
        if let Some(distinct) = event.distinct(tally.distinct_by) {
            tally.count(CountedEvent {
                clause,
                by: event.by,
                distinct,
            });
        }
    }

    /// Returns true when one of the filters needs no further event.
    pub(crate) fn is_full(&self, clause: u32) -> bool {
        let tally = self.clauses.get(clause as usize);
        tally.is_none_or(ClauseTally::is_full)
    }

    /// Returns true when the condition holds.
    pub(crate) fn holds(&self) -> bool {
        self.part_holds(&self.tree)
    }

    fn part_holds(&self, part: &Condition<usize>) -> bool {
        match part {
            Condition::Filter(clause) | Condition::Count(Count { filter: clause, .. }) => {
                self.clauses.get(*clause).is_some_and(ClauseTally::is_full)
            }
            Condition::AnyOf(parts) => parts.iter().any(|part| self.part_holds(part)),
            Condition::AllOf(parts) => parts.iter().all(|part| self.part_holds(part)),
        }
    }

    /// Returns the events by which the condition holds, in order and each once.
    pub(crate) fn matches(&self) -> Vec<WakeTriggeredBy> {
        let mut matches = Vec::new();
        self.collect(&self.tree, &mut matches);
        matches.sort_unstable_by_key(|by| by.position);
        matches.dedup_by_key(|by| by.position);
        matches
    }

    fn collect(&self, part: &Condition<usize>, matches: &mut Vec<WakeTriggeredBy>) {
        if !self.part_holds(part) {
            return;
        }
        match part {
            Condition::Filter(clause) | Condition::Count(Count { filter: clause, .. }) => {
                let tally = self.clauses.get(*clause).into_iter();
                matches.extend(tally.flat_map(|tally| tally.events.iter().map(|event| event.by)));
            }
            Condition::AnyOf(parts) | Condition::AllOf(parts) => {
                for part in parts {
                    self.collect(part, matches);
                }
            }
        }
    }

    /// Takes in earlier events that count, as if they had come before the others: what came to hold
    /// with fewer of the others lets the rest of them not count.
    pub(crate) fn put_before(&mut self, earlier: &[CountedEvent]) {
        let mut later = Vec::new();
        for tally in &mut self.clauses {
            tally.seen.clear();
            later.append(&mut tally.events);
        }
        later.sort_by_key(|event| event.by.position);
        let at_once = later.chunk_by(|one, other| one.by.position == other.by.position);
        for events in std::iter::once(earlier).chain(at_once) {
            if self.holds() {
                return;
            }
            for event in events {
                self.count(event);
            }
        }
    }

    fn count(&mut self, event: &CountedEvent) {
        if let Some(tally) = self.clauses.get_mut(event.clause as usize) {
            tally.count(event.clone());
        }
    }

    /// Returns how many events count so far for each filter.
    pub(crate) fn counted_by_clause(&self) -> Vec<u32> {
        let counts = self.clauses.iter().map(|tally| tally.events.len());
        counts
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
            .collect()
    }

    /// Returns every event that counts so far, whether the condition holds or not.
    pub(crate) fn counted(self) -> Vec<CountedEvent> {
        let clauses = self.clauses.into_iter();
        clauses.flat_map(|tally| tally.events).collect()
    }
}

impl ClauseTally {
    fn is_full(&self) -> bool {
        self.events.len() >= self.needed
    }

    fn count(&mut self, event: CountedEvent) {
        if !self.is_full() && self.seen.insert(event.distinct) {
            self.events.push(event);
        }
    }
}

/// An event as conditions count it.
#[derive(Debug)]
pub(crate) struct Occurrence<'a> {
    envelope: &'a Envelope,
    by: WakeTriggeredBy,
    /// The thing that may have to be another one, as far as it is known, in the order of
    /// [`DistinctBy::ALL`].
    known: [KnownThing; DistinctBy::ALL.len()],
}

/// The knowledge of a thing that may have to be another one.
#[derive(Clone, Copy, Debug)]
enum KnownThing {
    /// It was not worked out so far.
    NotYet,
    /// The event has no such thing.
    Nothing,
    /// The event has this thing.
    Thing(DistinctHash),
}

impl<'a> Occurrence<'a> {
    pub(crate) fn new(envelope: &'a Envelope, by: WakeTriggeredBy) -> Self {
        let known = [KnownThing::NotYet; DistinctBy::ALL.len()];
        Self {
            envelope,
            by,
            known,
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.by.position
    }

    /// Returns what stands for the thing that has to be another one; nothing when the event has none.
    /// It is worked out once, however many filters ask.
    pub(crate) fn distinct(&mut self, by: DistinctBy) -> Option<DistinctHash> {
        match self.known.get(by as usize) {
            Some(KnownThing::Thing(thing)) => Some(*thing),
            Some(KnownThing::Nothing) => None,
            Some(KnownThing::NotYet) | None => {
                let thing = distinct(by, self.envelope, self.by);
                if let Some(known) = self.known.get_mut(by as usize) {
                    *known = thing.map_or(KnownThing::Nothing, KnownThing::Thing);
                }
                thing
            }
        }
    }
}

/// Returns what stands for the thing that has to be another one; nothing when the event has none.
fn distinct(by: DistinctBy, envelope: &Envelope, event: WakeTriggeredBy) -> Option<DistinctHash> {
    let identity = &envelope.identity;
    let run = || identity.run.as_ref().map(heronry_types::RunId::as_str);
    let encoded = match by {
        DistinctBy::Event => minicbor::to_vec((0_u8, event.position)),
        // A message's id is its own among those of its sender.
        DistinctBy::Message => {
            let message = envelope.exchange.message.as_ref()?;
            minicbor::to_vec((1_u8, run(), message.as_str()))
        }
        DistinctBy::Run => minicbor::to_vec((2_u8, run()?)),
        DistinctBy::Subject => {
            let subject = &envelope.about.subject;
            minicbor::to_vec((3_u8, subject.kind, subject.id.as_str()))
        }
    };
    // Encoding into a buffer cannot fail: it grows, and no codec here refuses a value.
    let bytes = encoded.unwrap_or_default();
    let mut half = [0; 16];
    half.copy_from_slice(blake3::hash(&bytes).as_bytes().split_at(16).0);
    Some(DistinctHash(half))
}
