//! Many filters at once: which of them keep an event.

mod checks;
mod conditions;
mod features;
mod seen;
mod slots;
mod term;

use std::{
    fmt,
    hash::{BuildHasher, Hash},
};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::{Envelope, Filter, filter::Clause};
use checks::Checks;
use conditions::Conditions;
use features::{Features, Posting};
use seen::{Round, SeenFeatures};
use slots::Slots;
use term::{IndexTerm, TermId};

/// The limit below which the number of alternatives, features, checks or positions has to stay.
const SLOTS_MAX: u32 = 1 << 30;

/// An index of many filters, which finds those that keep an event.
///
/// Each alternative of a filter is found by its most selective set alone and then asked for the
/// rest, so an event costs what the filters cost that come near to keeping it. An alternative
/// without any set, one of ranges only or of things that must not be, is asked for every event.
///
/// The index keeps no filter, only what matching takes: texts that filters share are kept once, and
/// go when the last filter goes that names them.
#[derive(Clone)]
pub struct FilterIndex<K> {
    /// The first alternative of each key's filter.
    by_key: HashTable<TermId>,
    terms: Slots<IndexTerm<K>>,
    features: Features,
    checks: Checks,
    seen: SeenFeatures,
    hasher: DefaultHashBuilder,
}

impl<K: Copy + Ord + Hash> FilterIndex<K> {
    /// Returns an index without filters.
    pub fn new() -> Self {
        Self {
            by_key: HashTable::new(),
            terms: Slots::default(),
            features: Features::default(),
            checks: Checks::default(),
            seen: SeenFeatures::default(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Puts a filter in under a key; returns true when it took the place of another one.
    pub fn insert(&mut self, key: K, filter: &Filter) -> bool {
        let replaced = self.remove(key);
        let mut first = None;
        for alternative in filter.alternatives() {
            first = Some(self.insert_term(key, alternative, first));
        }
        // A filter that keeps nothing is found by none of no features, so never.
        let nothing = || vec![Clause::AnyOf(Vec::new())];
        let first = first.unwrap_or_else(|| self.insert_term(key, nothing(), None));
        let (hasher, terms) = (&self.hasher, &self.terms);
        let hash_of = |id: &TermId| terms.get(id.index()).map_or(0, |t| hasher.hash_one(t.key));
        self.by_key
            .insert_unique(hasher.hash_one(key), first, hash_of);
        replaced
    }

    fn insert_term(&mut self, key: K, clauses: Vec<Clause<'_>>, next: Option<TermId>) -> TermId {
        let conditions = Conditions::of(clauses, &mut self.features, &mut self.checks);
        self.seen.make_room(self.features.slots());
        let id = TermId::at(self.terms.vacant_key());
        let guard = conditions.guard();
        let positions = conditions.found_by().iter().map(|feature| {
            let posting = Posting { term: id, guard };
            self.features.post(*feature, posting)
        });
        let positions: Vec<u32> = positions.collect();
        self.terms
            .insert(IndexTerm::new(key, next, &conditions, &positions));
        id
    }

    /// Takes the filter of a key out; returns true when there was one.
    pub fn remove(&mut self, key: K) -> bool {
        let terms = &self.terms;
        let is_same = |id: &TermId| terms.get(id.index()).is_some_and(|term| term.key == key);
        let Ok(entry) = self.by_key.find_entry(self.hasher.hash_one(key), is_same) else {
            return false;
        };
        let mut next = Some(entry.remove().0);
        while let Some(id) = next {
            let term = self.terms.remove(id.index());
            next = term.as_ref().and_then(|term| term.next);
            if let Some(term) = term {
                self.forget(&term);
            }
        }
        true
    }

    /// Takes an alternative out of the lists that it was found by, and lets go of what it names.
    fn forget(&mut self, term: &IndexTerm<K>) {
        for (feature, position) in term.found_by() {
            let moved = self.features.unpost(feature, position);
            if let Some(moved) = moved.and_then(|id| self.terms.get_mut(id.index())) {
                moved.set_position(feature, position);
            }
        }
        term.release(&mut self.features, &mut self.checks);
    }

    /// Returns true when there is a filter under this key.
    pub fn contains(&self, key: K) -> bool {
        let is_same = |id: &TermId| {
            let term = self.terms.get(id.index());
            term.is_some_and(|term| term.key == key)
        };
        self.by_key
            .find(self.hasher.hash_one(key), is_same)
            .is_some()
    }

    /// Adds the keys of all filters that keep an event with this envelope to `found`, in order and
    /// each once. Touches no heap but that of `found`, and parses nothing.
    ///
    /// Returns the number of alternatives that it came upon, which measures the cost of the event.
    pub fn matches(&mut self, envelope: &Envelope, found: &mut Vec<K>) -> usize {
        if self.by_key.is_empty() {
            return 0;
        }
        if self.seen.look(&self.features, envelope) == Round::First {
            self.terms.iter_mut().for_each(IndexTerm::forget_round);
        }
        let (earlier, mut came_upon) = (found.len(), 0);
        let (seen, terms) = (&self.seen, &mut self.terms);
        for feature in seen.features() {
            let near = self.features.postings(*feature);
            came_upon += near.len();
            for posting in near.iter().filter(|posting| seen.may_pass(posting.guard)) {
                let term = terms.get_mut(posting.term.index());
                let look = |term: &mut IndexTerm<K>| term.look(seen, &self.checks, envelope);
                found.extend(term.and_then(look));
            }
        }
        sort_from(earlier, found);
        came_upon
    }

    /// Returns the number of filters.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Returns true when the index has no filter.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

/// Returns the number of a slot, which is small: each stands for something in memory.
fn slot(index: usize) -> u32 {
    let number = u32::try_from(index).ok();
    let number = number.filter(|number| *number < SLOTS_MAX);
    number.unwrap_or_else(|| panic!("an index of filters holds less than {SLOTS_MAX} of anything"))
}

/// Sorts the keys from an index on, and drops those that come again.
fn sort_from<K: Copy + Ord>(start: usize, keys: &mut Vec<K>) {
    let Some(tail) = keys.get_mut(start..) else {
        return;
    };
    tail.sort_unstable();
    let mut kept = 0_usize;
    for index in 0..tail.len() {
        let key = tail.get(index).copied();
        let before = kept.checked_sub(1).and_then(|last| tail.get(last).copied());
        if let (true, Some(slot), Some(key)) = (key != before, tail.get_mut(kept), key) {
            *slot = key;
            kept += 1;
        }
    }
    keys.truncate(start + kept);
}

impl<K: Copy + Ord + Hash> Default for FilterIndex<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for FilterIndex<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterIndex({} filters)", self.by_key.len())
    }
}
