//! Writing the records of one commit as chained chunks.

use heronry_types::{Epoch, Position, Timestamp};

use super::{Chunk, ChunkHash, ChunkHeader, ChunkKind, layout};
use crate::{Body, Entry, codec};

/// Returns the length of an encoded record in bytes, without its checksum.
pub fn encoded_len(entry: &Entry) -> usize {
    codec::len(entry)
}

/// Checks that a record fits into a chunk of its own.
///
/// # Errors
/// [`TooLarge`] with the length and the limit.
pub fn fits(entry: &Entry) -> Result<(), TooLarge> {
    check_len(encoded_len(entry))
}

fn check_len(actual: usize) -> Result<(), TooLarge> {
    let max = layout::RECORD_BYTES_MAX;
    if actual > max {
        Err(TooLarge { actual, max })
    } else {
        Ok(())
    }
}

/// Returns a length or a count within a chunk as it stands on disk.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a chunk is at most CHUNK_BYTES_MAX long, which the assertion states"
)]
fn within_chunk(number: usize) -> u32 {
    assert!(number <= layout::CHUNK_BYTES_MAX, "a chunk is bounded");
    number as u32
}

/// A record that does not fit into one chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the record would have {actual} bytes, and a record has at most {max}; send less")]
#[non_exhaustive]
pub struct TooLarge {
    /// The length of the encoded record in bytes.
    pub actual: usize,
    /// The largest length in bytes.
    pub max: usize,
}

/// Encodes the records of one commit into chunks of at most
/// [`CHUNK_BYTES_MAX`](super::CHUNK_BYTES_MAX) bytes, chained to the journal's last chunk.
///
/// A record that starts a timeline begins a new chunk, and that chunk and those after it are of
/// the new epoch.
#[derive(Debug)]
pub struct ChunkWriter {
    /// The header of the chunk that is being filled; its count is `ends.len()`.
    open: ChunkHeader,
    /// Checksums and bytes of the records of the open chunk.
    records: Vec<u8>,
    /// The end of each of these records, in bytes.
    ends: Vec<u32>,
    sealed: Vec<Chunk>,
    sealed_len: usize,
    sealed_bytes: usize,
}

impl ChunkWriter {
    /// Returns a writer whose first record follows `head`, which ends in the chunk with hash `previous`.
    pub fn new(epoch: Epoch, head: Position, previous: ChunkHash, recorded_at: Timestamp) -> Self {
        Self {
            open: ChunkHeader {
                epoch,
                first: head.next(),
                count: 0,
                recorded_at,
                previous,
            },
            records: Vec::new(),
            ends: Vec::new(),
            sealed: Vec::new(),
            sealed_len: 0,
            sealed_bytes: 0,
        }
    }

    /// Adds a record, and returns the position that it gets.
    ///
    /// # Errors
    /// [`TooLarge`] when the record does not fit into a chunk of its own; nothing changes.
    pub fn push(&mut self, entry: &Entry) -> Result<Position, TooLarge> {
        if let Body::EpochStarted(started) = &entry.body {
            self.start(started.epoch);
        }
        let begin = self.begin_record();
        codec::encode(entry, &mut self.records);
        self.end_record(begin)
    }

    /// Adds a record as the bytes that some build encoded it to, and returns the position that it
    /// gets. The writer takes them as they are, and stays with its epoch.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<Position, TooLarge> {
        let begin = self.begin_record();
        self.records.extend_from_slice(bytes);
        self.end_record(begin)
    }

    /// Leaves room for a record's checksum, and returns where that is.
    fn begin_record(&mut self) -> usize {
        let begin = self.records.len();
        self.records.extend_from_slice(&[0; layout::CHECKSUM]);
        begin
    }

    fn end_record(&mut self, begin: usize) -> Result<Position, TooLarge> {
        if let Err(error) = check_len(self.records.len() - begin - layout::CHECKSUM) {
            self.records.truncate(begin);
            return Err(error);
        }
        let position = self.next();
        self.set_checksum(begin, position);
        let length = layout::chunk_len(self.ends.len() + 1, self.records.len());
        if length > layout::CHUNK_BYTES_MAX {
            self.seal(begin);
        }
        self.ends.push(within_chunk(self.records.len()));
        Ok(position)
    }

    /// Returns true when no record was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of records that were added.
    pub fn len(&self) -> usize {
        self.sealed_len + self.ends.len()
    }

    /// Returns the size of all chunks together in bytes, headers included.
    pub fn bytes(&self) -> usize {
        let open = match self.ends.len() {
            0 => 0,
            count => layout::chunk_len(count, self.records.len()),
        };
        self.sealed_bytes + open
    }

    /// Returns the chunks, each chained to the one before; none when no record was added.
    pub fn finish(mut self) -> Vec<Chunk> {
        if !self.ends.is_empty() {
            self.seal(self.records.len());
        }
        self.sealed
    }

    /// Goes on in a chunk of another epoch.
    fn start(&mut self, epoch: Epoch) {
        if !self.ends.is_empty() {
            self.seal(self.records.len());
        }
        self.open.epoch = epoch;
    }

    fn next(&self) -> Position {
        self.open.first.plus(self.ends.len() as u64)
    }

    fn set_checksum(&mut self, begin: usize, position: Position) {
        let place = self.records.get_mut(begin..).unwrap_or_default();
        if let Some((checksum, bytes)) = place.split_first_chunk_mut() {
            *checksum = layout::record_checksum(self.open.epoch, position, bytes).to_le_bytes();
        }
    }

    /// Closes the open chunk before `begin`; what stands from there on begins the next one.
    fn seal(&mut self, begin: usize) {
        let next = self.next();
        let header = ChunkHeader {
            count: within_chunk(self.ends.len()),
            ..self.open
        };
        let records = self.records.get(..begin).unwrap_or_default();
        let bytes = layout::write(ChunkKind::Records, &header, &self.ends, records);
        let hash = ChunkHash::of(header.previous, &bytes);
        self.sealed_len += self.ends.len();
        self.sealed_bytes += bytes.len();
        self.sealed.push(Chunk {
            header,
            hash,
            bytes: bytes.into(),
        });
        self.open.first = next;
        self.open.previous = hash;
        self.ends.clear();
        self.records.drain(..begin);
    }
}
