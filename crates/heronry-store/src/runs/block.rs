//! Blocks: rows of entries in the order of their hashes.
//!
//! A row: checksum, layout (1 byte: 1), the hash that the next block begins with (16), and for each
//! entry its bytes ([`KeyedEntry::to_bytes`]). Numbers are big-endian. The blocks of a
//! run tile all hashes: the first begins with 0, and behind the last one comes the end.

use super::{END, SortHash};
use crate::{
    KEYED_ENTRY_BYTES as ENTRY_BYTES, KeyEntry, KeyedEntry,
    checksum::{CHECKSUM_BYTES, seal, unseal},
};

const LAYOUT: u8 = 1;

/// One entry, under the hash of its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) hash: SortHash,
    pub(super) kept: KeyEntry,
}

/// Returns the row of a block.
pub(super) fn encode(key: &[u8], until: SortHash, entries: &[Entry]) -> Vec<u8> {
    let mut row = Vec::with_capacity(CHECKSUM_BYTES + 17 + entries.len() * ENTRY_BYTES);
    row.extend_from_slice(&[0; CHECKSUM_BYTES]);
    row.push(LAYOUT);
    row.extend_from_slice(&until.to_bytes());
    for Entry { hash, kept } in entries {
        row.extend_from_slice(&KeyedEntry::new(hash.key(), *kept).to_bytes());
    }
    seal(key, row)
}

/// A block that was read and checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// The hash that the next block begins with.
    pub(super) until: SortHash,
    entries: &'a [[u8; ENTRY_BYTES]],
}

impl<'a> Block<'a> {
    /// Reads a row; nothing when it is damaged or stands under another key.
    pub(super) fn decode(key: &[u8], row: &'a [u8]) -> Option<Self> {
        let (layout, rest) = unseal(key, row)?.split_first()?;
        let (until, rest) = rest.split_first_chunk()?;
        let until = match u128::from_be_bytes(*until) {
            u128::MAX => END,
            _ => SortHash::from_bytes(*until),
        };
        let (entries, surplus) = rest.as_chunks();
        (*layout == LAYOUT && surplus.is_empty()).then_some(Self { until, entries })
    }

    pub(super) fn len(self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(self, index: usize) -> Option<Entry> {
        self.entries.get(index).and_then(read)
    }

    /// Returns the index of the first entry at or above a hash.
    pub(super) fn seek(self, hash: SortHash) -> usize {
        self.entries
            .partition_point(|entry| hash_of(entry) < Some(hash))
    }

    /// Returns the entry under a hash.
    pub(super) fn find(self, hash: SortHash) -> Option<KeyEntry> {
        let entry = self.get(self.seek(hash))?;
        (entry.hash == hash).then_some(entry.kept)
    }
}

fn hash_of(entry: &[u8; ENTRY_BYTES]) -> Option<SortHash> {
    entry.first_chunk().copied().map(SortHash::from_bytes)
}

fn read(entry: &[u8; ENTRY_BYTES]) -> Option<Entry> {
    let KeyedEntry { key, entry } = KeyedEntry::from_bytes(entry)?;
    Some(Entry {
        hash: SortHash::of(key),
        kept: entry,
    })
}

#[cfg(test)]
mod tests {
    use heronry_journal::RequestHash;
    use heronry_types::Position;

    use super::*;

    fn entry(hash: u128) -> Entry {
        Entry {
            hash: SortHash(hash),
            kept: KeyEntry {
                first: Position(7),
                request_hash: RequestHash([9; 16]),
            },
        }
    }

    #[test]
    fn a_block_is_read_back_searched_and_its_damage_is_seen() {
        let entries = [entry(1), entry(5), entry(u128::MAX - 1)];
        let row = encode(b"k", END, &entries);
        let block = Block::decode(b"k", &row).unwrap();
        let found: Vec<_> = (0..4).filter_map(|index| block.get(index)).collect();
        assert_eq!(found, entries);
        assert_eq!(block.until, END);
        assert_eq!(block.find(SortHash(5)), Some(entry(5).kept));
        assert_eq!(block.find(SortHash(4)), None);
        assert_eq!(block.seek(SortHash(4)), 1);
        assert!(Block::decode(b"l", &row).is_none());
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Block::decode(b"k", &flipped).is_none(), "bit {bit}");
        }
        for cut in 0..row.len() {
            assert!(Block::decode(b"k", &row[..cut]).is_none(), "cut at {cut}");
        }
    }
}
