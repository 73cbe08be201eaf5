//! Chunks: the records of one append, framed, checksummed and chained.

mod baseline;
mod error;
pub(crate) mod layout;
mod records;
mod writer;

use std::{fmt, sync::Arc};

use heronry_types::{Epoch, Position, Timestamp};

use crate::{
    Body, Record, codec,
    hex::{Hex, deserialize_hex, serialize_hex},
};

pub use baseline::{Baseline, BaselineError, BaselinePoint};
pub use error::{ChunkError, HeaderField};
pub use layout::{CHUNK_BYTES_MAX, ChunkKind, FORMAT_VERSION, RECORD_BYTES_MAX};
pub use records::Records;
pub use writer::{ChunkWriter, TooLarge, encoded_len, fits};

/// The hash of a chunk: BLAKE3 over the previous chunk's hash and the chunk's bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ChunkHash(pub [u8; 32]);

impl ChunkHash {
    /// The hash in the place of the previous one, before the first chunk.
    pub const START: Self = Self([0; 32]);

    fn of(previous: Self, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&previous.0).update(bytes);
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for ChunkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for ChunkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for ChunkHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for ChunkHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_hex(deserializer).map(Self)
    }
}

/// A framed chunk whose header has been checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Chunk {
    header: ChunkHeader,
    hash: ChunkHash,
    bytes: Arc<[u8]>,
}

/// The header of a chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct ChunkHeader {
    /// The timeline.
    pub epoch: Epoch,
    /// The position of the first record.
    pub first: Position,
    /// The number of records in the chunk; at least 1.
    pub count: u32,
    /// The time at which the records were decided.
    pub recorded_at: Timestamp,
    /// The hash of the chunk before this one.
    pub previous: ChunkHash,
}

impl Chunk {
    /// Takes bytes as a chunk: checks the header and where each record ends, and computes the hash.
    ///
    /// Records are checked when they are read, or all at once by [`verify`](Self::verify).
    ///
    /// # Errors
    /// [`ChunkError`] that says what is wrong with the header, the lengths or the offsets.
    pub fn decode(bytes: impl Into<Arc<[u8]>>) -> Result<Self, ChunkError> {
        let bytes = bytes.into();
        let header = layout::parse(&bytes, ChunkKind::Records)?;
        let hash = ChunkHash::of(header.previous, &bytes);
        Ok(Self {
            header,
            hash,
            bytes,
        })
    }

    /// Returns the header.
    pub fn header(&self) -> &ChunkHeader {
        &self.header
    }

    /// Returns the hash, which the next chunk names as its previous one.
    pub fn hash(&self) -> ChunkHash {
        self.hash
    }

    /// Returns the bytes, as a store keeps them.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Returns the position of the first record.
    pub fn first(&self) -> Position {
        self.header.first
    }

    /// Returns the position of the last record.
    pub fn last(&self) -> Position {
        self.header.last()
    }

    /// Returns the bytes of the record at a position, whose checksum has been checked.
    ///
    /// # Errors
    /// [`ChunkError`] when the chunk does not hold the position, or the bytes are damaged.
    pub fn record_bytes(&self, position: Position) -> Result<&[u8], ChunkError> {
        layout::checked_record(&self.header, &self.bytes, position)
    }

    /// Reads the record at a position.
    ///
    /// # Errors
    /// [`ChunkError`] when the chunk does not hold the position, or the record's bytes are
    /// damaged, malformed, of a newer schema, or start a timeline where none can start.
    pub fn record(&self, position: Position) -> Result<Record, ChunkError> {
        let bytes = self.record_bytes(position)?;
        let entry = codec::decode(bytes).map_err(|fault| fault.at(position))?;
        if let Body::EpochStarted(started) = &entry.body
            && (position != self.header.first || started.epoch != self.header.epoch)
        {
            return Err(ChunkError::MisplacedStart { position });
        }
        Ok(Record {
            position,
            recorded_at: self.header.recorded_at,
            entry,
        })
    }

    /// Walks every record in order.
    pub fn records(&self) -> Records<'_> {
        self.records_after(Position::ZERO)
    }

    /// Walks the records whose position is greater than `after`, in order.
    pub fn records_after(&self, after: Position) -> Records<'_> {
        Records::new(self, after)
    }

    /// Checks the checksum of every record, and that this build can read it.
    ///
    /// # Errors
    /// The [`ChunkError`] of the first record that cannot be read.
    pub fn verify(&self) -> Result<(), ChunkError> {
        self.records().try_for_each(|record| record.map(drop))
    }
}

impl ChunkHeader {
    /// Returns the position of the last record.
    pub fn last(&self) -> Position {
        self.first.plus(u64::from(self.count)).previous()
    }
}
