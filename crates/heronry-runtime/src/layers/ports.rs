//! The ports of a store whose calls are seen, and the sizes of what passes through them.

mod contents;
mod cursors;
mod custody;
mod journal;
mod keys;
mod leases;
mod projections;
mod snapshots;

use heronry_journal::Chunk;
use heronry_store::{Commit, Stored};

/// The size of what a call writes or reads.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Size {
    /// The number of records, contents or keys.
    pub(super) items: usize,
    /// Their bytes.
    pub(super) bytes: usize,
}

impl Size {
    /// Returns the records of chunks, and the bytes of the chunks.
    fn of_chunks(chunks: &[Chunk]) -> Self {
        Self {
            items: chunks
                .iter()
                .map(|chunk| chunk.header().count as usize)
                .sum(),
            bytes: chunks.iter().map(|chunk| chunk.bytes().len()).sum(),
        }
    }

    /// Returns the records of a commit, and the bytes of its chunks and of the bodies that ride.
    fn of_commit(commit: &Commit) -> Self {
        let chunks = Self::of_chunks(&commit.chunks);
        let bodies = Self::of_stored(commit.contents.iter().map(|content| &content.stored));
        Self {
            items: chunks.items,
            bytes: chunks.bytes + bodies.bytes,
        }
    }

    /// Returns the number of contents, and the bytes of those that are kept.
    fn of_stored<'a>(stored: impl Iterator<Item = &'a Stored>) -> Self {
        stored.fold(Self::default(), |size, stored| Self {
            items: size.items + 1,
            bytes: size.bytes + stored.stored_bytes(),
        })
    }

    /// Returns the size of one item of this many bytes.
    fn of_bytes(bytes: usize) -> Self {
        Self { items: 1, bytes }
    }

    /// Returns the number of items of a slice, and the bytes that they take in memory.
    fn of_slice<T>(items: &[T]) -> Self {
        Self {
            items: items.len(),
            bytes: size_of_val(items),
        }
    }
}
