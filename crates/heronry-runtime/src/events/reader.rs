//! A reader's own cursor in the journal.

use std::{collections::VecDeque, sync::Arc};

use heronry_event::{CloseReason, Event, EventPage, SharedEvent};
use heronry_pool::{Rejection, decide::AdmitReader};
use heronry_types::Position;
use tokio::runtime::Handle;

use super::{
    EventQuery, OnTrimmed, ReadFrom,
    sight::ReadRequest,
    slice::{Budget, Missed, ReadPlace, Slice},
    tail::{Attachment, Link, Tail},
};
use crate::{CallError, EventsError, Party, Pool};

/// The most records before the head that a caller looks at itself: handing them to a thread would
/// cost more than looking at them.
const NEAR: u64 = 64;

/// A gap that a reader has met: records after `from`, up to and including `to`, are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gap {
    pub(super) from: Position,
    pub(super) to: Position,
}

/// The result of a look at the journal.
pub(super) enum ReadOutcome {
    /// Events, perhaps none, for which this many bytes were read.
    Events { bytes: usize },
    /// There is nothing after the cursor.
    Head,
    /// The viewer sees nothing any more.
    Closed(CloseReason),
}

/// The end of a wait at the head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WaitedAtHead {
    /// There is more in the store.
    ReadOn,
    /// Events were found, or there is nothing to wait for.
    Over,
}

/// A place near the head while a reader waits there. However the wait ends, the reader goes on from where
/// it was looked to.
struct WaitAtHead<'a> {
    reader: &'a mut JournalReader,
    attachment: Attachment,
}

impl Drop for WaitAtHead<'_> {
    fn drop(&mut self) {
        self.reader.go_on_after(self.attachment.scanned_to());
    }
}

/// A reader's own cursor in the journal.
pub(super) struct JournalReader {
    asked: Arc<ReadRequest>,
    party: Party,
    place: ReadPlace,
    floor: Position,
    gap: Option<Gap>,
    closed: Option<CloseReason>,
}

impl JournalReader {
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
            ReadFrom::Start => (None, floor.previous()),
            ReadFrom::Head => (None, pool.head().position),
            ReadFrom::Cursor(cursor) => (Some(cursor), cursor.position),
        };
        let admit = AdmitReader {
            caller: query.viewer.caller(),
            viewer: query.viewer.clone(),
            from,
            page,
            filter: query.filter.clone(),
        };
        let payload = pool.admit(admit).await?;
        let query = query.clone();
        let mut reader = Self {
            party: Party::of_viewer(pool.id(), &query.viewer),
            asked: Arc::new(ReadRequest { query, payload }),
            place: ReadPlace::after(after),
            floor,
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
        self.place.after
    }

    /// Returns what the reader asked for.
    pub(super) fn asked(&self) -> &Arc<ReadRequest> {
        &self.asked
    }

    /// Returns true when the viewer sees nothing any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Goes on after a position up to which another one has looked for this reader.
    pub(super) fn go_on_after(&mut self, after: Position) {
        self.place = ReadPlace::after(after);
    }

    /// Takes the gap that the reader has met, if any.
    pub(super) fn take_gap(&mut self) -> Option<Gap> {
        self.gap.take()
    }

    /// Looks at a slice of what follows, and adds what is found. Dropped half way, it has not looked.
    pub(super) async fn read(
        &mut self,
        pool: &Pool,
        budget: Budget,
        found: &mut Vec<Event>,
    ) -> Result<ReadOutcome, EventsError> {
        if let Some(reason) = self.closed {
            return Ok(ReadOutcome::Closed(reason));
        }
        loop {
            match self.slice(pool, budget).await {
                Ok(slice) => {
                    self.place = slice.place;
                    self.floor = slice.floor.unwrap_or(self.floor);
                    self.closed = slice.closed;
                    found.extend(slice.found);
                    let bytes = slice.bytes;
                    return Ok(ReadOutcome::Events { bytes });
                }
                Err(Missed::Head { floor }) => {
                    self.floor = floor;
                    return Ok(ReadOutcome::Head);
                }
                Err(Missed::Trimmed { floor }) => self.trimmed(pool, floor)?,
                Err(Missed::Failed(error)) => return Err(error),
            }
        }
    }

    /// Waits at the head until there are events for this reader, and adds at most `most` of them. Dropped half
    /// way, it has looked at what came meanwhile.
    pub(super) async fn wait(
        &mut self,
        pool: &Pool,
        most: usize,
        found: &mut Vec<Event>,
    ) -> WaitedAtHead {
        let Some(attachment) = Tail::join_at_head(pool, &self.asked, self.place.after) else {
            return WaitedAtHead::ReadOn;
        };
        let waits = WaitAtHead {
            reader: self,
            attachment,
        };
        let mut taken = VecDeque::new();
        let link = waits.attachment.take(most, &mut taken).await;
        found.extend(taken.into_iter().map(SharedEvent::into_event));
        match link {
            Link::Behind(_) => WaitedAtHead::ReadOn,
            Link::Attached | Link::Closed { .. } | Link::Stopped => WaitedAtHead::Over,
        }
    }

    /// Looks at a slice when this party has a permit.
    async fn slice(&self, pool: &Pool, budget: Budget) -> Result<Slice, Missed> {
        let (asked, place) = (Arc::clone(&self.asked), self.place.clone());
        let behind = pool.head().position.0.saturating_sub(place.after.0);
        let look = asked.look(pool.clone(), place, budget);
        if behind <= NEAR {
            return pool.side_work().step(&self.party, look).await;
        }
        let handle = Handle::current();
        let look = move || handle.block_on(look);
        pool.side_work().run(&self.party, look).await
    }

    fn trimmed(&mut self, pool: &Pool, floor: Position) -> Result<(), EventsError> {
        let cursor = |position| pool.cursor(position);
        let after = self.place.after;
        match self.asked.query.on_trimmed {
            OnTrimmed::Error => Err(CallError::from(Rejection::CursorTrimmed {
                requested: cursor(after),
                floor: cursor(floor.previous()),
            })
            .into()),
            OnTrimmed::Gap => {
                let from = self.gap.map_or(after, |gap| gap.from);
                self.gap = Some(Gap {
                    from,
                    to: floor.previous(),
                });
                self.place = ReadPlace::after(floor.previous());
                self.floor = floor;
                Ok(())
            }
        }
    }

    /// Returns a page of these events.
    pub(super) fn page(&self, pool: &Pool, events: Vec<Event>) -> EventPage {
        let cursor = |position| pool.cursor(position);
        EventPage {
            events,
            scanned_to: cursor(self.place.after),
            head: pool.head(),
            floor: cursor(self.floor.previous()),
        }
    }
}
