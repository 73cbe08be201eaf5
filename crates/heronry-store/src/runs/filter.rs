//! Filters: which hashes a run surely does not have.
//!
//! A Bloom filter in lines of 256 bytes. The line of a hash follows from its upper half, so the
//! lines fill in the order of the hashes while a run is written; the bits follow from its lower half.
//! Lines are kept in segments of one row each: checksum, layout (1 byte: 1), words (big-endian).

use std::{ops::Range, sync::Arc};

use super::SortHash;
use crate::checksum::{CHECKSUM_BYTES, seal, unseal};

const LAYOUT: u8 = 1;
/// Words of a line.
const LINE_WORDS: usize = 32;
/// The number of entries of a line: 15 bits for each.
const LINE_ENTRIES: u64 = 133;
/// Lines of a segment: a row that fills a page of 16 KiB.
const SEGMENT_LINES: u32 = 62;
/// The number of bits that a hash sets.
const PROBES: u32 = 8;
/// The bits of a hash that are asked for in each pass. Half of the hashes that a run does not have
/// are known from one bit, so each pass reads about the same number of words, in three passes.
const PASSES: [Range<u32>; 3] = [0..1, 1..3, 3..PROBES];

type Segment = Arc<[u64]>;

/// A filter of hashes that a run surely does not have. While the run is written, the last segments
/// are missing.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    lines: u32,
    segments: Vec<Segment>,
}

impl Filter {
    /// Returns a filter for this many entries at the most, which knows none.
    pub(super) fn for_entries(entries: u64) -> Self {
        let lines = entries.div_ceil(LINE_ENTRIES).max(1);
        Self {
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            segments: Vec::new(),
        }
    }

    /// Returns a filter whose segments were read.
    pub(super) fn from_segments(lines: u32, segments: Vec<Segment>) -> Self {
        Self { lines, segments }
    }

    pub(super) fn lines(&self) -> u32 {
        self.lines
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns false when no entry has this hash.
    #[cfg(test)]
    fn may_have(&self, hash: SortHash) -> bool {
        let mut left = vec![self];
        sieve(&mut left, |filter| (filter, hash));
        !left.is_empty()
    }

    /// Returns whether some of the bits of a hash are set, all of them read before it is known.
    fn has(&self, hash: SortHash, probes: Range<u32>) -> bool {
        let (segment, line) = place(hash, self.lines);
        let words = self.segments.get(segment as usize);
        let words = words.map_or(&[][..], |words| words);
        probes.fold(true, |has, probe| {
            let (word, mask) = word_of(line, bit(hash, probe));
            has & words.get(word).is_some_and(|word| word & mask != 0)
        })
    }
}

/// Keeps those whose filter may have their hash, in their order.
///
/// First bits of all of them, then the next: a bit is a miss of the cache as a rule, and nothing waits
/// for one before it asks for the others, as it would if each answer chose what is asked next.
pub(super) fn sieve<'a, T: Copy>(left: &mut Vec<T>, of: impl Fn(T) -> (&'a Filter, SortHash)) {
    for probes in PASSES {
        let mut kept = 0;
        for at in 0..left.len() {
            let Some(one) = left.get(at).copied() else {
                break;
            };
            let (filter, hash) = of(one);
            let has = filter.has(hash, probes.clone());
            if let Some(place) = left.get_mut(kept) {
                *place = one;
            }
            kept += usize::from(has);
        }
        left.truncate(kept);
        if left.is_empty() {
            return;
        }
    }
}

/// Returns the segment of a hash, and which line of the segment is its own.
fn place(hash: SortHash, lines: u32) -> (u32, u32) {
    let line = ((hash.0 >> 64) * u128::from(lines)) >> 64;
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    (line / SEGMENT_LINES, line % SEGMENT_LINES)
}

/// Returns one of the bits of a hash within its line.
fn bit(hash: SortHash, probe: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    let low = hash.0 as u64;
    let again = low.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    let from = if probe.is_multiple_of(2) { low } else { again };
    #[expect(clippy::cast_possible_truncation, reason = "eleven bits are meant")]
    let bit = (from >> (probe / 2 * 11)) as u32 & 0x7ff;
    bit
}

/// Returns the word of a bit within a segment, and its mask.
fn word_of(line: u32, bit: u32) -> (usize, u64) {
    let word = line as usize * LINE_WORDS + (bit / 64) as usize;
    (word, 1 << (bit % 64))
}

/// Fills a filter with hashes that come in order.
#[derive(Debug)]
pub(super) struct FilterWriter {
    lines: u32,
    segments: Vec<Segment>,
    /// The segment that is being filled, and its number.
    current: Vec<u64>,
    number: u32,
    /// The first segment that differs from what was there before.
    changed: u32,
}

impl FilterWriter {
    /// Goes on where a filter ended.
    pub(super) fn resume(filter: &Filter) -> Self {
        let mut segments = filter.segments.clone();
        let last = segments.pop();
        let number = u32::try_from(segments.len()).unwrap_or(u32::MAX);
        Self {
            lines: filter.lines,
            segments,
            current: last.map_or_else(empty, |segment| segment.to_vec()),
            number,
            changed: number,
        }
    }

    /// Takes in a hash at or above all before it.
    pub(super) fn add(&mut self, hash: SortHash) {
        let (segment, line) = place(hash, self.lines);
        while self.number < segment {
            let full = std::mem::replace(&mut self.current, empty());
            self.segments.push(full.into());
            self.number += 1;
        }
        for probe in 0..PROBES {
            let (word, mask) = word_of(line, bit(hash, probe));
            if let Some(word) = self.current.get_mut(word) {
                *word |= mask;
            }
        }
    }

    /// Returns the filter so far, and the number of its first segment that has changed.
    pub(super) fn finish(mut self) -> (Filter, u32) {
        self.segments.push(self.current.into());
        (
            Filter::from_segments(self.lines, self.segments),
            self.changed,
        )
    }
}

fn empty() -> Vec<u64> {
    vec![0; SEGMENT_LINES as usize * LINE_WORDS]
}

/// Returns the row of a segment.
pub(super) fn encode(key: &[u8], segment: &[u64]) -> Vec<u8> {
    let mut row = Vec::with_capacity(CHECKSUM_BYTES + 1 + segment.len() * 8);
    row.extend_from_slice(&[0; CHECKSUM_BYTES]);
    row.push(LAYOUT);
    for word in segment {
        row.extend_from_slice(&word.to_be_bytes());
    }
    seal(key, row)
}

/// Reads the row of a segment; nothing when it is damaged.
pub(super) fn decode(key: &[u8], row: &[u8]) -> Option<Segment> {
    let (layout, rest) = unseal(key, row)?.split_first()?;
    let (words, surplus) = rest.as_chunks();
    let is_whole = words.len() == SEGMENT_LINES as usize * LINE_WORDS && surplus.is_empty();
    (*layout == LAYOUT && is_whole)
        .then(|| words.iter().map(|word| u64::from_be_bytes(*word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> SortHash {
        let hash = blake3::hash(&number.to_be_bytes());
        SortHash::from_bytes(hash.as_bytes()[..16].try_into().unwrap())
    }

    fn filter_of(numbers: std::ops::Range<u64>) -> Filter {
        let mut hashes: Vec<_> = numbers.clone().map(hash).collect();
        hashes.sort();
        let mut filter = Filter::for_entries(numbers.end - numbers.start);
        // In three pieces, as a merge does it.
        for piece in hashes.chunks(hashes.len().div_ceil(3)) {
            let mut writer = FilterWriter::resume(&filter);
            for hash in piece {
                writer.add(*hash);
            }
            filter = writer.finish().0;
        }
        filter
    }

    #[test]
    fn what_was_added_may_be_there_and_of_a_thousand_others_hardly_one() {
        const ENTRIES: u64 = 100_000;
        let filter = filter_of(0..ENTRIES);
        assert!((0..ENTRIES).all(|number| filter.may_have(hash(number))));
        let others = ENTRIES..2 * ENTRIES;
        let wrong = others.filter(|number| filter.may_have(hash(*number)));
        let wrong = wrong.count();
        assert!(wrong < 200, "{wrong} of {ENTRIES}");
    }

    #[test]
    fn an_entry_costs_less_than_two_bytes_but_for_the_last_segment() {
        let filter = filter_of(0..100_000);
        let full = filter.segments.len() - 1;
        let bytes = full * SEGMENT_LINES as usize * LINE_WORDS * 8;
        assert!(bytes < 200_000, "{bytes}");
    }

    #[test]
    fn a_segment_is_read_back_and_its_damage_is_seen() {
        let filter = filter_of(0..10);
        let row = encode(b"k", &filter.segments[0]);
        assert_eq!(decode(b"k", &row), Some(Arc::clone(&filter.segments[0])));
        assert_eq!(decode(b"l", &row), None);
        for byte in 0..row.len() {
            let mut flipped = row.clone();
            flipped[byte] ^= 1 << (byte % 8);
            assert_eq!(decode(b"k", &flipped), None, "byte {byte}");
        }
        assert_eq!(decode(b"k", &row[..row.len() - 8]), None);
    }
}
