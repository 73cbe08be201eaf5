//! One slice of reading: a bounded number of records, on whatever thread.

use std::{collections::VecDeque, sync::Arc, thread};

use heronry_event::{CloseReason, Event};
use heronry_journal::{Body, Chunk, ChunkError, Record};
use heronry_pool::{decide::Viewer, project};
use heronry_store::ReadError;
use heronry_types::{Payload, Position, Visibility, WakePayload};

use super::EventQuery;
use crate::{EventsError, Pool};

/// The most records that one slice looks at, with a short filter.
const RECORDS: usize = 512;
/// The number of records after which the thread gives way to what answers others.
const GIVES_WAY: usize = 64;
/// The number of comparisons of a filter that cost about as much as reading one record.
const LITERALS_PER_RECORD: usize = 16;
/// The most bytes that are read from the store at once.
const READ_BYTES: usize = 256 * 1024;

/// The request of a reader; it stays the same while the reader reads.
pub(super) struct ReadRequest {
    pub(super) query: EventQuery,
    /// The most of an event's payload that the viewer sees.
    pub(super) payload: WakePayload,
}

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

impl Slice {
    /// Returns true while there is room for another record, and for an event.
    fn wants(&self, records: usize, events: usize) -> bool {
        records > 0 && self.found.len() < events && self.closed.is_none()
    }
}

impl ReadPlace {
    /// Returns a place of which nothing is read yet.
    pub(super) fn after(after: Position) -> Self {
        let chunks = VecDeque::new();
        Self { after, chunks }
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
        let (mut bytes, mut floor) = (0, None);
        if place.chunks.is_empty() {
            let journal = &pool.shared().environment.store.journal;
            let most = budget.bytes.min(READ_BYTES);
            let page = journal.read(pool.id(), place.after, most).await;
            let page = page.map_err(|error| missed(&pool, error))?;
            let lowest = page.head.floor;
            if page.chunks.is_empty() {
                return Err(Missed::Head { floor: lowest });
            }
            floor = Some(lowest);
            bytes = page.chunks.iter().map(|chunk| chunk.bytes().len()).sum();
            place.chunks = page.chunks.into();
        }
        let mut slice = Slice {
            place,
            found: Vec::new(),
            bytes,
            floor,
            closed: None,
        };
        self.look_through(&pool, &mut slice, budget.events)?;
        Ok(slice)
    }

    /// Looks at records of the chunks that are there, until it is enough.
    fn look_through(&self, pool: &Pool, slice: &mut Slice, events: usize) -> Result<(), Missed> {
        let mut left = self.records();
        while let Some(chunk) = slice.place.chunks.front().cloned() {
            let mut records = chunk.records_after(slice.place.after);
            while let Some(record) = slice.wants(left, events).then(|| records.next()).flatten() {
                let record = record.map_err(|error| damaged(&chunk, &error))?;
                left -= 1;
                give_way(left);
                slice.place.after = record.position;
                slice.found.extend(self.see(pool, &record));
                slice.closed = self.closes(&record);
            }
            if records.len() > 0 {
                break;
            }
            slice.place.chunks.pop_front();
        }
        Ok(())
    }

    /// Returns how many records a slice looks at: fewer, the more the filter compares in each.
    fn records(&self) -> usize {
        let literals = self.query.filter.cost().literals;
        (RECORDS / (1 + literals / LITERALS_PER_RECORD)).max(1)
    }

    /// Returns the event of a record, when this viewer sees it and wants it.
    fn see(&self, pool: &Pool, record: &Record) -> Option<Event> {
        let hidden = match self.query.viewer {
            Viewer::Operator => false,
            Viewer::Member { .. } | Viewer::AsMember { .. } => {
                record.entry.visibility == Visibility::OutOfScope
            }
        };
        if hidden {
            return None;
        }
        let mut event = project(pool.timelines(), record);
        if !self.query.filter.matches(&event.envelope) {
            return None;
        }
        event.payload = reduced(event.payload, self.payload);
        Some(event)
    }

    /// Returns why the viewer sees nothing after this record, when it is about the viewer itself.
    fn closes(&self, record: &Record) -> Option<CloseReason> {
        let (run, since, at_takeover) = match &self.query.viewer {
            Viewer::Operator => return None,
            Viewer::Member { run, generation } => (run, generation, Some(CloseReason::Revoked)),
            Viewer::AsMember { run, since } => (run, since, None),
        };
        let own = record.entry.lineage.run.as_ref() == Some(run);
        if !own || record.position <= since.0 {
            return None;
        }
        let body = &record.entry.body;
        if matches!(body, Body::MemberLeft(_)) {
            Some(CloseReason::Left)
        } else if matches!(body, Body::RunEnded(_)) {
            Some(CloseReason::RunEnded)
        } else if matches!(body, Body::MemberTakenOver(_)) {
            at_takeover
        } else {
            None
        }
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

/// Takes out of a payload what the pool's wake policy does not let members see.
fn reduced(payload: Payload, most: WakePayload) -> Payload {
    match (payload, most) {
        (_, WakePayload::EnvelopeOnly) | (Payload::Refs { .. }, WakePayload::Summary) => {
            Payload::EnvelopeOnly
        }
        (payload, WakePayload::Summary | WakePayload::Refs) => payload,
    }
}
