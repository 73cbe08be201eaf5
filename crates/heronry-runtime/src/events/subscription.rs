//! One ordered stream: what is read of the store, and then what comes at the head.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll},
};

use heronry_event::{CloseReason, GapReason, StreamItem};
use heronry_types::{Cursor, Position};

use super::{
    EventQuery, Follow, WantsEphemeral,
    ephemeral::{EphemeralView, NextEphemeral},
    reader::{JournalReader, ReadOutcome},
    slice::Budget,
    tail::{Attachment, Link, Tail},
};
use crate::{EventsError, Pool, StopReason};

/// The most events that are held for a slow reader, unless it asks for fewer.
const BUFFER_MAX: usize = 1_024;
/// The most events that are taken from the tail at once.
const TAKEN_MAX: usize = 128;
/// The most bytes of the journal that are looked through between two waits, by a reader that asks for no fewer events.
const SCAN_BYTES: usize = 256 * 1024;

/// A stream of events at the reader's own pace. Dropping it ends it.
pub struct Subscription {
    pool: Pool,
    reader: JournalReader,
    follow: Follow,
    buffer: VecDeque<StreamItem>,
    /// The amount that is read of the store at once.
    budget: Budget,
    stage: Stage,
    source: StreamSource,
    wants: Option<WantsEphemeral>,
    /// The view of events without a record, once the stream has caught up; `None` before, or when it asked for none.
    view: Option<EphemeralView>,
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
enum StreamSource {
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
            budget: Budget {
                bytes: SCAN_BYTES,
                events: BUFFER_MAX,
            },
            stage: Stage::Behind,
            source: StreamSource::Store,
            wants: None,
            view: None,
        })
    }

    /// Lets the stream show events without a record, too, from when it has caught up. Each comes after the record
    /// that it follows; a reader that is too slow for them misses some of them, and is told which.
    #[must_use]
    pub fn with_ephemeral(mut self, wants: WantsEphemeral) -> Self {
        self.wants = Some(wants);
        self
    }

    /// Lets the stream hold at most `most` events of its own, one at least: a stream of which there are many, and whose
    /// reader may stop to read, costs less then, and replays more slowly.
    #[must_use]
    pub fn holding(mut self, most: usize) -> Self {
        let most = most.clamp(1, BUFFER_MAX);
        self.budget = Budget {
            bytes: SCAN_BYTES / BUFFER_MAX * most,
            events: most,
        };
        self
    }

    /// Returns how far the journal was looked through; a stream resumed from here misses nothing
    /// once every item that was returned so far has been taken.
    pub fn scanned_to(&self) -> Cursor {
        let waiting = self.buffer.iter().find_map(|item| match item {
            StreamItem::Event(event) => Some(event.envelope.id().position.previous()),
            StreamItem::Gap { from, .. } => Some(from.position),
            StreamItem::CaughtUp { .. }
            | StreamItem::Ephemeral(_)
            | StreamItem::Dropped(_)
            | StreamItem::Closed { .. } => None,
        });
        let reached = || match &self.source {
            StreamSource::Store => self.reader.after(),
            StreamSource::Tail(attachment) => attachment.scanned_to(),
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
            if let Some(item) = self.pop() {
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
        let mut ahead = Vec::with_capacity(self.buffer.len().min(max));
        while ahead.len() < max
            && let Some(item) = self.pop()
        {
            ahead.push(item);
        }
        ahead
    }

    /// Takes the next item that is there: of two, the event without a record when its fact was passed before the
    /// other one.
    fn pop(&mut self) -> Option<StreamItem> {
        let Some(view) = &self.view else {
            return self.buffer.pop_front();
        };
        let passed = match self.buffer.front() {
            Some(StreamItem::Event(event)) => event.envelope.id().position.previous(),
            None if self.is_in_store() => self.reader.after(),
            Some(
                StreamItem::CaughtUp { .. }
                | StreamItem::Gap { .. }
                | StreamItem::Ephemeral(_)
                | StreamItem::Dropped(_)
                | StreamItem::Closed { .. },
            )
            | None => return self.buffer.pop_front(),
        };
        match view.next(passed) {
            NextEphemeral::Item(item) => return Some(item),
            NextEphemeral::Overflow => self.overflow(passed),
            NextEphemeral::After(_) | NextEphemeral::Nothing => {}
        }
        self.buffer.pop_front()
    }

    /// Returns true when a stream that goes on reads the store.
    fn is_in_store(&self) -> bool {
        let reads_store = matches!(self.source, StreamSource::Store);
        reads_store && self.stage == Stage::Live && !self.reader.is_closed()
    }

    /// Ends the stream after this position: its reader is too slow for events without a record.
    fn overflow(&mut self, passed: Position) {
        self.buffer.clear();
        self.go_on_after(passed);
        self.close(CloseReason::Overflow);
    }

    /// Waits for what comes at the head.
    async fn take(&mut self) {
        let StreamSource::Tail(attachment) = &self.source else {
            return;
        };
        let view = self.view.as_ref();
        let came = poll_fn(|cx| look(cx, attachment, view)).await;
        match came {
            // Nothing waits: it is asked for when all of that was taken.
            Came::Facts(facts) => self.buffer = facts,
            Came::Ephemeral(item) => self.buffer.push_back(item),
            Came::Overflow(passed) => self.overflow(passed),
            Came::End(Link::Attached) => {}
            Came::End(Link::Behind(after)) => self.go_on_after(after),
            Came::End(Link::Closed { at, reason }) => {
                self.go_on_after(at);
                self.close(reason);
            }
            Came::End(Link::Stopped) => {
                let reached = attachment.scanned_to();
                self.go_on_after(reached);
                self.close(self.stopped());
            }
        }
    }

    /// Goes on with the store after a position.
    fn go_on_after(&mut self, after: Position) {
        self.reader.go_on_after(after);
        self.source = StreamSource::Store;
    }

    /// Returns true when the next events come from the tail, to which a stream comes back that is near again.
    fn is_near(&mut self) -> bool {
        if let StreamSource::Tail(_) = self.source {
            return true;
        }
        if self.stage != Stage::Live || self.reader.is_closed() {
            return false;
        }
        let attachment = Tail::join(&self.pool, self.reader.asked(), self.reader.after());
        let is_back = attachment.is_some();
        self.source = attachment.map_or(StreamSource::Store, StreamSource::Tail);
        is_back
    }

    /// Reads a slice of the store.
    async fn read(&mut self) -> Result<(), EventsError> {
        let mut found = Vec::new();
        let seen = match self.reader.read(&self.pool, self.budget, &mut found).await {
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
                let asked = self.reader.asked();
                let wants = self.wants.filter(|_| follow == Follow::Live);
                self.view = wants.map(|wants| EphemeralView::open(&self.pool, asked, wants));
            }
            (Stage::Live, _) => {
                // One that is not near any more reads on.
                let after = self.reader.after();
                let attachment = Tail::join_at_head(&self.pool, self.reader.asked(), after);
                self.source = attachment.map_or(StreamSource::Store, StreamSource::Tail);
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
        self.view = None;
    }
}

/// The next thing that comes at the head.
enum Came {
    Facts(VecDeque<StreamItem>),
    Ephemeral(StreamItem),
    /// The reader is too slow for events without a record; it has passed this position.
    Overflow(Position),
    /// No more comes here.
    End(Link),
}

/// Looks at what waits at the head: facts first, and then the events without a record that follow them.
fn look(cx: &mut Context<'_>, attachment: &Attachment, view: Option<&EphemeralView>) -> Poll<Came> {
    loop {
        // What follows this position follows every fact up to there, or the end of the view.
        let passed = attachment.scanned_to();
        let mut facts = VecDeque::new();
        if let Poll::Ready(link) = attachment.poll_take(cx, TAKEN_MAX, &mut facts) {
            let came = if facts.is_empty() {
                Came::End(link)
            } else {
                Came::Facts(facts)
            };
            return Poll::Ready(came);
        }
        let Some(view) = view else {
            return Poll::Pending;
        };
        match view.next_or_wake(cx, passed) {
            NextEphemeral::Item(item) => return Poll::Ready(Came::Ephemeral(item)),
            NextEphemeral::Overflow => return Poll::Ready(Came::Overflow(passed)),
            NextEphemeral::After(position) if attachment.awaits(position) => {}
            NextEphemeral::After(_) | NextEphemeral::Nothing => return Poll::Pending,
        }
    }
}
