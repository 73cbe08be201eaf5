//! Walking the records of a chunk.

use heronry_types::Position;

use super::Chunk;
use crate::{ChunkError, Record};

/// Records of a chunk in order; each is checked and decoded when it is asked for.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    chunk: &'a Chunk,
    next: Position,
}

impl<'a> Records<'a> {
    pub(super) fn new(chunk: &'a Chunk, after: Position) -> Self {
        let next = after.next().max(chunk.first());
        Self { chunk, next }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, ChunkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.chunk.last() {
            return None;
        }
        let position = self.next;
        self.next = position.next();
        Some(self.chunk.record(position))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.chunk.last().0 + 1).saturating_sub(self.next.0);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Records<'_> {}
impl std::iter::FusedIterator for Records<'_> {}
