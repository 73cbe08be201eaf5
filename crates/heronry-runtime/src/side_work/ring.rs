//! Keys that are served in rotation.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Values by key; the keys are served in rotation.
#[derive(Debug)]
pub(super) struct Ring<K, V> {
    /// Every key once; the first is served next.
    order: VecDeque<K>,
    by_key: HashMap<K, V>,
}

impl<K, V> Default for Ring<K, V> {
    fn default() -> Self {
        Self {
            order: VecDeque::new(),
            by_key: HashMap::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Default> Ring<K, V> {
    /// Returns the value of a key; a new key comes last.
    pub(super) fn entry(&mut self, key: &K) -> &mut V {
        if !self.by_key.contains_key(key) {
            self.order.push_back(key.clone());
        }
        self.by_key.entry(key.clone()).or_default()
    }

    /// Takes something of the value that is served next. What is empty then leaves the ring, and
    /// everything else goes to its end.
    pub(super) fn next<T>(
        &mut self,
        take: impl FnOnce(&mut V) -> Option<T>,
        is_empty: impl FnOnce(&V) -> bool,
    ) -> Option<T> {
        let key = self.order.pop_front()?;
        let value = self.by_key.get_mut(&key)?;
        let taken = take(value);
        if is_empty(value) {
            self.by_key.remove(&key);
        } else {
            self.order.push_back(key);
        }
        taken
    }

    /// Returns true when no key is left.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
