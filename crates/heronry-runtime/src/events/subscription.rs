//! One ordered stream: replay and live are the same reading, woken at the head.

use std::collections::VecDeque;

use heronry_event::{CloseReason, GapReason, StreamItem};
use heronry_types::{Cursor, Position};
use tokio::sync::watch;

use super::{
    EventQuery, Follow,
    reader::{JournalReader, ReadOutcome},
    slice::Budget,
};
use crate::{EventsError, Pool, StopReason};

/// The most events that are held for a slow reader.
const BUFFER_MAX: usize = 1_024;
/// The most bytes of the journal that are looked through between two waits.
const SCAN_BYTES: usize = 256 * 1024;

/// A stream of events at the reader's own pace. Dropping it ends it.
pub struct Subscription {
    pool: Pool,
    reader: JournalReader,
    follow: Follow,
    head: watch::Receiver<Position>,
    buffer: VecDeque<StreamItem>,
    stage: Stage,
}

/// The stage of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// The stream replays.
    Behind,
    /// The stream has caught up and waits for the doorbell.
    Live,
    /// It has ended.
    Over,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Subscription({:?} after {})",
            self.pool,
            self.reader.after()
        )
    }
}

impl Subscription {
    pub(super) async fn open(
        pool: Pool,
        query: EventQuery,
        follow: Follow,
    ) -> Result<Self, EventsError> {
        let head = pool.shared().head.clone();
        let reader = JournalReader::open(&pool, &query, None).await?;
        Ok(Self {
            pool,
            reader,
            follow,
            head,
            buffer: VecDeque::new(),
            stage: Stage::Behind,
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
        self.pool.cursor(waiting.unwrap_or(self.reader.after()))
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
            self.head.borrow_and_update();
            let mut found = Vec::new();
            let budget = Budget {
                bytes: SCAN_BYTES,
                events: BUFFER_MAX,
            };
            let reading = self.reader.read(&self.pool, budget, &mut found);
            let seen = match reading.await {
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
                ReadOutcome::Head => self.at_head().await,
            }
        }
    }

    /// Returns at most `max` of the items that were read ahead already, in order, without waiting.
    pub fn read_ahead(&mut self, max: usize) -> Vec<StreamItem> {
        let ahead = self.buffer.len().min(max);
        self.buffer.drain(..ahead).collect()
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

    async fn at_head(&mut self) {
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
                if self.head.changed().await.is_err() {
                    self.close(match self.pool.closed_by() {
                        Some(StopReason::Deleting) => CloseReason::PoolDeleted,
                        Some(
                            StopReason::Shutdown
                            | StopReason::StoreFenced(_)
                            | StopReason::OwnershipLost
                            | StopReason::Internal,
                        )
                        | None => CloseReason::Shutdown,
                    });
                }
            }
            (Stage::Over, _) => {}
        }
    }

    fn close(&mut self, reason: CloseReason) {
        self.buffer.push_back(StreamItem::Closed { reason });
        self.stage = Stage::Over;
    }
}
