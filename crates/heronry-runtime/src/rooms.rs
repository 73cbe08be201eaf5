//! Streams of rooms: what belongs to one run, session, agent or topic, and until when.

use std::collections::VecDeque;

use heronry_event::{
    CloseReason, Event, Room, StreamItem, end_of_run,
    filter::{CompileErrors, Filter},
};
use heronry_pool::decide::FindRunEnd;
use heronry_types::{Cursor, Millis, RunEnd, RunId};

use crate::{
    EventQuery, EventsError, Follow, OnTrimmed, Pool, ReadFrom, Subscription, WantsEphemeral,
};

impl EventQuery {
    /// Returns the query for those of its events that belong to a room.
    ///
    /// # Errors
    /// [`CompileErrors`] when filter and room together are too large.
    pub fn in_room(mut self, room: &Room) -> Result<Self, CompileErrors> {
        self.filter = room.filter()?.and(&self.filter)?;
        Ok(self)
    }
}

/// The error of opening a stream that ends with a run.
#[derive(Debug, thiserror::Error)]
pub enum RoomStreamError {
    /// The filter is too large together with the room.
    #[error(transparent)]
    Filter(#[from] CompileErrors),
    /// The events cannot be read.
    #[error(transparent)]
    Events(#[from] EventsError),
}

/// The stage of a stream that ends with a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum EndStage {
    /// The end is looked for in what is read.
    Watching,
    /// Everything up to here was read without the end: perhaps it came before the stream begins.
    Asking(Cursor),
    /// The stream is over.
    Over,
}

/// The end of a run, as a stream looks for it.
#[derive(Debug)]
struct AwaitedEnd {
    run: RunId,
    /// The events that the reader asked for; the end of the run may be none of them.
    shown: Filter,
    query: EventQuery,
    stage: EndStage,
}

/// A stream of events that may end with a run. Dropping it ends it.
#[derive(Debug)]
pub struct RoomStream {
    pool: Pool,
    subscription: Subscription,
    pending: VecDeque<StreamItem>,
    end: Option<AwaitedEnd>,
}

impl RoomStream {
    /// Opens a stream that goes on after the end of every run.
    ///
    /// # Errors
    /// [`EventsError`], as [`Pool::subscribe`] has it.
    pub async fn open(pool: &Pool, query: EventQuery, follow: Follow) -> Result<Self, EventsError> {
        Ok(Self {
            pool: pool.clone(),
            subscription: pool.subscribe(query, follow).await?,
            pending: VecDeque::new(),
            end: None,
        })
    }

    /// Opens the stream of a run's room that closes with [`CloseReason::RunEnded`] right after the event that ended the
    /// run, whether or not the query asks for that event. A stream that begins behind it closes as soon as it has caught
    /// up.
    ///
    /// # Errors
    /// [`RoomStreamError`].
    pub async fn open_until_end(
        pool: &Pool,
        query: EventQuery,
        run: RunId,
    ) -> Result<Self, RoomStreamError> {
        let mut query = query.in_room(&Room::Run(run.clone()))?;
        let (shown, ends) = (query.filter.clone(), end_of_run(&run)?);
        let looked = EventQuery {
            filter: ends.clone(),
            on_trimmed: OnTrimmed::Error,
            ..query.clone()
        };
        query.filter = shown.or(&ends)?;
        let mut stream = Self::open(pool, query, Follow::Live).await?;
        stream.end = Some(AwaitedEnd {
            run,
            shown,
            query: looked,
            stage: EndStage::Watching,
        });
        Ok(stream)
    }

    /// Lets the stream show events without a record, too, as [`Subscription::with_ephemeral`] does.
    #[must_use]
    pub fn with_ephemeral(mut self, wants: WantsEphemeral) -> Self {
        self.subscription = self.subscription.with_ephemeral(wants);
        self
    }

    /// Lets the stream hold at most `most` events of its own, as [`Subscription::holding`] does.
    #[must_use]
    pub fn holding(mut self, most: usize) -> Self {
        self.subscription = self.subscription.holding(most);
        self
    }

    /// Returns how far the journal was looked through; a stream resumed from here misses nothing once every item that was
    /// returned so far has been taken.
    pub fn scanned_to(&self) -> Cursor {
        let first = self.pending.iter().find_map(|item| {
            if let StreamItem::Event(event) = item {
                Some(event.envelope.id().position.previous())
            } else {
                None
            }
        });
        match first {
            Some(before) => self.pool.cursor(before),
            None => self.subscription.scanned_to(),
        }
    }

    /// Returns the next item, waiting for it at the head; nothing when the stream is over.
    ///
    /// Safe to cancel: an item is either returned or still there.
    ///
    /// # Errors
    /// [`EventsError`] when the journal cannot be read; the stream is over then.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, EventsError> {
        loop {
            if let Some(item) = self.pending.pop_front() {
                return Ok(Some(item));
            }
            match self.end.as_ref().map(|end| end.stage) {
                None | Some(EndStage::Watching) => {}
                Some(EndStage::Asking(caught_up)) => {
                    self.ask(caught_up).await?;
                    continue;
                }
                Some(EndStage::Over) => return Ok(None),
            }
            match self.subscription.next().await? {
                Some(item) => self.note(item),
                None => return Ok(None),
            }
        }
    }

    /// Returns at most `max` of the items that were read ahead already, in order, without waiting, and the notice that the
    /// stream is closed behind the last one.
    pub fn read_ahead(&mut self, max: usize) -> Vec<StreamItem> {
        for item in self
            .subscription
            .read_ahead(max.saturating_sub(self.pending.len()))
        {
            self.note(item);
        }
        self.pending.drain(..).collect()
    }

    /// Takes an item of the subscription in.
    fn note(&mut self, item: StreamItem) {
        let Some(end) = &mut self.end else {
            self.pending.push_back(item);
            return;
        };
        if end.stage == EndStage::Over {
            return;
        }
        if let StreamItem::Event(event) = &item {
            let is_end = ends(event, &end.run);
            if !is_end || end.shown.matches(&event.envelope) {
                self.pending.push_back(item);
            }
            if is_end {
                self.close();
            }
            return;
        }
        if let StreamItem::CaughtUp { head } = &item {
            end.stage = EndStage::Asking(*head);
        }
        self.pending.push_back(item);
    }

    /// Closes when the run ended before this point, which was read up to; what came later, the stream shows itself.
    async fn ask(&mut self, caught_up: Cursor) -> Result<(), EventsError> {
        let Some(end) = &mut self.end else {
            return Ok(());
        };
        let run = end.run.clone();
        if self.pool.call(FindRunEnd { run }).await?.is_none() {
            end.stage = EndStage::Watching;
            return Ok(());
        }
        let head = self.pool.head();
        let mut query = end.query.clone();
        query.from = ReadFrom::Cursor(caught_up);
        loop {
            let page = self.pool.events(&query, 1, Millis(0)).await?;
            if !page.events.is_empty() {
                end.stage = EndStage::Watching;
                return Ok(());
            }
            if page.scanned_to.position >= head.position {
                break;
            }
            query.from = ReadFrom::Cursor(page.scanned_to);
        }
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        let reason = CloseReason::RunEnded;
        self.pending.push_back(StreamItem::Closed { reason });
        if let Some(end) = &mut self.end {
            end.stage = EndStage::Over;
        }
    }
}

/// Returns true when an event is the end of this run.
fn ends(event: &Event, run: &RunId) -> bool {
    let envelope = &event.envelope;
    RunEnd::told_by(envelope.kind).is_some() && envelope.identity.run.as_ref() == Some(run)
}
