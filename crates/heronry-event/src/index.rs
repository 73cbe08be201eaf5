//! Many filters at once: which of them keep an event.

use std::{collections::BTreeMap, fmt};

use crate::{Envelope, Filter};

/// Which of many filters keep an event.
///
/// At present it asks each filter in turn, so a match costs as much as all filters together.
#[derive(Clone)]
pub struct FilterIndex<K> {
    filters: BTreeMap<K, Filter>,
}

impl<K: Copy + Ord> FilterIndex<K> {
    /// Returns an index without filters.
    pub fn new() -> Self {
        Self {
            filters: BTreeMap::new(),
        }
    }

    /// Puts a filter in under a key, and returns the one that stood there before.
    pub fn insert(&mut self, key: K, filter: Filter) -> Option<Filter> {
        self.filters.insert(key, filter)
    }

    /// Takes the filter of a key out.
    pub fn remove(&mut self, key: K) -> Option<Filter> {
        self.filters.remove(&key)
    }

    /// Returns the filter of a key.
    pub fn get(&self, key: K) -> Option<&Filter> {
        self.filters.get(&key)
    }

    /// Adds the keys of all filters that keep an event with this envelope to `found`, in order.
    pub fn matches(&self, envelope: &Envelope, found: &mut Vec<K>) {
        let keeps = |entry: &(&K, &Filter)| entry.1.matches(envelope);
        found.extend(self.filters.iter().filter(keeps).map(|(key, _)| *key));
    }

    /// Returns how many filters there are.
    pub fn len(&self) -> usize {
        self.filters.len()
    }

    /// Returns true when there are none.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }
}

impl<K: Copy + Ord> Default for FilterIndex<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for FilterIndex<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterIndex({} filters)", self.filters.len())
    }
}
