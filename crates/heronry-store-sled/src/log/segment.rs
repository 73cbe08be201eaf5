//! The segments of a log: the header of each, and its place.

use std::{collections::BTreeMap, fs::File, io};

use super::{number::sequence, offsets, read_at};
use crate::format::SEGMENT_BYTES;

/// Length of the header of a segment.
pub(crate) const HEADER_BYTES: usize = sled::SEG_HEADER_LEN;

/// The size of a segment, and of its header, as distances in the log.
pub(crate) const SEGMENT: i64 = SEGMENT_BYTES.cast_signed() as i64;
pub(crate) const HEADER: i64 = HEADER_BYTES.cast_signed() as i64;

/// The content of a segment's first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Front {
    /// A header: the place in the log where the segment begins, and the place up to which sled had
    /// written the log then.
    Header { begins: i64, stable: i64 },
    /// Zeros: the segment is free, or its header was not written yet.
    Empty,
    /// Something that is damaged.
    Damaged,
}

impl Front {
    pub(crate) fn read(bytes: &[u8; HEADER_BYTES]) -> Self {
        if *bytes == [0; HEADER_BYTES] {
            return Self::Empty;
        }
        let (checksum, mut rest) = bytes.split_at(4);
        let expected = (!crc32fast::hash(rest)).to_le_bytes();
        let numbers = sequence(&mut rest).zip(sequence(&mut rest));
        let numbers = numbers.map(|(begins, stable)| (begins ^ i64::MAX, stable ^ i64::MAX));
        match numbers {
            Some((begins, stable))
                if checksum == expected && begins >= 0 && begins % SEGMENT == 0 =>
            {
                Self::Header { begins, stable }
            }
            Some(_) | None => Self::Damaged,
        }
    }
}

/// The fronts of all segments, by their offset in the file.
#[derive(Debug, Default)]
pub(crate) struct Fronts(pub(crate) BTreeMap<u64, Front>);

impl Fronts {
    /// Reads the front of every segment; one that the end of the file cuts off is none.
    pub(crate) fn read(db: &File) -> io::Result<Self> {
        let mut fronts = BTreeMap::new();
        for offset in offsets(db)? {
            let mut bytes = [0; HEADER_BYTES];
            if read_at(db, offset, &mut bytes)? == bytes.len() {
                fronts.insert(offset, Front::read(&bytes));
            }
        }
        Ok(Self(fronts))
    }

    /// Returns where the segment lies that begins here.
    pub(crate) fn find(&self, sought: i64) -> Option<u64> {
        self.0.iter().find_map(|(offset, front)| match front {
            Front::Header { begins, .. } => (*begins == sought).then_some(*offset),
            Front::Empty | Front::Damaged => None,
        })
    }
}

/// Returns where in the log the segment begins that has this place.
pub(crate) fn segment_of(place: i64) -> i64 {
    place.div_euclid(SEGMENT) * SEGMENT
}

/// Returns how far this place is from the beginning of its segment.
pub(crate) fn within(place: i64) -> usize {
    usize::try_from(place.rem_euclid(SEGMENT)).unwrap_or_default()
}

/// Returns true when a message can begin at this place of a segment.
pub(crate) fn has_room(within: usize) -> bool {
    (HEADER_BYTES..=SEGMENT_BYTES - sled::MAX_MSG_HEADER_LEN).contains(&within)
}

/// Reads a segment as far as the file goes.
pub(crate) fn read_segment(db: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; SEGMENT_BYTES];
    let length = read_at(db, offset, &mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}
