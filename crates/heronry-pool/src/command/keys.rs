//! The keys of earlier commands.

use heronry_store::{KeyEntry, KeyHash, KeyedEntry, KeyedMap};

/// The keys that are known when a command is decided: those that the store does not have yet, and those
/// that it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct KnownKeys<'a> {
    recent: [&'a KeyedMap<KeyHash, KeyEntry>; 2],
    found: &'a [KeyedEntry],
}

impl<'a> KnownKeys<'a> {
    /// Returns the keys of these maps, the newer one first, and those that the store was asked for.
    pub(crate) fn new(
        recent: [&'a KeyedMap<KeyHash, KeyEntry>; 2],
        found: &'a [KeyedEntry],
    ) -> Self {
        Self { recent, found }
    }

    /// Returns the entry under a key.
    pub fn get(&self, key: &KeyHash) -> Option<KeyEntry> {
        let recent = self.recent.iter().find_map(|keys| keys.get(key));
        let stored = || self.found.iter().find(|found| found.key == *key);
        recent
            .copied()
            .or_else(|| stored().map(|found| found.entry))
    }
}
