//! The sizes of the parts of a journal, so that each part is read once to know them.

use std::collections::VecDeque;

use heronry_journal::Chunk;
use heronry_store::Head;
use heronry_types::Position;

use super::{Folds, TrimError};

/// The most bytes of a part, beside its first chunk.
const PART_BYTES: usize = 1024 * 1024;

/// The parts of a journal that are full, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct JournalSizes(VecDeque<JournalPart>);

/// A part of a journal: whole chunks.
#[derive(Clone, Copy, Debug)]
struct JournalPart {
    first: Position,
    last: Position,
    bytes: u64,
}

impl JournalSizes {
    /// Returns the first position from which on a journal is no larger than this; the head when even its last
    /// part is.
    pub(crate) async fn first_within(
        &mut self,
        folds: &Folds,
        head: Head,
        bytes: u64,
    ) -> Result<Position, TrimError> {
        self.0.retain(|part| part.first >= head.floor);
        let mut tail = Vec::new();
        let last = self.0.back().map(|part| part.last);
        let mut after = last.unwrap_or(head.floor.previous());
        while after < head.head {
            let journal = &folds.store.journal;
            let page = journal.read(&folds.pool, after, PART_BYTES).await?;
            let (Some(first), Some(last)) = (page.chunks.first(), page.chunks.last()) else {
                break;
            };
            let part = JournalPart {
                first: first.first(),
                last: last.last(),
                bytes: page.chunks.iter().map(bytes_of).sum(),
            };
            after = part.last;
            // The last part may still grow.
            if after < head.head {
                self.0.push_back(part);
            } else {
                tail.push(part);
            }
        }
        let mut left: u64 = self.0.iter().chain(&tail).map(|part| part.bytes).sum();
        for part in self.0.iter().chain(&tail) {
            if left <= bytes {
                return Ok(part.first);
            }
            left -= part.bytes;
        }
        Ok(head.head)
    }
}

fn bytes_of(chunk: &Chunk) -> u64 {
    chunk.bytes().len() as u64
}
