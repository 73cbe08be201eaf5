//! A reader's own cursor in the journal.

use heronry_event::{CloseReason, Event, EventPage};
use heronry_journal::{Body, Chunk, Record};
use heronry_pool::{
    Rejection,
    decide::{AdmitReader, Viewer},
    project,
};
use heronry_store::{Page, ReadError};
use heronry_types::{Payload, Position, Visibility, WakePayload};

use super::{EventQuery, From, OnTrimmed};
use crate::{CallError, EventsError, Pool};

/// How many bytes are read from the store at once.
const READ_BYTES: usize = 256 * 1024;

/// A gap that a reader has met: records after `from`, up to and including `to`, are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gap {
    pub(super) from: Position,
    pub(super) to: Position,
}

/// What a look at the journal gave.
pub(super) enum Seen {
    /// Events, perhaps none, from this many bytes.
    Events { bytes: usize },
    /// There is nothing after the cursor.
    Head,
    /// The viewer sees nothing any more.
    Closed(CloseReason),
}

/// Whether more events are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Room {
    Left,
    Full,
}

/// A reader's own cursor in the journal.
pub(super) struct Reader {
    query: EventQuery,
    after: Position,
    floor: Position,
    payload: WakePayload,
    gap: Option<Gap>,
    closed: Option<CloseReason>,
}

impl Reader {
    /// Starts reading. A viewer that is gone is refused; one that leaves after this is closed by
    /// the record of it, which lies after the cursor.
    pub(super) async fn open(
        pool: &Pool,
        query: &EventQuery,
        page: Option<u64>,
    ) -> Result<Self, EventsError> {
        let store = &pool.shared().environment.store;
        let head = store.journal.head(pool.id()).await?;
        let floor = head.map_or(Position::ZERO.next(), |head| head.floor);
        let (from, after) = match query.from {
            From::Start => (None, floor.previous()),
            From::Head => (None, pool.head().position),
            From::Cursor(cursor) => (Some(cursor), cursor.position),
        };
        let admit = AdmitReader {
            viewer: query.viewer.clone(),
            from,
            page,
            filter: query.filter.clone(),
        };
        let payload = pool.admit(admit).await?;
        let mut reader = Self {
            query: query.clone(),
            after,
            floor,
            payload,
            gap: None,
            closed: None,
        };
        if after < floor.previous() {
            reader.trimmed(pool, floor)?;
        }
        Ok(reader)
    }

    /// Returns where the reader stands.
    pub(super) fn after(&self) -> Position {
        self.after
    }

    /// Takes the gap that the reader has met, if any.
    pub(super) fn take_gap(&mut self) -> Option<Gap> {
        self.gap.take()
    }

    /// Looks at what follows, in about `bytes_max` bytes, until `found` has `limit` events.
    pub(super) async fn read(
        &mut self,
        pool: &Pool,
        bytes_max: usize,
        limit: usize,
        found: &mut Vec<Event>,
    ) -> Result<Seen, EventsError> {
        if let Some(reason) = self.closed {
            return Ok(Seen::Closed(reason));
        }
        let page = self.page_after(pool, bytes_max.min(READ_BYTES)).await?;
        if page.chunks.is_empty() {
            return Ok(Seen::Head);
        }
        let bytes = page.chunks.iter().map(|chunk| chunk.bytes().len()).sum();
        for chunk in &page.chunks {
            if self.read_chunk(pool, chunk, limit, found)? == Room::Full {
                break;
            }
        }
        Ok(Seen::Events { bytes })
    }

    /// Takes what the viewer sees of one chunk, until there is no room for more.
    fn read_chunk(
        &mut self,
        pool: &Pool,
        chunk: &Chunk,
        limit: usize,
        found: &mut Vec<Event>,
    ) -> Result<Room, EventsError> {
        for record in chunk.records_after(self.after) {
            let record = record.map_err(|error| EventsError::Damaged {
                at: error.position().unwrap_or_else(|| chunk.first()),
            })?;
            self.after = record.position;
            found.extend(self.see(pool, &record));
            self.closed = self.closes(&record);
            if self.closed.is_some() || found.len() >= limit {
                return Ok(Room::Full);
            }
        }
        Ok(Room::Left)
    }

    /// Reads whole chunks after the cursor, over a gap where that is what the reader asked for.
    async fn page_after(&mut self, pool: &Pool, bytes_max: usize) -> Result<Page, EventsError> {
        let journal = &pool.shared().environment.store.journal;
        loop {
            match journal.read(pool.id(), self.after, bytes_max).await {
                Ok(page) => {
                    self.floor = page.head.floor;
                    return Ok(page);
                }
                Err(ReadError::Trimmed { floor, .. }) => self.trimmed(pool, floor)?,
                Err(ReadError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(EventsError::NoPool(pool.id().clone())),
            }
        }
    }

    fn trimmed(&mut self, pool: &Pool, floor: Position) -> Result<(), EventsError> {
        let cursor = |position| pool.cursor(position);
        match self.query.on_trimmed {
            OnTrimmed::Error => Err(CallError::from(Rejection::CursorTrimmed {
                requested: cursor(self.after),
                floor: cursor(floor.previous()),
            })
            .into()),
            OnTrimmed::Gap => {
                let from = self.gap.map_or(self.after, |gap| gap.from);
                self.gap = Some(Gap {
                    from,
                    to: floor.previous(),
                });
                self.after = floor.previous();
                self.floor = floor;
                Ok(())
            }
        }
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

    /// Returns a page of these events.
    pub(super) fn page(&self, pool: &Pool, events: Vec<Event>) -> EventPage {
        let cursor = |position| pool.cursor(position);
        EventPage {
            events,
            scanned_to: cursor(self.after),
            head: pool.head(),
            floor: cursor(self.floor.previous()),
        }
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
