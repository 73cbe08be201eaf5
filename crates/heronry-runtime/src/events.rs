//! Reading events: pages, and streams that replay and then follow.

mod ephemeral;
mod reader;
mod sight;
mod slice;
mod subscription;
mod tail;

use heronry_event::{EventPage, filter::Filter};
use heronry_pool::{
    Rejection,
    decide::{AdmitReader, Viewer},
    locate,
};
use heronry_types::{Cursor, Millis, WakePayload};

pub(crate) use ephemeral::Ephemerals;
pub use ephemeral::{EphemeralPublished, WantsEphemeral};
pub use subscription::Subscription;
pub(crate) use tail::{Tail, TailSize};

use crate::{CallError, EventsError, Pool};
use reader::{JournalReader, ReadOutcome, WaitedAtHead};
use slice::Budget;

/// The most bytes of the journal that one page looks through.
const PAGE_SCAN_BYTES: usize = 1024 * 1024;

/// The most events of a page for which memory is reserved at the start.
const PAGE_EVENTS: usize = 1_024;

/// The starting point of a reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadFrom {
    /// At the oldest record that is kept.
    Start,
    /// After the present head.
    Head,
    /// After this cursor.
    Cursor(Cursor),
}

/// The answer to a reader whose starting point is older than the oldest record that is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnTrimmed {
    /// An item that names the gap, and then what is kept.
    Gap,
    /// A typed error.
    Error,
}

/// The behaviour of a stream after it has caught up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Follow {
    /// The stream goes on with new events.
    Live,
    /// The stream ends.
    End,
}

/// The request of a reader: its viewer, its filter and its starting point.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// The viewer whose view is read, as [`Viewing`](heronry_pool::decide::Viewing) answered.
    pub viewer: Viewer,
    /// The filter that the events must match.
    pub filter: Filter,
    /// The starting point.
    pub from: ReadFrom,
    /// The answer when records after the starting point are not kept any more.
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
        let mut reader = JournalReader::open(self, query, Some(limit as u64)).await?;
        let mut events = Vec::with_capacity(limit.min(PAGE_EVENTS));
        let mut bytes_left = PAGE_SCAN_BYTES;
        while events.len() < limit && bytes_left > 0 {
            let budget = Budget {
                bytes: bytes_left,
                events: limit - events.len(),
            };
            match reader.read(self, budget, &mut events).await? {
                ReadOutcome::Events { bytes } => bytes_left = bytes_left.saturating_sub(bytes),
                ReadOutcome::Head if events.is_empty() && wait.0 > 0 => {
                    self.forget_unread();
                    tokio::select! {
                        waited = reader.wait(self, limit, &mut events) => if waited == WaitedAtHead::Over { break },
                        () = clock.alarm(until) => break,
                    }
                }
                ReadOutcome::Head | ReadOutcome::Closed(_) => break,
            }
        }
        Ok(reader.page(self, events))
    }

    /// Returns a stream of the events that a reader asked for, in order, each exactly once.
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

    /// Admits a reader. What its viewer sees is asked of the actor, unless the answer follows from what
    /// is durable: an operator sees everything.
    async fn admit(&self, admit: AdmitReader) -> Result<WakePayload, CallError> {
        let is_operator = admit.viewer == Viewer::Operator;
        if is_operator && !self.is_closed() && self.reaches(admit.from)? {
            admit.check_limits(&self.shared().published.limits())?;
            return Ok(WakePayload::Refs);
        }
        self.call(admit).await
    }

    /// Returns true when a cursor stands in the durable journal; one that is ahead of it may stand in
    /// what the actor has decided.
    fn reaches(&self, from: Option<Cursor>) -> Result<bool, Rejection> {
        let head = self.head();
        match from {
            Some(from) if from.position > head.position => Ok(false),
            Some(from) => locate(self.timelines(), head.position, from).map(|_| true),
            None => Ok(true),
        }
    }
}
