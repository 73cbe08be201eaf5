//! Reading events: pages, and streams that replay and then follow.

mod reader;
mod subscription;

use heronry_event::{EventPage, filter::Filter};
use heronry_pool::decide::{CheckCursor, Viewer};
use heronry_types::{Cursor, Millis, Position};

pub use subscription::Subscription;

use crate::{CallError, EventsError, Pool};
use reader::{Reader, Seen};

/// How many bytes of the journal one page looks through at the most.
const PAGE_SCAN_BYTES: usize = 4 * 1024 * 1024;

/// Where a reader starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum From {
    /// At the oldest record that is kept.
    Start,
    /// After the present head.
    Head,
    /// After this cursor.
    Cursor(Cursor),
}

/// What a reader that is older than what is kept gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnTrimmed {
    /// An item that names the gap, and then what is kept.
    Gap,
    /// A typed error.
    Error,
}

/// Whether a stream goes on after it has caught up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Follow {
    /// It goes on.
    Live,
    /// It ends.
    End,
}

/// What a reader wants to see.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// Whose view it is, as [`Viewing`](heronry_pool::decide::Viewing) answered.
    pub viewer: Viewer,
    /// Which events.
    pub filter: Filter,
    /// From where on.
    pub from: From,
    /// What to do when that is not kept any more.
    pub on_trimmed: OnTrimmed,
}

impl Pool {
    /// Returns at most `limit` events, and how far the journal was looked through for them.
    ///
    /// Waits up to `wait` when there is nothing to see yet. A page may be empty and still have
    /// moved: go on from its `scanned_to`.
    ///
    /// # Errors
    /// [`EventsError`], with the rejection of a cursor that is ahead, trimmed or of another journal.
    pub async fn events(
        &self,
        query: &EventQuery,
        limit: usize,
        wait: Millis,
    ) -> Result<EventPage, EventsError> {
        let clock = &self.shared().environment.clock;
        let until = Millis(clock.now().monotonic.0.saturating_add(wait.0));
        let mut head = self.shared().head.clone();
        let mut reader = Reader::open(self, query, Some(limit as u64)).await?;
        let mut events = Vec::new();
        let mut budget = PAGE_SCAN_BYTES;
        while events.len() < limit && budget > 0 {
            head.borrow_and_update();
            match reader.read(self, budget, limit - events.len()).await? {
                Seen::Events { found, bytes } => {
                    events.extend(found);
                    budget = budget.saturating_sub(bytes);
                }
                Seen::Head if events.is_empty() && wait.0 > 0 => {
                    tokio::select! {
                        changed = head.changed() => if changed.is_err() { break },
                        () = clock.alarm(until) => break,
                    }
                }
                Seen::Head | Seen::Closed(_) => break,
            }
        }
        Ok(reader.page(self, events))
    }

    /// Returns a stream of what a reader wants to see, in order, each fact exactly once.
    ///
    /// # Errors
    /// [`EventsError`], with the rejection of a cursor that is ahead, trimmed or of another journal.
    pub async fn subscribe(
        &self,
        query: EventQuery,
        follow: Follow,
    ) -> Result<Subscription, EventsError> {
        Subscription::open(self.clone(), query, follow).await
    }

    /// Returns the position to read after.
    async fn starting(&self, from: From) -> Result<Start, CallError> {
        match from {
            From::Start => Ok(Start::Floor),
            From::Head => Ok(Start::After(self.head().position)),
            From::Cursor(cursor) => Ok(Start::After(self.call(CheckCursor { cursor }).await?)),
        }
    }
}

enum Start {
    Floor,
    After(Position),
}
