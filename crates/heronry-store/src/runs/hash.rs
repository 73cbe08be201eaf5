//! The hash of a claim's key, in whose order claims lie.

use crate::{ClaimKey, ClaimName};

/// The first 16 bytes of a BLAKE3 hash over the kind of name, the run and the name.
///
/// Two keys that anybody could find do not share one, so the names themselves are not kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct ClaimHash(pub(super) u128);

impl ClaimHash {
    /// Returns the hash of a key.
    pub(crate) fn of(key: &ClaimKey) -> Self {
        let (kind, name) = match &key.name {
            ClaimName::Key(id) => (1, id.as_str()),
            ClaimName::Message(id) => (2, id.as_str()),
            ClaimName::Wake(id) => (3, id.as_str()),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[kind]);
        hasher.update(key.run.as_str().as_bytes());
        // No text has this byte.
        hasher.update(&[0xff]);
        hasher.update(name.as_bytes());
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            *hasher.finalize().as_bytes();
        Self::from_bytes(first)
    }

    /// Reads a hash. The largest number is no hash: it stands for the end.
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes).min(u128::MAX - 1))
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use heronry_types::Id;

    use super::*;

    #[test]
    fn a_hash_is_stable_and_tells_runs_kinds_and_names_apart() {
        let mut hashes = HashSet::new();
        for (run, name) in [("a", "bc"), ("ab", "c"), ("b", "c"), ("a", "c")] {
            let run = Id::parse(run).unwrap();
            let names = [
                ClaimName::Key(Id::parse(name).unwrap()),
                ClaimName::Message(Id::parse(name).unwrap()),
                ClaimName::Wake(Id::parse(name).unwrap()),
            ];
            let keys = names.map(|name| ClaimKey {
                run: run.clone(),
                name,
            });
            hashes.extend(keys.map(|key| ClaimHash::of(&key).0));
        }
        assert_eq!(hashes.len(), 12);
        let key = ClaimKey {
            run: Id::parse("run-1").unwrap(),
            name: ClaimName::Key(Id::parse("key-1").unwrap()),
        };
        let whole = blake3::hash(b"\x01run-1\xffkey-1");
        assert_eq!(ClaimHash::of(&key).to_bytes(), whole.as_bytes()[..16]);
    }
}
