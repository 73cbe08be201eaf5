//! The hub: a page of what was, and a stream that goes on exactly behind it.

use heronry_event::{Event, Room, StreamItem, filter::Filter};
use heronry_pool::decide::Viewer;
use heronry_types::{Cursor, Millis, RunId};

use crate::{EventQuery, Follow, OnTrimmed, Pool, ReadFrom, RoomStream, RoomStreamError};

/// The half of a subscription that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HubHalf {
    /// The page of what was.
    Replay,
    /// The stream of what comes.
    Live,
}

impl std::fmt::Display for HubHalf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Replay => "replay",
            Self::Live => "live",
        })
    }
}

/// The error of a subscription, and the half that failed.
#[derive(Debug, thiserror::Error)]
#[error("the {half} half of the subscription failed: {source}")]
pub struct HubError {
    /// The half.
    pub half: HubHalf,
    /// The error.
    #[source]
    pub source: RoomStreamError,
}

/// The time at which an event was recorded, as a subscriber sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HubOrigin {
    /// The event was there when the subscriber came.
    Replay,
    /// The event came later.
    Live,
}

/// The point at which a room's stream ends by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RoomEnding {
    /// The stream goes on.
    Stays,
    /// The stream of a run's room closes behind the end of the run. Other rooms have no end.
    ClosesWithRun,
}

/// The request of a subscriber.
#[derive(Clone, Debug)]
pub struct HubRequest {
    /// The room.
    pub room: Room,
    /// The filter that the events must match, too.
    pub filter: Filter,
    /// The cursor after which to begin. `None`: at the oldest event that is kept.
    pub after: Option<Cursor>,
    /// The most events of the page.
    pub limit: usize,
    /// The point at which the stream ends by itself.
    pub ending: RoomEnding,
}

impl HubRequest {
    /// Returns the request for everything of a room, in a page of at most `limit` and a stream behind it that stays.
    pub fn new(room: Room, after: Option<Cursor>, limit: usize) -> Self {
        Self {
            room,
            filter: Filter::all(),
            after,
            limit,
            ending: RoomEnding::Stays,
        }
    }
}

/// A page of what was, and the stream of what follows it.
#[derive(Debug)]
pub struct HubSubscription {
    /// The page.
    pub page: ReplayPage,
    /// The stream, which begins exactly behind the page.
    pub live: HubStream,
}

/// A page of events that were there when a subscriber came.
#[derive(Clone, Debug)]
pub struct ReplayPage {
    /// The events, at most as many as the subscriber asked for.
    pub events: Vec<Event>,
    /// The cursor behind which the stream begins.
    pub scanned_to: Cursor,
    /// The head when the subscriber came: what is recorded behind it is live.
    pub head: Cursor,
}

impl ReplayPage {
    /// Returns true when the stream begins with events that were there before, too: there were more than the page
    /// holds.
    pub fn has_more(&self) -> bool {
        self.scanned_to.position < self.head.position
    }
}

/// The stream behind a page.
#[derive(Debug)]
pub struct HubStream {
    stream: RoomStream,
    head: Cursor,
}

/// The next thing that a stream behind a page says.
#[derive(Clone, Debug)]
pub struct HubItem {
    /// The item.
    pub item: StreamItem,
    /// The time at which it was recorded, as the subscriber sees it.
    pub origin: HubOrigin,
}

impl HubStream {
    /// Returns the next item, waiting for it; nothing when the stream is over.
    ///
    /// Safe to cancel: an item is either returned or still there.
    ///
    /// # Errors
    /// [`HubError`] of the live half.
    pub async fn next(&mut self) -> Result<Option<HubItem>, HubError> {
        let next = self.stream.next().await.map_err(live)?;
        Ok(next.map(|item| {
            let was_there = |cursor: Cursor| cursor.position <= self.head.position;
            let origin = if item.cursor().is_some_and(was_there) {
                HubOrigin::Replay
            } else {
                HubOrigin::Live
            };
            HubItem { item, origin }
        }))
    }

    /// Returns how far the journal was looked through.
    pub fn scanned_to(&self) -> Cursor {
        self.stream.scanned_to()
    }

    /// Returns the head when the subscriber came, where replay ended.
    pub fn replayed_to(&self) -> Cursor {
        self.head
    }
}

/// Gives subscribers of a pool a page and a stream.
#[derive(Clone, Debug)]
pub struct SubscriptionHub {
    pool: Pool,
    viewer: Viewer,
}

impl SubscriptionHub {
    /// Returns the hub of a pool, for a viewer.
    pub fn new(pool: Pool, viewer: Viewer) -> Self {
        Self { pool, viewer }
    }

    /// Subscribes to a run: a page of at most `limit` of its events after a cursor, and a stream that begins exactly behind
    /// the page, also when there were more.
    ///
    /// # Errors
    /// [`HubError`] with the half that failed.
    pub async fn subscribe_run(
        &self,
        run: RunId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<HubSubscription, HubError> {
        self.subscribe(HubRequest::new(Room::Run(run), after, limit))
            .await
    }

    /// Subscribes to a room.
    ///
    /// # Errors
    /// [`HubError`] with the half that failed.
    pub async fn subscribe(&self, request: HubRequest) -> Result<HubSubscription, HubError> {
        let head = self.pool.head();
        let query = EventQuery {
            viewer: self.viewer.clone(),
            filter: request.filter.clone(),
            from: request.after.map_or(ReadFrom::Start, ReadFrom::Cursor),
            on_trimmed: OnTrimmed::Error,
        };
        let page = self.replay(&query, &request, head).await?;
        let query = EventQuery {
            from: ReadFrom::Cursor(page.scanned_to),
            ..query
        };
        let stream = self.follow(query, &request).await?;
        let live = HubStream { stream, head };
        Ok(HubSubscription { page, live })
    }

    async fn replay(
        &self,
        query: &EventQuery,
        request: &HubRequest,
        head: Cursor,
    ) -> Result<ReplayPage, HubError> {
        let filtered = query.clone().in_room(&request.room);
        let mut query = filtered.map_err(replay)?;
        let mut events = Vec::new();
        loop {
            let room = request.limit.saturating_sub(events.len());
            let page = self.pool.events(&query, room, Millis(0)).await;
            let page = page.map_err(replay)?;
            let scanned_to = page.scanned_to;
            events.extend(page.events);
            let is_whole = events.len() >= request.limit || scanned_to.position >= head.position;
            // A viewer that may not look any further is told so by the stream.
            if is_whole || query.from == ReadFrom::Cursor(scanned_to) {
                return Ok(ReplayPage {
                    events,
                    scanned_to,
                    head,
                });
            }
            query.from = ReadFrom::Cursor(scanned_to);
        }
    }

    async fn follow(
        &self,
        query: EventQuery,
        request: &HubRequest,
    ) -> Result<RoomStream, HubError> {
        if let (RoomEnding::ClosesWithRun, Some(run)) = (request.ending, request.room.run()) {
            let stream = RoomStream::open_until_end(&self.pool, query, run.clone()).await;
            return stream.map_err(live);
        }
        let query = query.in_room(&request.room).map_err(live)?;
        let stream = RoomStream::open(&self.pool, query, Follow::Live).await;
        stream.map_err(live)
    }
}

fn replay(source: impl Into<RoomStreamError>) -> HubError {
    let (half, source) = (HubHalf::Replay, source.into());
    HubError { half, source }
}

fn live(source: impl Into<RoomStreamError>) -> HubError {
    let (half, source) = (HubHalf::Live, source.into());
    HubError { half, source }
}
