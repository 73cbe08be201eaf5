//! The file `mark`: how the store was left.
//!
//! A checksum (4 bytes), a kind (1) and a payload. While the store is open the payload is a
//! segment of sled's log, below which everything lasts. That is written without a sync: a mark
//! that is older, or none, only means more work, and a restart of the machine, after which the
//! mark may be lost, ends what the work is for. When the store is closed in order, the payload is
//! a summary of what it holds: sled takes a log that lost its end for one that was not written to
//! its end.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use heronry_store::embedded::{CHECKSUM_BYTES, files::private, seal, unseal};

use crate::log::Sequence;

const KEY: &[u8] = b"mark";
const OPEN: u8 = 1;
const CLOSED: u8 = 2;

/// How the store was left.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// It is in use, or its process ended before it was closed. What the log holds below this
    /// segment lasts.
    Open(Sequence),
    /// It was closed, and holds what this summary says.
    Closed(Vec<u8>),
}

/// The file.
#[derive(Debug)]
pub(crate) struct MarkFile {
    file: File,
}

impl MarkFile {
    /// Opens the file, and makes it when it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = private(OpenOptions::new().read(true).write(true).create(true))
            .truncate(false)
            .open(path)?;
        Ok(Self { file })
    }

    /// Returns what the file says; nothing when it was lost or is damaged.
    pub(crate) fn read(&self) -> io::Result<Option<Mark>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(decode(&bytes))
    }

    /// Writes the mark. The caller syncs it where that matters.
    pub(crate) fn write(&self, mark: &Mark) -> io::Result<()> {
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

fn encode(mark: &Mark) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    match mark {
        Mark::Open(Sequence(number)) => {
            row.push(OPEN);
            row.extend_from_slice(&number.to_be_bytes());
        }
        Mark::Closed(summary) => {
            row.push(CLOSED);
            row.extend_from_slice(summary);
        }
    }
    seal(KEY, row)
}

fn decode(bytes: &[u8]) -> Option<Mark> {
    match unseal(KEY, bytes)?.split_first()? {
        (&OPEN, number) => {
            let number = number.try_into().ok().map(u64::from_be_bytes)?;
            Some(Mark::Open(Sequence(number)))
        }
        (&CLOSED, summary) => Some(Mark::Closed(summary.to_vec())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_damage_is_no_mark() {
        let place = tempfile::tempdir().unwrap();
        let file = MarkFile::open(&place.path().join("mark")).unwrap();
        assert_eq!(file.read().unwrap(), None);
        for mark in [Mark::Closed(vec![7; 300]), Mark::Open(Sequence(9))] {
            file.write(&mark).unwrap();
            assert_eq!(file.read().unwrap(), Some(mark.clone()));
            let bytes = encode(&mark);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(&flipped), None, "bit {bit}");
            }
        }
    }
}
