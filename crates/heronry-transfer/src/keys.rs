//! Keys of trimmed records on their way: nothing else says which requests were decided there.

use heronry_store::{KEYED_ENTRY_BYTES, KeyHash, KeyedEntry, Store, stands_on};
use heronry_types::{Digest, PoolId, Position};
use serde::{Deserialize, Serialize};

use super::{TransferError, lines};

/// The most keys of one piece.
const PAGE_KEYS: usize = 1_000;

/// The handling of a trimmed pool whose store does not have the keys of trimmed records any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LostKeys {
    /// It is refused.
    Refused,
    /// It goes along, and those keys are free.
    Free,
}

/// Checks that a store has the keys of the records before a floor.
pub(super) async fn check_keys(
    store: &Store,
    pool: &PoolId,
    floor: Position,
) -> Result<(), TransferError> {
    let has_all = match store.keys.checkpoint(pool).await? {
        Some(at) => at.position.next() >= floor && stands_on(&*store.journal, pool, at).await?,
        None => false,
    };
    if has_all {
        return Ok(());
    }
    let pool = pool.clone();
    Err(TransferError::KeysLost { pool, floor })
}

/// The keys of the records before a floor, as they are read page by page.
#[derive(Debug)]
pub(super) struct TrimmedKeys {
    floor: Position,
    after: Option<KeyHash>,
    is_over: bool,
}

impl TrimmedKeys {
    /// Begins to read the keys of the records before a floor.
    pub(super) fn before(floor: Position) -> Self {
        Self {
            floor,
            after: None,
            is_over: floor == Position::ZERO.next(),
        }
    }

    /// Returns the next keys; nothing after the last.
    pub(super) async fn next(
        &mut self,
        store: &Store,
        pool: &PoolId,
    ) -> Result<Option<Vec<KeyedEntry>>, TransferError> {
        let mut found = Vec::new();
        while !self.is_over && found.len() < PAGE_KEYS {
            let page = store.keys.list(pool, self.after, PAGE_KEYS).await?;
            self.is_over = page.len() < PAGE_KEYS;
            self.after = page.last().map(|last| last.key).or(self.after);
            // Those of records that are kept are folded from the records.
            let trimmed = |keyed: &KeyedEntry| keyed.entry.first < self.floor;
            found.extend(page.into_iter().filter(trimmed));
        }
        Ok((!found.is_empty()).then_some(found))
    }
}

/// Keys of trimmed records: for each the bits of the key (16 bytes), the first position of what was decided
/// under it (8) and the hash of the request (16).
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysLine {
    pub(super) pool: PoolId,
    digest: Digest,
    keys_base64: String,
}

impl KeysLine {
    pub(super) fn of(pool: &PoolId, keys: &[KeyedEntry]) -> Self {
        let bytes: Vec<u8> = keys.iter().flat_map(|keyed| keyed.to_bytes()).collect();
        Self {
            pool: pool.clone(),
            digest: digest(&bytes),
            keys_base64: lines::base64(&bytes),
        }
    }

    /// Returns the keys, all of which have to be of records before a floor.
    pub(super) fn keys(&self, floor: Position) -> Result<Vec<KeyedEntry>, String> {
        let bytes = lines::read_base64(&self.keys_base64).ok_or("the keys are not base64")?;
        if digest(&bytes) != self.digest {
            return Err("the keys do not have their digest".to_owned());
        }
        let (entries, rest) = bytes.as_chunks::<KEYED_ENTRY_BYTES>();
        let keys: Vec<_> = entries.iter().filter_map(KeyedEntry::from_bytes).collect();
        if !rest.is_empty() || keys.is_empty() {
            return Err("the line does not hold whole keys".to_owned());
        }
        match keys.iter().find(|keyed| keyed.entry.first >= floor) {
            Some(keyed) => Err(format!(
                "a key is of position {}, and the records from {floor} on are here",
                keyed.entry.first
            )),
            None => Ok(keys),
        }
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

#[cfg(test)]
mod tests {
    use heronry_journal::RequestHash;
    use heronry_store::{KeyEntry, KeyName};
    use heronry_types::Id;

    use super::*;

    fn keyed(first: u64) -> KeyedEntry {
        let name = KeyName::Key(Id::parse(format!("key-{first}")).unwrap());
        let entry = KeyEntry {
            first: Position(first),
            request_hash: RequestHash([7; 16]),
        };
        KeyedEntry::new(KeyHash::new(&Id::parse("run").unwrap(), &name), entry)
    }

    #[test]
    fn keys_of_a_line_are_read_back_or_it_is_said_what_is_wrong() {
        let pool = PoolId::parse("p").unwrap();
        let keys = [keyed(3), keyed(9)];
        let line = KeysLine::of(&pool, &keys);
        assert_eq!(line.keys(Position(10)), Ok(keys.to_vec()));
        let kept = line.keys(Position(9)).unwrap_err();
        assert!(kept.contains("position 9"), "{kept}");
        for bit in 0..keys.len() * KEYED_ENTRY_BYTES * 8 {
            let mut bytes = lines::read_base64(&line.keys_base64).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let keys_base64 = lines::base64(&bytes);
            let flipped = KeysLine {
                pool: pool.clone(),
                digest: line.digest,
                keys_base64,
            };
            assert!(flipped.keys(Position(10)).is_err(), "bit {bit}");
        }
        for bytes in [&[][..], &keys[0].to_bytes()[..39]] {
            let cut = KeysLine {
                pool: pool.clone(),
                digest: digest(bytes),
                keys_base64: lines::base64(bytes),
            };
            assert!(cut.keys(Position(10)).is_err(), "{} bytes", bytes.len());
        }
    }
}
