//! The hash of a key, in whose order keys lie.

use crate::KeyHash;

/// The bits of a key, without the highest: it stands for the end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct SortHash(pub(super) u128);

impl SortHash {
    /// Returns the hash of a key.
    pub(crate) fn of(key: KeyHash) -> Self {
        Self::from_bits(key.bits())
    }

    /// Reads a hash. The largest number is no hash: it stands for the end.
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_bits(u128::from_be_bytes(bytes))
    }

    fn from_bits(bits: u128) -> Self {
        Self(bits.min(u128::MAX - 1))
    }

    /// Returns the key of the hash.
    pub(super) fn key(self) -> KeyHash {
        KeyHash::from_bits(self.0)
    }

    /// Returns the hash that comes next; the end after the last.
    pub(super) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
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
    use crate::KeyName;

    #[test]
    fn a_hash_is_stable_and_tells_runs_kinds_and_names_apart() {
        let mut hashes = HashSet::new();
        for (run, name) in [("a", "bc"), ("ab", "c"), ("b", "c"), ("a", "c")] {
            let run = Id::parse(run).unwrap();
            let names = [
                KeyName::Key(Id::parse(name).unwrap()),
                KeyName::Message(Id::parse(name).unwrap()),
                KeyName::Wake(Id::parse(name).unwrap()),
            ];
            let keys = names.map(|name| KeyHash::new(&run, &name));
            hashes.extend(keys.map(|key| SortHash::of(key).0));
        }
        assert_eq!(hashes.len(), 12);
        let name = KeyName::Key(Id::parse("key-1").unwrap());
        let key = KeyHash::new(&Id::parse("run-1").unwrap(), &name);
        let whole = blake3::hash(b"\x01run-1\xffkey-1");
        assert_eq!(SortHash::of(key).to_bytes(), whole.as_bytes()[..16]);
    }
}
