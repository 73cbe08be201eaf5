//! Checking that chunks follow one another.

use heronry_types::{Epoch, Position};

use crate::{Body, Chunk, ChunkHash};

/// Checks that chunks are consecutive: their positions, their epochs and their hashes.
///
/// The epoch changes only at a chunk whose first record is an
/// [`EpochStarted`](crate::EpochStarted) that names it and the epoch before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Chain {
    epoch: Option<Epoch>,
    position: Position,
    hash: ChunkHash,
}

/// The error for a chunk that does not follow the one before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the journal breaks before position {at}: {what}; restore a copy")]
#[non_exhaustive]
pub struct ChainError {
    /// The position that was to follow.
    pub at: Position,
    /// The fault.
    pub what: ChainFault,
}

/// The way in which a chunk fails to follow the one before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainFault {
    /// The first record of the chunk is not the next one.
    #[error("the chunk begins at position {found}")]
    Position {
        /// The position at which the chunk begins.
        found: Position,
    },
    /// The chunk belongs to another timeline, and does not start one that follows.
    #[error(
        "the chunk is of epoch {found}, the journal of {expected}, and no record starts the one from the other"
    )]
    Epoch {
        /// The epoch of the chunks before.
        expected: Epoch,
        /// The epoch of the chunk.
        found: Epoch,
    },
    /// The chunk names another chunk as the one before it.
    #[error("the chunk follows a chunk with hash {found}, and the one before it has {expected}")]
    Hash {
        /// The hash of the chunk before.
        expected: ChunkHash,
        /// The hash that the chunk names.
        found: ChunkHash,
    },
}

impl Chain {
    /// Returns a chain before the first chunk of a journal.
    pub fn start() -> Self {
        Self {
            epoch: None,
            position: Position::ZERO,
            hash: ChunkHash::START,
        }
    }

    /// Returns a chain after the chunk with this hash, which ends at `position`.
    pub fn after(epoch: Epoch, position: Position, hash: ChunkHash) -> Self {
        Self {
            epoch: Some(epoch),
            position,
            hash,
        }
    }

    /// Returns the epoch of the last chunk that the chain has passed; nothing before the first.
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Returns the last position that the chain has passed.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the hash of the last chunk that the chain has passed.
    pub fn hash(&self) -> ChunkHash {
        self.hash
    }

    /// Takes the next chunk. An error leaves the chain where it was.
    ///
    /// # Errors
    /// [`ChainError`] when the chunk does not follow the one before it.
    pub fn push(&mut self, chunk: &Chunk) -> Result<(), ChainError> {
        let header = chunk.header();
        let at = self.position.next();
        let fault = |what| Err(ChainError { at, what });
        if let Some(expected) = self.epoch
            && expected != header.epoch
            && !starts(chunk, expected)
        {
            let found = header.epoch;
            return fault(ChainFault::Epoch { expected, found });
        }
        if header.first != at {
            let found = header.first;
            return fault(ChainFault::Position { found });
        }
        if header.previous != self.hash {
            let (expected, found) = (self.hash, header.previous);
            return fault(ChainFault::Hash { expected, found });
        }
        *self = Self::after(header.epoch, chunk.last(), chunk.hash());
        Ok(())
    }
}

/// Returns true when the first record of a chunk starts its timeline from this one.
fn starts(chunk: &Chunk, from: Epoch) -> bool {
    let first = chunk.record(chunk.first());
    // What cannot be read starts nothing; `Chunk::verify` says what is wrong with it.
    first.is_ok_and(
        |record| matches!(record.entry.body, Body::EpochStarted(started) if started.previous == from),
    )
}
