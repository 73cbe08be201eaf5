//! Chunks: what one append keeps, framed, checksummed and chained.

use std::{fmt, sync::Arc};

use heronry_types::{Epoch, Position, Timestamp};

/// The hash of a chunk: BLAKE3 over the previous chunk's hash and the chunk's bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ChunkHash(pub [u8; 32]);

impl ChunkHash {
    /// What stands before the first chunk.
    pub const START: Self = Self([0; 32]);
}

impl fmt::Debug for ChunkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The largest chunk in bytes, header included.
pub const CHUNK_BYTES_MAX: usize = 768 * 1024;

/// A framed chunk whose header has been checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Chunk {
    header: ChunkHeader,
    hash: ChunkHash,
    bytes: Arc<[u8]>,
}

/// The header of a chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChunkHeader {
    /// The timeline.
    pub epoch: Epoch,
    /// The position of the first record.
    pub first: Position,
    /// How many records it holds; at least one.
    pub count: u32,
    /// When its records were decided.
    pub recorded_at: Timestamp,
    /// The hash of the chunk before it.
    pub previous: ChunkHash,
}
