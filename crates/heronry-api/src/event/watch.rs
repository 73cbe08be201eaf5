//! Watching events: a stream that replays, then follows, and says now and then how far it has looked.

use heronry_event::{CloseReason, Room, StreamItem};
use heronry_pool::decide::Viewer;
use heronry_runtime::{
    CallError, EventQuery, EventsError, Follow, OnTrimmed, RoomStream, RoomStreamError, StopReason,
    WantsEphemeral,
};
use heronry_types::{Cursor, Millis};
use heronry_wire::{EventsQuery, OnTrimmed as WhenTrimmed};

use super::{asked, may_look, resumed, viewer};
use crate::{Access, Refusal, Share};
use tracing::instrument;

/// The time between two bookmarks of a stream. A bookmark says how far the stream has looked, with
/// or without items to send.
const BOOKMARK_EVERY: Millis = Millis::from_secs(15);

/// The most items that are handed out at once.
const ITEMS_MAX: usize = 128;

/// One stream at its reader's own pace. It counts as an open stream as long as it lives.
#[derive(Debug)]
pub struct EventWatch {
    access: Access,
    subscription: RoomStream,
    bookmark_at: Millis,
    stage: StreamStage,
    _open: Share,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum StreamStage {
    Flowing,
    Over,
}

/// The next thing that a stream says.
#[derive(Clone, Debug)]
pub enum WatchItem {
    /// Items, one at least.
    Items(Vec<StreamItem>),
    /// The cursor up to which it has looked.
    Bookmark(Cursor),
}

/// Opens a stream that lasts until the subscription, the process or the reader ends it. It goes on after
/// `resumed_after` when there is such a cursor, whatever the query says of its start.
///
/// # Errors
/// [`Refusal`]; no stream was opened then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn watch(
    access: Access,
    query: &EventsQuery,
    resumed_after: Option<Cursor>,
) -> Result<EventWatch, Refusal> {
    let viewer = viewer(&access, query).await?;
    let made = stream_request(&access, query, viewer).await;
    let mut asked = may_look(&access, query, made).await?;
    asked.from = resumed(asked.from, resumed_after);
    let wants = may_look(&access, query, wants_ephemeral(query)).await?;
    let open = may_look(&access, query, open_stream(&access)).await?;
    // There may be very many, and any of them may stall.
    let mut subscription = stream(&access, query, asked).await?.holding(ITEMS_MAX);
    if let Some(wants) = wants {
        subscription = subscription.with_ephemeral(wants);
    }
    access.is_to_wait();
    let bookmark_at = later(access.clock().now().monotonic);
    Ok(EventWatch {
        access,
        subscription,
        bookmark_at,
        stage: StreamStage::Flowing,
        _open: open,
    })
}

/// Opens the stream, which closes with the run of its room when the request says so.
async fn stream(
    access: &Access,
    query: &EventsQuery,
    asked: EventQuery,
) -> Result<RoomStream, Refusal> {
    let pool = access.pool();
    let run = query.room.as_ref().and_then(Room::run);
    match (query.close_on_terminal == Some(true), run) {
        (true, Some(run)) => {
            let stream = RoomStream::open_until_end(pool, asked, run.clone()).await;
            stream.map_err(|error| match error {
                RoomStreamError::Filter(errors) => errors.into(),
                RoomStreamError::Events(error) => error.into(),
            })
        }
        (true, None) => Err(Refusal::invalid(
            "close_on_terminal",
            "only the room of a run ends; say room=run:R, or leave it out",
        )),
        (false, _) => Ok(RoomStream::open(pool, asked, Follow::Live).await?),
    }
}

/// Takes the share of one stream.
fn open_stream(access: &Access) -> Result<Share, Refusal> {
    let streams = access.api().streams();
    let share = streams.take(&access.holder(), &access.pool().limits(), 1);
    share.map_err(|exceeded| Refusal::of_share(exceeded, "end one of those that are open"))
}

/// Returns what a stream is asked for.
async fn stream_request(
    access: &Access,
    query: &EventsQuery,
    viewer: Viewer,
) -> Result<EventQuery, Refusal> {
    let mut asked = asked(access, query, viewer).await?;
    asked.on_trimmed = match query.on_trimmed.unwrap_or_default() {
        WhenTrimmed::Gap => OnTrimmed::Gap,
        WhenTrimmed::Error => OnTrimmed::Error,
    };
    if query.limit.is_some() {
        return Err(Refusal::invalid(
            "limit",
            "a stream has no limit; leave it out",
        ));
    }
    if query.wait_ms.is_some_and(|wait| wait > Millis(0)) {
        return Err(Refusal::invalid(
            "wait_ms",
            "a stream always waits; leave it out",
        ));
    }
    Ok(asked)
}

/// Returns the events without a record that a stream is to show.
fn wants_ephemeral(query: &EventsQuery) -> Result<Option<WantsEphemeral>, Refusal> {
    let buffer = query.ephemeral_buffer;
    let Some(policy) = query.ephemeral else {
        let why = "say ephemeral, too, or leave it out";
        let none = || Refusal::invalid("ephemeral_buffer", why);
        return buffer.map_or(Ok(None), |_| Err(none()));
    };
    let events = usize::try_from(buffer.unwrap_or(WantsEphemeral::BUFFER as u64));
    let events = events.unwrap_or(usize::MAX);
    if !(1..=WantsEphemeral::BUFFER_MAX).contains(&events) {
        let why = format!("give a number from 1 to {}", WantsEphemeral::BUFFER_MAX);
        return Err(Refusal::invalid("ephemeral_buffer", &why));
    }
    Ok(Some(WantsEphemeral::new(policy, events)))
}

fn later(now: Millis) -> Millis {
    Millis(now.0.saturating_add(BOOKMARK_EVERY.0))
}

impl EventWatch {
    /// Returns the next thing that the stream says, waiting for it; nothing when it is over.
    pub async fn next(&mut self) -> Option<WatchItem> {
        match self.stage {
            StreamStage::Over => return None,
            StreamStage::Flowing => {}
        }
        let (clock, stop) = (self.access.clock(), self.access.api().stop());
        let found = tokio::select! {
            biased;
            () = stop.stopped() => Ok(Some(closed(CloseReason::Shutdown))),
            () = clock.alarm(self.bookmark_at) => {
                self.bookmark_at = later(clock.now().monotonic);
                return Some(WatchItem::Bookmark(self.subscription.scanned_to()));
            }
            found = self.subscription.next() => found,
        };
        let item = found.unwrap_or_else(|error| Some(closed(reason(&error))))?;
        let mut items = vec![item];
        items.extend(self.subscription.read_ahead(ITEMS_MAX - 1));
        if let Some(StreamItem::Closed { .. }) = items.last() {
            self.stage = StreamStage::Over;
        }
        Some(WatchItem::Items(items))
    }

    /// Does the last part of writing so many items, as [`Access::write`] does.
    pub async fn write<T: Send + 'static>(
        &self,
        items: usize,
        write: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        self.access.write(items, write).await
    }
}

fn closed(reason: CloseReason) -> StreamItem {
    StreamItem::Closed { reason }
}

/// Says why a stream breaks off; what happened to the store stands in the log.
fn reason(error: &EventsError) -> CloseReason {
    if let EventsError::Call(CallError::Stopped {
        why: StopReason::Shutdown,
        ..
    }) = error
    {
        return CloseReason::Shutdown;
    }
    if let EventsError::Call(CallError::Stopped {
        why: StopReason::Deleting,
        ..
    })
    | EventsError::NoPool(_) = error
    {
        return CloseReason::PoolDeleted;
    }
    tracing::error!(%error, "an event stream broke off");
    CloseReason::StoreFailed
}
