//! One ordered stream: what is read of the store, and then what comes at the head.

use std::collections::VecDeque;

use heronry_event::{CloseReason, GapReason, SharedEvent, StreamItem};
use heronry_types::Cursor;

use super::{
    EventQuery, Follow,
    reader::{JournalReader, ReadOutcome},
    slice::Budget,
    tail::{Attachment, Link, Tail},
};
use crate::{EventsError, Pool, StopReason};

/// The most events that are held for a slow reader.
const BUFFER_MAX: usize = 1_024;
/// The most events that are taken from the tail at once.
const TAKEN_MAX: usize = 128;
/// The most bytes of the journal that are looked through between two waits.
const SCAN_BYTES: usize = 256 * 1024;

/// A stream of events at the reader's own pace. Dropping it ends it.
pub struct Subscription {
    pool: Pool,
    reader: JournalReader,
    follow: Follow,
    buffer: VecDeque<StreamItem>,
    stage: Stage,
    source: Source,
}

/// The stage of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// The stream replays.
    Behind,
    /// The stream has caught up and follows.
    Live,
    /// It has ended.
    Over,
}

/// The place that the next events come from.
#[derive(Debug)]
enum Source {
    /// The store, at the reader's own cursor.
    Store,
    /// The pool's tail.
    Tail(Attachment),
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let after = self.scanned_to().position;
        write!(f, "Subscription({:?} after {after})", self.pool)
    }
}

impl Subscription {
    pub(super) async fn open(
        pool: Pool,
        query: EventQuery,
        follow: Follow,
    ) -> Result<Self, EventsError> {
        let reader = JournalReader::open(&pool, &query, None).await?;
        Ok(Self {
            pool,
            reader,
            follow,
            buffer: VecDeque::new(),
            stage: Stage::Behind,
            source: Source::Store,
        })
    }

    /// Returns how far the journal was looked through; a stream resumed from here misses nothing
    /// once every item that was returned so far has been taken.
    pub fn scanned_to(&self) -> Cursor {
        let waiting = self.buffer.iter().find_map(|item| match item {
            StreamItem::Event(event) => Some(event.envelope.id().position.previous()),
            StreamItem::Gap { from, .. } => Some(from.position),
            StreamItem::CaughtUp { .. } | StreamItem::Closed { .. } => None,
        });
        let reached = || match &self.source {
            Source::Store => self.reader.after(),
            Source::Tail(attachment) => attachment.scanned_to(),
        };
        self.pool.cursor(waiting.unwrap_or_else(reached))
    }

    /// Returns the next item, waiting for it at the head; nothing when the stream is over.
    ///
    /// Safe to cancel: an item is either returned or still there.
    ///
    /// # Errors
    /// [`EventsError`] when the journal cannot be read; the stream is over then.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, EventsError> {
        loop {
            if let Some(item) = self.buffer.pop_front() {
                return Ok(Some(item));
            }
            if self.stage == Stage::Over {
                return Ok(None);
            }
            if self.is_near() {
                self.take().await;
            } else {
                self.read().await?;
            }
        }
    }

    /// Returns at most `max` of the items that were read ahead already, in order, without waiting.
    pub fn read_ahead(&mut self, max: usize) -> Vec<StreamItem> {
        let ahead = self.buffer.len().min(max);
        self.buffer.drain(..ahead).collect()
    }

    /// Waits for events at the head.
    async fn take(&mut self) {
        let Source::Tail(attachment) = &self.source else {
            return;
        };
        let mut taken: VecDeque<SharedEvent> = VecDeque::new();
        match attachment.take(TAKEN_MAX, &mut taken).await {
            Link::Attached => self.buffer.extend(taken.into_iter().map(StreamItem::from)),
            Link::Behind(after) => {
                self.reader.go_on_after(after);
                self.source = Source::Store;
            }
            Link::Closed { at, reason } => {
                self.reader.go_on_after(at);
                self.source = Source::Store;
                self.close(reason);
            }
            Link::Stopped => {
                self.reader.go_on_after(attachment.scanned_to());
                self.source = Source::Store;
                self.close(self.stopped());
            }
        }
    }

    /// Returns true when the next events come from the tail, to which a stream comes back that is near again.
    fn is_near(&mut self) -> bool {
        if let Source::Tail(_) = self.source {
            return true;
        }
        if self.stage != Stage::Live || self.reader.is_closed() {
            return false;
        }
        let attachment = Tail::join(&self.pool, self.reader.asked(), self.reader.after());
        let is_back = attachment.is_some();
        self.source = attachment.map_or(Source::Store, Source::Tail);
        is_back
    }

    /// Reads a slice of the store.
    async fn read(&mut self) -> Result<(), EventsError> {
        let mut found = Vec::new();
        let budget = Budget {
            bytes: SCAN_BYTES,
            events: BUFFER_MAX,
        };
        let seen = match self.reader.read(&self.pool, budget, &mut found).await {
            Ok(seen) => seen,
            Err(EventsError::NoPool(_)) => ReadOutcome::Closed(CloseReason::PoolDeleted),
            Err(error) => {
                self.stage = Stage::Over;
                return Err(error);
            }
        };
        self.note_gap();
        match seen {
            ReadOutcome::Events { .. } => {
                self.buffer.extend(found.into_iter().map(StreamItem::from));
            }
            ReadOutcome::Closed(reason) => self.close(reason),
            ReadOutcome::Head => self.at_head(),
        }
        Ok(())
    }

    fn note_gap(&mut self) {
        let cursor = |position| self.pool.cursor(position);
        if let Some(gap) = self.reader.take_gap() {
            let (from, to) = (cursor(gap.from), cursor(gap.to));
            self.buffer.push_back(StreamItem::Gap {
                from,
                to,
                reason: GapReason::Trimmed,
            });
        }
    }

    fn at_head(&mut self) {
        match (self.stage, self.follow) {
            (Stage::Behind, follow) => {
                let head = self.pool.cursor(self.reader.after());
                self.buffer.push_back(StreamItem::CaughtUp { head });
                self.stage = match follow {
                    Follow::Live => Stage::Live,
                    Follow::End => Stage::Over,
                };
            }
            (Stage::Live, _) => {
                // One that is not near any more reads on.
                let after = self.reader.after();
                let attachment = Tail::join_at_head(&self.pool, self.reader.asked(), after);
                self.source = attachment.map_or(Source::Store, Source::Tail);
            }
            (Stage::Over, _) => {}
        }
    }

    /// Returns why the stream of a pool that has stopped ends.
    fn stopped(&self) -> CloseReason {
        match self.pool.closed_by() {
            Some(StopReason::Deleting) => CloseReason::PoolDeleted,
            Some(
                StopReason::Shutdown
                | StopReason::StoreFenced(_)
                | StopReason::OwnershipLost
                | StopReason::Internal,
            )
            | None => CloseReason::Shutdown,
        }
    }

    fn close(&mut self, reason: CloseReason) {
        self.buffer.push_back(StreamItem::Closed { reason });
        self.stage = Stage::Over;
    }
}
