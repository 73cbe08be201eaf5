//! The file `mark`: how the store was left.
//!
//! A checksum (4 bytes), a kind (1) and a payload (32). While the store is open the payload is a
//! segment of sled's log, below which everything lasts. That is written without a sync: a mark
//! that is older, or none, only means more work, and a restart of the machine, after which the
//! mark may be lost, ends what the work is for. When the store is closed in order, the payload is
//! a digest of what it holds: sled takes a log that lost its end for one that was not written to
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
const PAYLOAD_BYTES: usize = 32;

/// How the store was left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// It is in use, or its process ended before it was closed. What the log holds below this
    /// segment lasts.
    Open(Sequence),
    /// It was closed, and holds this.
    Closed(Digest),
}

/// The digest of what a store holds, as [`WriterPools::digest`](heronry_store::embedded::WriterPools::digest) says it.
pub(crate) type Digest = [u8; PAYLOAD_BYTES];

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
    pub(crate) fn write(&self, mark: Mark) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&encode(mark))
    }

    /// Makes the mark last.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn encode(mark: Mark) -> Vec<u8> {
    let (kind, payload) = match mark {
        Mark::Open(Sequence(number)) => {
            let mut payload = [0; PAYLOAD_BYTES];
            if let Some(place) = payload.first_chunk_mut() {
                *place = number.to_be_bytes();
            }
            (OPEN, payload)
        }
        Mark::Closed(digest) => (CLOSED, digest),
    };
    let mut row = vec![0; CHECKSUM_BYTES];
    row.push(kind);
    row.extend_from_slice(&payload);
    seal(KEY, row)
}

fn decode(bytes: &[u8]) -> Option<Mark> {
    let (kind, payload) = unseal(KEY, bytes)?.split_first()?;
    let payload: [u8; PAYLOAD_BYTES] = payload.try_into().ok()?;
    match *kind {
        OPEN => {
            let number = payload.first_chunk().copied()?;
            Some(Mark::Open(Sequence(u64::from_be_bytes(number))))
        }
        CLOSED => Some(Mark::Closed(payload)),
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
        for mark in [Mark::Closed([7; 32]), Mark::Open(Sequence(9))] {
            file.write(mark).unwrap();
            assert_eq!(file.read().unwrap(), Some(mark));
            let bytes = encode(mark);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(&flipped), None, "bit {bit}");
            }
        }
    }
}
