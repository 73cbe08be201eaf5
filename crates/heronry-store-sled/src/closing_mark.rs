//! The file `mark`: the state in which the store was left.
//!
//! A checksum (4 bytes), a kind (1) and a payload. While the store is open the payload is a place
//! in sled's log, below which everything lasts. That is written after every sync, and without one: a
//! mark that is older, or none, only means more work and less to tell damage by, and a restart of the
//! machine, after which the mark may be lost, ends what the work is for. When the store is closed in
//! order, the payload is the end of the log, and a summary of what the store holds: sled takes a log
//! that lost its end for one that was not written to its end.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

use heronry_store_embedded::{CHECKSUM_BYTES, files::private, seal, unseal};

use crate::log::Sequence;

const KEY: &[u8] = b"mark";
const OPEN: u8 = 1;
/// Closed by a build that did not write down the end of the log.
const CLOSED_SOMEWHERE: u8 = 2;
const CLOSED: u8 = 3;

/// The state in which the store was left.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ClosingMark {
    /// The store is in use, or its process ended before the store was closed. The log lasts below
    /// this place.
    Open(Sequence),
    /// The store was closed, and holds what the summary says; its log ends at this place.
    Closed {
        end: Option<Sequence>,
        summary: Vec<u8>,
    },
}

impl ClosingMark {
    /// Returns the place up to which the log lasts.
    pub(crate) fn lasting(&self) -> Option<i64> {
        let place = match self {
            Self::Open(place) => Some(place),
            Self::Closed { end, .. } => end.as_ref(),
        };
        place.and_then(|Sequence(number)| i64::try_from(*number).ok())
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct ClosingMarkFile {
    file: File,
}

impl ClosingMarkFile {
    /// Opens the file, and makes it when it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = private(OpenOptions::new().read(true).write(true).create(true))
            .truncate(false)
            .open(path)?;
        Ok(Self { file })
    }

    /// Returns what the file says; nothing when it is missing or damaged.
    pub(crate) fn read(path: &Path) -> io::Result<Option<ClosingMark>> {
        match fs::read(path) {
            Ok(bytes) => Ok(decode(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the mark. The caller syncs it where that matters.
    pub(crate) fn write(&self, mark: &ClosingMark) -> io::Result<()> {
        let bytes = encode(mark);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&bytes)?;
        // A crash before this leaves no mark, which is as good as an old one.
        file.set_len(bytes.len() as u64)
    }

    /// Makes the mark last.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn encode(mark: &ClosingMark) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    match mark {
        ClosingMark::Open(Sequence(number)) => {
            row.push(OPEN);
            row.extend_from_slice(&number.to_be_bytes());
        }
        ClosingMark::Closed { end, summary } => {
            row.push(end.map_or(CLOSED_SOMEWHERE, |_| CLOSED));
            row.extend(end.iter().flat_map(|end| end.0.to_be_bytes()));
            row.extend_from_slice(summary);
        }
    }
    seal(KEY, row)
}

fn decode(bytes: &[u8]) -> Option<ClosingMark> {
    match unseal(KEY, bytes)?.split_first()? {
        (&OPEN, number) => {
            let number = number.try_into().ok().map(u64::from_be_bytes)?;
            Some(ClosingMark::Open(Sequence(number)))
        }
        (&CLOSED_SOMEWHERE, summary) => Some(ClosingMark::Closed {
            end: None,
            summary: summary.to_vec(),
        }),
        (&CLOSED, rest) => {
            let (end, summary) = rest.split_first_chunk()?;
            Some(ClosingMark::Closed {
                end: Some(Sequence(u64::from_be_bytes(*end))),
                summary: summary.to_vec(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_damage_is_no_mark() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mark");
        assert_eq!(ClosingMarkFile::read(&path).unwrap(), None);
        let file = ClosingMarkFile::open(&path).unwrap();
        assert_eq!(ClosingMarkFile::read(&path).unwrap(), None);
        let closed = |end| ClosingMark::Closed {
            end,
            summary: vec![7; 300],
        };
        for mark in [
            closed(None),
            closed(Some(Sequence(5))),
            ClosingMark::Open(Sequence(9)),
        ] {
            file.write(&mark).unwrap();
            assert_eq!(ClosingMarkFile::read(&path).unwrap(), Some(mark.clone()));
            let bytes = encode(&mark);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(&flipped), None, "bit {bit}");
            }
        }
    }
}
