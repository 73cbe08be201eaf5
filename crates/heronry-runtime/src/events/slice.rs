//! One slice of reading: a bounded number of records, on whatever thread.

use std::{collections::VecDeque, ops::ControlFlow, sync::Arc, thread};

use heronry_event::{CloseReason, Event};
use heronry_journal::{Chunk, ChunkError, Record};
use heronry_store::ReadError;
use heronry_types::Position;

use super::sight::ReadRequest;
use crate::{EventsError, Pool};

/// The most records that one slice looks at, with a short filter.
const RECORDS: usize = 512;
/// The number of records after which the thread gives way to what answers others.
const GIVES_WAY: usize = 64;
/// The number of comparisons of a filter that cost about as much as reading one record.
const LITERALS_PER_RECORD: usize = 16;
/// The most bytes that are read from the store at once.
const READ_BYTES: usize = 256 * 1024;

/// The place of a reader in the journal, and the chunks that it has read.
#[derive(Clone, Default)]
pub(super) struct ReadPlace {
    /// The last position that was looked at.
    pub(super) after: Position,
    /// Chunks that were read, and not looked through to their end.
    chunks: VecDeque<Chunk>,
}

/// The amount that a slice may look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Bytes that are read from the store; at least one chunk is.
    pub(super) bytes: usize,
    /// Events that are found.
    pub(super) events: usize,
}

/// The result of one slice of reading.
pub(super) struct Slice {
    /// The place of the reader after the slice.
    pub(super) place: ReadPlace,
    pub(super) found: Vec<Event>,
    /// The number of bytes that were read from the store.
    pub(super) bytes: usize,
    /// The oldest position that is kept, when the store was asked.
    pub(super) floor: Option<Position>,
    /// The reason why the viewer sees nothing any more.
    pub(super) closed: Option<CloseReason>,
}

/// The chunks that were read to fill a place.
#[derive(Default)]
pub(super) struct Filled {
    /// The number of bytes that were read from the store.
    pub(super) bytes: usize,
    /// The oldest position that is kept, when the store was asked.
    pub(super) floor: Option<Position>,
}

/// The reason why a slice gave nothing.
pub(super) enum Missed {
    /// There is nothing after the place.
    Head {
        floor: Position,
    },
    /// The records after the place are gone.
    Trimmed {
        floor: Position,
    },
    Failed(EventsError),
}

impl ReadPlace {
    /// Returns a place of which nothing is read yet.
    pub(super) fn after(after: Position) -> Self {
        let chunks = VecDeque::new();
        Self { after, chunks }
    }

    /// Reads chunks of about so many bytes, when none are left.
    pub(super) async fn fill(&mut self, pool: &Pool, most: usize) -> Result<Filled, Missed> {
        if !self.chunks.is_empty() {
            return Ok(Filled::default());
        }
        let journal = &pool.shared().environment.store.journal;
        let page = journal
            .read(pool.id(), self.after, most.min(READ_BYTES))
            .await;
        let page = page.map_err(|error| missed(pool, error))?;
        let floor = page.head.floor;
        if page.chunks.is_empty() {
            return Err(Missed::Head { floor });
        }
        let bytes = page.chunks.iter().map(|chunk| chunk.bytes().len()).sum();
        self.chunks = page.chunks.into();
        Ok(Filled {
            bytes,
            floor: Some(floor),
        })
    }

    /// Looks at the next records of the chunks that are there, at most so many, until `see` has enough.
    /// It is told about how many bytes each has.
    pub(super) fn walk(
        &mut self,
        mut left: usize,
        mut see: impl FnMut(&Record, usize) -> ControlFlow<()>,
    ) -> Result<(), Missed> {
        while let Some(chunk) = self.chunks.front().cloned() {
            let count = usize::try_from(chunk.header().count).unwrap_or(usize::MAX);
            let bytes = chunk.bytes().len() / count.max(1);
            let mut records = chunk.records_after(self.after);
            while let Some(record) = (left > 0).then(|| records.next()).flatten() {
                let record = record.map_err(|error| damaged(&chunk, &error))?;
                give_way(left - 1);
                self.after = record.position;
                left = left_after(see(&record, bytes), left);
            }
            if records.len() > 0 {
                break;
            }
            self.chunks.pop_front();
        }
        Ok(())
    }
}

impl ReadRequest {
    /// Looks at what follows a place.
    pub(super) async fn look(
        self: Arc<Self>,
        pool: Pool,
        mut place: ReadPlace,
        budget: Budget,
    ) -> Result<Slice, Missed> {
        let Filled { bytes, floor } = place.fill(&pool, budget.bytes).await?;
        let (mut found, mut closed) = (Vec::new(), None);
        place.walk(self.records(), |record, _| {
            found.extend(self.see(pool.timelines(), record));
            closed = self.closes(record);
            if found.len() < budget.events && closed.is_none() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(Slice {
            place,
            found,
            bytes,
            floor,
            closed,
        })
    }

    /// Returns how many records a slice looks at: fewer, the more the filter compares in each.
    pub(super) fn records(&self) -> usize {
        let literals = self.query.filter.cost().literals;
        (RECORDS / (1 + literals / LITERALS_PER_RECORD)).max(1)
    }
}

/// Returns how many records are left to look at after one.
fn left_after(seen: ControlFlow<()>, left: usize) -> usize {
    match seen {
        ControlFlow::Continue(()) => left - 1,
        ControlFlow::Break(()) => 0,
    }
}

/// Gives way to what answers others, after a part of the records.
fn give_way(left: usize) {
    if left.is_multiple_of(GIVES_WAY) {
        thread::yield_now();
    }
}

fn damaged(chunk: &Chunk, error: &ChunkError) -> Missed {
    let at = error.position().unwrap_or_else(|| chunk.first());
    Missed::Failed(EventsError::Damaged { at })
}

fn missed(pool: &Pool, error: ReadError) -> Missed {
    match error {
        ReadError::Trimmed { floor, .. } => Missed::Trimmed { floor },
        ReadError::Store(error) => Missed::Failed(error.into()),
        // The pool is gone.
        ReadError::NoPool => Missed::Failed(EventsError::NoPool(pool.id().clone())),
    }
}
