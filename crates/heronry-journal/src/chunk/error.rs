//! The errors for bytes that are not a valid chunk.

use heronry_types::Position;

use super::{CHUNK_BYTES_MAX, ChunkKind, FORMAT_VERSION};

/// The error for bytes that are not a valid chunk.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChunkError {
    /// The bytes do not begin as those of a chunk do.
    #[error("these bytes are not a chunk; check where they come from")]
    NotAChunk,
    /// The chunk has a format that this build does not know.
    #[error("the chunk has format {found}, and this build reads up to {known}; use a newer build")]
    NewerFormat {
        /// The format of the chunk.
        found: u16,
        /// The newest format that this build reads.
        known: u16,
    },
    /// The chunk holds something that this build does not know.
    #[error("the chunk is of kind {found}, which this build does not read; use a newer build")]
    NewerKind {
        /// The kind of the chunk.
        found: u8,
    },
    /// The chunk is of another kind than what stands in its place.
    #[error(
        "the chunk is of kind {found}, where one of kind {expected} has to stand; restore a copy"
    )]
    WrongKind {
        /// The kind that has to stand there.
        expected: ChunkKind,
        /// The kind that stands there.
        found: ChunkKind,
    },
    /// The chunk has fewer bytes than its header says.
    #[error("the chunk has {found} of {needed} bytes; restore a copy")]
    Truncated {
        /// The smallest size of the chunk in bytes, as far as its header tells.
        needed: u64,
        /// The number of bytes that there are.
        found: u64,
    },
    /// The chunk has more bytes than its header says.
    #[error("the chunk ends after {expected} of {found} bytes; restore a copy")]
    TrailingBytes {
        /// The size of the chunk in bytes, as its header says.
        expected: u64,
        /// The number of bytes that there are.
        found: u64,
    },
    /// The chunk is larger than a chunk may be.
    #[error("the chunk has {found} bytes, and a chunk has at most {CHUNK_BYTES_MAX}")]
    Oversized {
        /// The number of bytes that there are.
        found: u64,
    },
    /// The checksum of the header is wrong.
    #[error("the header of the chunk is damaged; restore a copy")]
    HeaderChecksum,
    /// The checksum of the header is right, and a field has a value that no header may have.
    #[error("the header of the chunk has an impossible {field}; it was written by a faulty build")]
    Header {
        /// The field.
        field: HeaderField,
    },
    /// The record's end is before its begin, or outside the chunk.
    #[error("record {position} has impossible bounds; the chunk was written by a faulty build")]
    RecordBounds {
        /// The position of the record.
        position: Position,
    },
    /// The chunk does not hold this position.
    #[error("the chunk holds records {first} to {last}, not {position}; read another chunk")]
    NoSuchRecord {
        /// The position that was asked for.
        position: Position,
        /// The first position of the chunk.
        first: Position,
        /// The last position of the chunk.
        last: Position,
    },
    /// The checksum of the record is wrong.
    #[error("record {position} is damaged; restore a copy")]
    RecordChecksum {
        /// The position of the record.
        position: Position,
    },
    /// The record says that a timeline starts, and is not the first of a chunk of that timeline.
    #[error(
        "record {position} starts a timeline in the wrong place; it was written by a faulty build"
    )]
    MisplacedStart {
        /// The position of the record.
        position: Position,
    },
    /// A newer build wrote the record.
    #[error(
        "record {position} has schema {number} version {version}, which this build does not know; use a newer build"
    )]
    NewerSchema {
        /// The position of the record.
        position: Position,
        /// The number of the record's kind.
        number: u16,
        /// The version of the record's schema.
        version: u16,
    },
    /// A newer build wrote a word of the record.
    #[error(
        "record {position} has the word {number} of {vocabulary}, which this build does not know; use a newer build"
    )]
    NewerWord {
        /// The record.
        position: Position,
        /// The vocabulary that the word is of.
        vocabulary: &'static str,
        /// The number of the word.
        number: u16,
    },
    /// The checksum of the record is right, and the bytes are not what its schema says.
    #[error(
        "record {position} is malformed at its byte {offset}: {reason}; it was written by a faulty build"
    )]
    Malformed {
        /// The position of the record.
        position: Position,
        /// The place of the fault, in bytes from the start of the record.
        offset: usize,
        /// The fault that was found.
        reason: String,
    },
}

/// A field of a chunk's header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeaderField {
    /// The byte that must be zero.
    Reserved,
    /// The position of the first record.
    First,
    /// The number of records.
    Count,
    /// The time.
    RecordedAt,
}

impl std::fmt::Display for HeaderField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reserved => "reserved byte",
            Self::First => "first position",
            Self::Count => "count",
            Self::RecordedAt => "time",
        })
    }
}

impl ChunkError {
    pub(crate) fn newer_format(found: u16) -> Self {
        Self::NewerFormat {
            found,
            known: FORMAT_VERSION,
        }
    }

    /// Returns true when a newer build reads these bytes, as opposed to damage.
    pub fn is_newer(&self) -> bool {
        match self {
            Self::NewerFormat { .. }
            | Self::NewerKind { .. }
            | Self::NewerSchema { .. }
            | Self::NewerWord { .. } => true,
            Self::NotAChunk
            | Self::WrongKind { .. }
            | Self::Truncated { .. }
            | Self::TrailingBytes { .. }
            | Self::Oversized { .. }
            | Self::HeaderChecksum
            | Self::Header { .. }
            | Self::RecordBounds { .. }
            | Self::NoSuchRecord { .. }
            | Self::RecordChecksum { .. }
            | Self::MisplacedStart { .. }
            | Self::Malformed { .. } => false,
        }
    }

    /// Returns the position that the error is about; nothing when none is known.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::RecordBounds { position }
            | Self::NoSuchRecord { position, .. }
            | Self::RecordChecksum { position }
            | Self::MisplacedStart { position }
            | Self::NewerSchema { position, .. }
            | Self::NewerWord { position, .. }
            | Self::Malformed { position, .. } => Some(*position),
            Self::NotAChunk
            | Self::NewerFormat { .. }
            | Self::NewerKind { .. }
            | Self::WrongKind { .. }
            | Self::Truncated { .. }
            | Self::TrailingBytes { .. }
            | Self::Oversized { .. }
            | Self::HeaderChecksum
            | Self::Header { .. } => None,
        }
    }
}
