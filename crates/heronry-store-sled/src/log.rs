//! sled's log in the file `db`, as far as it must be known to make it last, and to tell damage in it
//! from what a crash leaves.
//!
//! The log is a row of segments. Each begins with a checksum (4 bytes) and its log sequence number
//! (8 bytes, little-endian, exclusive-or with the largest one); that number is a multiple of the
//! segment size, and rises with every segment that is begun, wherever it lies in the file. Then
//! comes up to where the log was written when the segment was begun (8, in the same way), and then
//! messages.

pub(crate) mod damage;
pub(crate) mod message;
pub(crate) mod number;
pub(crate) mod pages;
pub(crate) mod recovery;
pub(crate) mod segment;
pub(crate) mod tip;
pub(crate) mod walk;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use crate::format::SEGMENT_BYTES;

/// A log sequence number.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Sequence(pub(crate) u64);

const NUMBER_AT: usize = 4;
const MASK: u64 = i64::MAX as u64;

/// Writes segments again as they stand, beginning with the one of this number, and those that are
/// none.
///
/// After a sync that failed, a page that is read may be one that never reached the disk; a sync
/// that comes later says nothing about it. Written again, it is the next sync's to keep.
pub(crate) fn write_again(db: &File, from: Sequence) -> io::Result<()> {
    let from = Sequence(from.0 / SEGMENT_BYTES as u64 * SEGMENT_BYTES as u64);
    let mut bytes = vec![0; SEGMENT_BYTES];
    for offset in offsets(db)? {
        if sequence_at(db, offset)?.is_some_and(|sequence| sequence < from) {
            continue;
        }
        let length = read_at(db, offset, &mut bytes)?;
        let mut file = db;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes.get(..length).unwrap_or_default())?;
    }
    Ok(())
}

fn offsets(db: &File) -> io::Result<impl Iterator<Item = u64>> {
    let length = db.metadata()?.len();
    Ok((0..length).step_by(SEGMENT_BYTES))
}

/// Returns the sequence number of the segment at an offset; nothing when none begins there.
fn sequence_at(db: &File, offset: u64) -> io::Result<Option<Sequence>> {
    let mut header = [0; NUMBER_AT + 8];
    if read_at(db, offset, &mut header)? < header.len() {
        return Ok(None);
    }
    let number = header.last_chunk().copied().map(u64::from_le_bytes);
    let number = number.map(|number| number ^ MASK);
    let is_plausible =
        |number: &u64| *number <= MASK && number.is_multiple_of(SEGMENT_BYTES as u64);
    Ok(number.filter(is_plausible).map(Sequence))
}

/// Reads as much as there is.
pub(crate) fn read_at(db: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut file = db;
    file.seek(SeekFrom::Start(offset))?;
    let mut length = 0;
    while let Some(rest) = out.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(bytes) => length += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: u64 = SEGMENT_BYTES as u64;

    fn log(segments: &[Option<u64>]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for segment in segments {
            let mut bytes = vec![7; SEGMENT_BYTES];
            bytes[4..12].fill(0);
            if let Some(number) = segment {
                bytes[4..12].copy_from_slice(&((number * SEGMENT) ^ MASK).to_le_bytes());
            }
            file.write_all(&bytes).unwrap();
        }
        file
    }

    #[test]
    fn writing_again_changes_nothing() {
        let mut file = log(&[Some(0), None, Some(1)]);
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(&[1; 100]).unwrap();
        let read = |file: &File| {
            let mut bytes = vec![0; 3 * SEGMENT_BYTES + 200];
            let length = read_at(file, 0, &mut bytes).unwrap();
            bytes.truncate(length);
            bytes
        };
        let before = read(&file);
        for from in [0, 1, 2] {
            write_again(&file, Sequence(from * SEGMENT)).unwrap();
            assert!(read(&file) == before, "from {from}");
        }
        assert_eq!(before.len(), 3 * SEGMENT_BYTES + 100);
    }

    #[test]
    fn only_what_began_later_is_written_again() {
        let place = tempfile::NamedTempFile::new().unwrap();
        let mut file = log(&[Some(3), Some(1)]);
        file.seek(SeekFrom::Start(0)).unwrap();
        io::copy(&mut file, &mut place.as_file()).unwrap();
        // Whoever writes to this one is refused.
        let file = File::open(place.path()).unwrap();
        write_again(&file, Sequence(4 * SEGMENT)).unwrap();
        write_again(&file, Sequence(4 * SEGMENT - 1)).unwrap_err();
        write_again(&file, Sequence(3 * SEGMENT)).unwrap_err();
        write_again(&file, Sequence(0)).unwrap_err();
    }
}
