//! The claims on names that earlier commands made.

use heronry_store::{ClaimEntry, ClaimKey, KeyedMap, NamedClaim};

/// The claims that are known when a command is decided: those that the claims store does not have yet, and those
/// that it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct KnownClaims<'a> {
    recent: [&'a KeyedMap<ClaimKey, ClaimEntry>; 2],
    found: &'a [NamedClaim],
}

impl<'a> KnownClaims<'a> {
    /// Returns the claims of these maps, the newer one first, and those that the claims store was asked for.
    pub(crate) fn new(
        recent: [&'a KeyedMap<ClaimKey, ClaimEntry>; 2],
        found: &'a [NamedClaim],
    ) -> Self {
        Self { recent, found }
    }

    /// Returns the claim on a name.
    pub fn get(&self, key: &ClaimKey) -> Option<ClaimEntry> {
        let recent = self.recent.iter().find_map(|claims| claims.get(key));
        let stored = || self.found.iter().find(|claim| claim.key == *key);
        recent
            .copied()
            .or_else(|| stored().map(|claim| claim.entry))
    }
}
