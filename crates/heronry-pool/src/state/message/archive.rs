//! Messages that have left memory: where the journal has what happened to them.
//!
//! Of such a message some twenty bytes stay: the positions of its records, and a part of the reference
//! to its body. Everything else is folded again from those records when somebody asks.

use std::{collections::BTreeMap, ops::Range};

use heronry_types::{ContentRef, Position};
use minicbor::bytes::{ByteSlice, ByteVec};

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The number of positions that share a shelf: an offset in it is one byte.
const SHELF: u64 = 256;

/// The number of bodies that share a bucket, on average.
const BUCKET: usize = 32;

/// The bytes of a referrer.
const REFERRER_BYTES: usize = 10;

/// A finished message that is not in memory, and the records of everything that happened to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArchivedMessage {
    /// Its acceptance.
    pub accepted: Position,
    /// The records, in order; the first is the acceptance.
    pub records: Vec<Position>,
}

/// Messages that have left memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Archive {
    /// By the shelf of their acceptance; an entry is an offset, a length and that many bytes.
    shelves: BTreeMap<u64, Vec<u8>>,
    contents: Contents,
}

impl Archive {
    /// Adds a message, whose records rise and begin with its acceptance.
    pub(super) fn add(&mut self, past: &ArchivedMessage, content: ContentRef) {
        let ShelfPlace { shelf, offset } = ShelfPlace::of(past.accepted);
        let mut steps = Vec::with_capacity(16);
        let mut last = past.accepted;
        for position in past.records.iter().skip(1) {
            put_number(&mut steps, position.0 - last.0);
            last = *position;
        }
        let entries = self.shelves.entry(shelf).or_default();
        entries.push(offset);
        put_number(entries, steps.len() as u64);
        entries.extend_from_slice(&steps);
        self.contents.add(content, past.accepted);
    }

    /// Returns where the journal has a message, when it has left memory.
    pub(super) fn find(&self, accepted: Position) -> Option<ArchivedMessage> {
        let mut steps = self.steps(accepted)?;
        let mut records = vec![accepted];
        let mut last = accepted;
        while !steps.is_empty() {
            last = Position(last.0.checked_add(take_number(&mut steps)?)?);
            records.push(last);
        }
        Some(ArchivedMessage { accepted, records })
    }

    /// Returns true when a message has left memory.
    pub(super) fn holds(&self, accepted: Position) -> bool {
        self.steps(accepted).is_some()
    }

    /// Forgets a message whose records are gone.
    pub(super) fn remove(&mut self, accepted: Position) {
        let ShelfPlace { shelf, offset } = ShelfPlace::of(accepted);
        if let Some(entries) = self.shelves.get_mut(&shelf)
            && let Some(range) = range_of(entries, offset)
        {
            entries.drain(range);
        }
    }

    /// Forgets the messages that were accepted before this position: their records are gone.
    pub(super) fn forget_before(&mut self, floor: Position) {
        let ShelfPlace { shelf, .. } = ShelfPlace::of(floor);
        self.shelves = self.shelves.split_off(&shelf);
        if let Some(entries) = self.shelves.get_mut(&shelf) {
            let gone: Vec<u8> = offsets(entries)
                .filter(|offset| shelf * SHELF + u64::from(*offset) < floor.0)
                .collect();
            for offset in gone {
                if let Some(range) = range_of(entries, offset) {
                    entries.drain(range);
                }
            }
        }
        self.contents.keep(|accepted| accepted >= floor);
    }

    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self { shelves, contents } = self;
        to.list(2);
        to.each(shelves.iter(), |to, (shelf, entries)| {
            to.put((shelf, <&ByteSlice>::from(entries.as_slice())));
        });
        let mut referrers = Vec::with_capacity(contents.count * REFERRER_BYTES);
        let mut sorted: Vec<_> = contents.buckets.iter().flatten().collect();
        sorted.sort_unstable_by_key(|it| (it.accepted, it.part));
        for referrer in sorted {
            let Referrer { part, accepted } = referrer;
            referrers.extend_from_slice(part);
            referrers.extend_from_slice(accepted);
        }
        to.put(<&ByteSlice>::from(referrers.as_slice()));
    }

    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let mut archive = Self::default();
        from.list(2)?;
        let shelves: Vec<(u64, ByteVec)> = from.list_of(Decoding::take)?;
        for (shelf, entries) in shelves {
            let entries: Vec<u8> = entries.into();
            if !are_whole(&entries) {
                return Err(from.malformed("a shelf of the archive that is not whole"));
            }
            archive.shelves.insert(shelf, entries);
        }
        let referrers: ByteVec = from.take()?;
        let (referrers, rest) = referrers.as_chunks::<REFERRER_BYTES>();
        if !rest.is_empty() {
            return Err(from.malformed("a part of a message of the archive"));
        }
        for referrer in referrers {
            let [one, two, three, four, accepted @ ..] = *referrer;
            let part = [one, two, three, four];
            archive.contents.put(Referrer { part, accepted });
        }
        Ok(archive)
    }

    /// Walks the messages whose bodies may be this one: it is among them if it has left memory, and
    /// hardly ever another.
    pub(super) fn of_content(&self, content: ContentRef) -> impl Iterator<Item = Position> + '_ {
        self.contents.find(content)
    }

    /// Returns the steps after the acceptance, each as what it is farther than the one before.
    fn steps(&self, accepted: Position) -> Option<&[u8]> {
        let ShelfPlace { shelf, offset } = ShelfPlace::of(accepted);
        let entries = self.shelves.get(&shelf)?;
        let range = range_of(entries, offset)?;
        let mut entry = entries.get(range.start + 1..range.end)?;
        take_number(&mut entry)?;
        Some(entry)
    }
}

/// The place of a message in the archive: the number of its shelf, and its offset there.
struct ShelfPlace {
    shelf: u64,
    offset: u8,
}

impl ShelfPlace {
    fn of(accepted: Position) -> Self {
        let [offset, ..] = accepted.0.to_le_bytes();
        Self {
            shelf: accepted.0 / SHELF,
            offset,
        }
    }
}

/// Returns where the entry of an offset lies in a shelf.
fn range_of(entries: &[u8], offset: u8) -> Option<Range<usize>> {
    let mut rest = entries;
    while let Some((found, after)) = rest.split_first() {
        let from = entries.len() - rest.len();
        rest = after;
        let length = usize::try_from(take_number(&mut rest)?).ok()?;
        (_, rest) = rest.split_at_checked(length)?;
        if *found == offset {
            return Some(from..entries.len() - rest.len());
        }
    }
    None
}

/// Walks the offsets of the entries of a shelf.
fn offsets(entries: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let (offset, after) = rest.split_first()?;
        rest = after;
        let length = usize::try_from(take_number(&mut rest)?).ok()?;
        (_, rest) = rest.split_at_checked(length)?;
        Some(*offset)
    })
}

/// Returns true when a shelf is nothing but entries.
fn are_whole(entries: &[u8]) -> bool {
    let mut rest = entries;
    while let Some((_, after)) = rest.split_first() {
        rest = after;
        let length = take_number(&mut rest).and_then(|it| usize::try_from(it).ok());
        let Some((_, after)) = length.and_then(|it| rest.split_at_checked(it)) else {
            return false;
        };
        rest = after;
    }
    true
}

/// Writes a number, seven bits a byte, the lowest first.
fn put_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push((number & 0x7f) as u8);
}

fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A part of a reference, and the acceptance of a message that refers to it.
#[derive(Clone, Copy, Debug)]
struct Referrer {
    part: [u8; 4],
    accepted: [u8; 6],
}

impl Referrer {
    fn part(&self) -> u32 {
        u32::from_le_bytes(self.part)
    }

    fn accepted(&self) -> Position {
        let bytes = self.accepted.iter();
        Position(bytes.fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }
}

/// The messages that refer to each body: four bytes of the reference, six of the position.
///
/// One bucket more for every [`BUCKET`] entries, split off another one: no growth moves them all.
#[derive(Clone, Debug, Default)]
struct Contents {
    buckets: Vec<Vec<Referrer>>,
    count: usize,
}

impl Contents {
    fn add(&mut self, content: ContentRef, accepted: Position) {
        let [_, _, accepted @ ..] = accepted.0.to_be_bytes();
        self.put(Referrer {
            part: part_of(content).to_le_bytes(),
            accepted,
        });
    }

    fn put(&mut self, referrer: Referrer) {
        if self.count >= self.buckets.len() * BUCKET {
            self.split();
        }
        let at = self.bucket_of(referrer.part());
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.push(referrer);
            self.count += 1;
        }
    }

    /// Forgets what refers from other messages than these.
    fn keep(&mut self, wanted: impl Fn(Position) -> bool) {
        for bucket in &mut self.buckets {
            let before = bucket.len();
            bucket.retain(|referrer| wanted(referrer.accepted()));
            self.count -= before - bucket.len();
        }
    }

    fn find(&self, content: ContentRef) -> impl Iterator<Item = Position> + '_ {
        let part = part_of(content);
        let bucket = self.buckets.get(self.bucket_of(part));
        let entries = bucket.into_iter().flatten();
        let found = entries.filter(move |entry| entry.part() == part);
        found.map(Referrer::accepted)
    }

    /// Returns the bucket of a part: by as many of its low bits as there are buckets for.
    fn bucket_of(&self, part: u32) -> usize {
        let count = self.buckets.len().max(1);
        let half = 1_usize << count.ilog2();
        let part = part as usize;
        let wide = part & (2 * half - 1);
        if wide < count {
            wide
        } else {
            part & (half - 1)
        }
    }

    /// Adds a bucket, which takes its entries from the one that shares its low bits.
    fn split(&mut self) {
        let count = self.buckets.len();
        self.buckets.push(Vec::new());
        if count == 0 {
            return;
        }
        let from = count - (1_usize << count.ilog2());
        let entries = self.buckets.get_mut(from).map(std::mem::take);
        for entry in entries.unwrap_or_default() {
            let at = self.bucket_of(entry.part());
            if let Some(bucket) = self.buckets.get_mut(at) {
                bucket.push(entry);
            }
        }
    }
}

/// References are drawn or derived under a secret, so that any part of them is as good as a hash.
fn part_of(content: ContentRef) -> u32 {
    let bits = content.bits();
    bits.first_chunk()
        .map_or(0, |part| u32::from_le_bytes(*part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(number: u32) -> ContentRef {
        let mut bits = [7; 16];
        let mixed = number.wrapping_mul(0x9e37_79b9);
        bits[..4].copy_from_slice(&mixed.to_le_bytes());
        ContentRef::from_bits(bits)
    }

    #[test]
    fn a_message_is_found_by_its_acceptance_and_its_body_however_many_there_are() {
        let mut archive = Archive::default();
        let past = |number: u64| ArchivedMessage {
            accepted: Position(3 * number + 1),
            records: [0, 1, 200 + number, 9_000 + 70_000 * (number % 7)]
                .map(|step| Position(3 * number + 1 + step))
                .to_vec(),
        };
        for number in (0..5_000).rev() {
            archive.add(&past(number), content(u32::try_from(number / 2).unwrap()));
        }
        for number in 0..5_000 {
            let past = past(number);
            assert_eq!(archive.find(past.accepted), Some(past.clone()));
            assert!(!archive.holds(past.accepted.next()));
            let of_content = archive.of_content(content(u32::try_from(number / 2).unwrap()));
            let found: Vec<_> = of_content.collect();
            assert!(found.contains(&past.accepted), "{past:?} in {found:?}");
            assert_eq!(found.len(), 2);
        }
        assert_eq!(archive.of_content(content(5_000)).count(), 0);
    }

    #[test]
    fn what_is_removed_is_gone_and_the_others_stay() {
        let mut archive = Archive::default();
        let past = |at: u64| ArchivedMessage {
            accepted: Position(at),
            records: vec![Position(at), Position(at + 1_000)],
        };
        for at in [3, 9, 12] {
            archive.add(&past(at), content(1));
        }
        archive.remove(Position(9));
        archive.remove(Position(10));
        let found = [3, 9, 12].map(|at| archive.find(Position(at)));
        assert_eq!(found, [Some(past(3)), None, Some(past(12))]);
    }

    #[test]
    fn a_message_of_one_record_and_one_of_very_many_are_kept() {
        let mut archive = Archive::default();
        let one = ArchivedMessage {
            accepted: Position(u64::from(u32::MAX)),
            records: vec![Position(u64::from(u32::MAX))],
        };
        let many = ArchivedMessage {
            accepted: Position(1),
            records: (0..4_096)
                .map(|step| Position(1 + step * 100_000))
                .collect(),
        };
        archive.add(&one, content(1));
        archive.add(&many, content(2));
        assert_eq!(archive.find(one.accepted), Some(one));
        assert_eq!(archive.find(many.accepted), Some(many));
    }
}
