//! The bytes of a mark: a header, one entry for each pool and for each later change, and zeros where
//! later ones have room.

use std::collections::BTreeMap;

use heronry_journal::ChunkHash;
use heronry_store::Checkpoint;
use heronry_types::{Epoch, PoolId, Position};

/// The first bytes: magic and version.
const HEADER: [u8; 8] = *b"HRNM\x01\0\0\0";

/// Length in bytes of an entry without the name of its pool: length, epoch, position, hash, checksum.
const ENTRY_BYTES: usize = 2 + 16 + 8 + 32 + 4;

/// The heads of the pools of a store, as a mark says them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Marks {
    pools: BTreeMap<PoolId, Checkpoint>,
}

/// The head of one pool, as a mark says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MarkedHead<'a> {
    /// The pool.
    pub pool: &'a PoolId,
    /// The head of the pool.
    pub at: Checkpoint,
}

impl Marks {
    /// Returns the head of a pool; nothing when the mark does not name it.
    pub fn of(&self, pool: &PoolId) -> Option<Checkpoint> {
        self.pools.get(pool).copied()
    }

    /// Walks the heads, sorted by pool.
    pub fn iter(&self) -> impl Iterator<Item = MarkedHead<'_>> {
        let heads = self.pools.iter();
        heads.map(|(pool, at)| MarkedHead { pool, at: *at })
    }

    /// Sets the head of a pool.
    pub fn set(&mut self, pool: PoolId, at: Checkpoint) {
        self.pools.insert(pool, at);
    }

    /// Sets the head of a pool that is named already; returns false when it is not.
    pub(super) fn moved(&mut self, pool: &PoolId, at: Checkpoint) -> bool {
        let known = self.pools.get_mut(pool);
        known.map(|known| *known = at).is_some()
    }

    /// Takes a pool out; returns false when it was not named.
    pub(super) fn remove(&mut self, pool: &PoolId) -> bool {
        self.pools.remove(pool).is_some()
    }

    /// Returns a whole mark as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for MarkedHead { pool, at } in self.iter() {
            push_entry(&mut bytes, pool, at);
        }
        bytes
    }

    /// Reads a mark as far as it is whole: an entry counts for more than an earlier one of its pool, and
    /// nothing behind a torn one counts. What is no mark, or one of a newer version, names no pool.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut marks = Self::default();
        let Some(mut rest) = bytes.strip_prefix(&HEADER) else {
            return marks;
        };
        while let Some((pool, at, after)) = take_entry(rest) {
            marks.set(pool, at);
            rest = after;
        }
        marks
    }
}

/// Adds the entry of a pool.
pub(super) fn push_entry(bytes: &mut Vec<u8>, pool: &PoolId, at: Checkpoint) {
    let from = bytes.len();
    // An id has 512 bytes at the most.
    let length = u16::try_from(pool.as_str().len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(pool.as_str().as_bytes());
    bytes.extend_from_slice(&at.epoch.0);
    bytes.extend_from_slice(&at.position.0.to_le_bytes());
    bytes.extend_from_slice(&at.hash.0);
    let checksum = crc32c::crc32c(bytes.get(from..).unwrap_or_default());
    bytes.extend_from_slice(&checksum.to_le_bytes());
}

/// Takes the first entry; nothing when it is not whole.
fn take_entry(bytes: &[u8]) -> Option<(PoolId, Checkpoint, &[u8])> {
    let (length, _) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (entry, after) = bytes.split_at_checked(length + ENTRY_BYTES)?;
    let (covered, checksum) = entry.split_last_chunk()?;
    if u32::from_le_bytes(*checksum) != crc32c::crc32c(covered) {
        return None;
    }
    let (name, rest) = covered.get(2..)?.split_at_checked(length)?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (position, hash) = rest.split_first_chunk()?;
    let at = Checkpoint {
        epoch: Epoch(*epoch),
        position: Position(u64::from_le_bytes(*position)),
        hash: ChunkHash(hash.try_into().ok()?),
    };
    let pool = PoolId::parse(str::from_utf8(name).ok()?).ok()?;
    Some((pool, at, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Checkpoint {
        Checkpoint {
            epoch: Epoch([0xe7; 16]),
            position: Position(position),
            hash: ChunkHash([0x5a; 32]),
        }
    }

    fn pool(name: &str) -> PoolId {
        PoolId::parse(name).unwrap()
    }

    fn two() -> Marks {
        let mut marks = Marks::default();
        marks.set(pool("review.1"), at(22));
        marks.set(pool("täglich"), at(u64::MAX));
        marks
    }

    #[test]
    fn the_bytes_of_a_mark_stay_what_they_are() {
        let golden = include_bytes!("../../golden/two-pools.mark");
        assert_eq!(two().encode(), golden);
        assert_eq!(Marks::decode(golden), two());
    }

    #[test]
    fn a_later_entry_of_a_pool_counts_for_more() {
        let mut bytes = two().encode();
        push_entry(&mut bytes, &pool("review.1"), at(23));
        assert_eq!(Marks::decode(&bytes).of(&pool("review.1")), Some(at(23)));
    }

    #[test]
    fn zeros_behind_the_entries_are_room_for_more() {
        let mut bytes = two().encode();
        let end = bytes.len();
        bytes.resize(end + 300, 0);
        assert_eq!(Marks::decode(&bytes), two());
        let mut entry = Vec::new();
        push_entry(&mut entry, &pool("review.1"), at(23));
        bytes[end..end + entry.len()].copy_from_slice(&entry);
        assert_eq!(Marks::decode(&bytes).of(&pool("review.1")), Some(at(23)));
    }

    #[test]
    fn a_mark_that_is_cut_or_flipped_says_less_and_never_another_thing() {
        let whole = two();
        let bytes = whole.encode();
        let check = |damaged: &[u8], what: &dyn std::fmt::Display| {
            let read = Marks::decode(damaged);
            assert!(
                read.iter().all(|head| whole.of(head.pool) == Some(head.at)),
                "{what}: {read:?}"
            );
        };
        for cut in 0..bytes.len() {
            check(&bytes[..cut], &format_args!("cut at {cut}"));
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(&flipped, &format_args!("bit {bit}"));
        }
    }

    #[test]
    fn a_mark_of_a_newer_version_names_no_pool() {
        let mut bytes = two().encode();
        bytes[4] = 2;
        assert_eq!(Marks::decode(&bytes), Marks::default());
        assert_eq!(Marks::decode(b""), Marks::default());
    }
}
