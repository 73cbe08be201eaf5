//! Event streams: the items of a subscription, as server-sent events whose id is the cursor.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use heronry_event::{CloseReason, StreamItem};
use heronry_runtime::{CallError, EventsError, Party, StopReason, Subscription};
use heronry_store::Clock;
use heronry_types::{Cursor, Millis};
use heronry_wire::EVENT_STREAM;

use crate::{
    app::{SharedApp, Stop},
    shares::Share,
    side,
};

/// The time between two bookmarks of a stream. A bookmark says how far the stream has looked, with
/// or without items to send.
const BOOKMARK_EVERY: Millis = Millis::from_secs(15);

/// The most items that are written at once.
const ITEMS_MAX: usize = 128;

/// One stream at its reader's own pace.
struct Feed {
    app: SharedApp,
    party: Party,
    subscription: Subscription,
    clock: Arc<dyn Clock>,
    stop: Stop,
    bookmark_at: Millis,
    stage: StreamStage,
    /// Counted while the stream lives.
    _open: Share,
}

enum StreamStage {
    Flowing,
    Over,
}

/// The next thing that a stream sends.
enum NextFrame {
    Items(Vec<StreamItem>),
    Bookmark(Cursor),
}

/// Answers with a stream that lasts until the subscription, the server or the reader ends it.
pub(crate) fn answer(
    app: &SharedApp,
    subscription: Subscription,
    (party, open): (Party, Share),
) -> Response {
    let clock = Arc::clone(app.runtime.clock());
    let feed = Feed {
        app: Arc::clone(app),
        party,
        subscription,
        bookmark_at: later(clock.now().monotonic),
        clock,
        stop: app.stop.clone(),
        stage: StreamStage::Flowing,
        _open: open,
    };
    let written = stream::unfold(feed, |mut feed| async move {
        let written = feed.next_written().await?;
        Some((Ok::<Bytes, Infallible>(written), feed))
    });
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from_stream(written)).into_response()
}

fn later(now: Millis) -> Millis {
    Millis(now.0.saturating_add(BOOKMARK_EVERY.0))
}

impl Feed {
    /// Returns the next items as they are sent.
    async fn next_written(&mut self) -> Option<Bytes> {
        Some(match self.next().await? {
            NextFrame::Bookmark(cursor) => Bytes::from(format!("id: {cursor}\n\n")),
            NextFrame::Items(items) => {
                let (count, write) = (items.len(), move || written(&items));
                side::write(&self.app, &self.party, (count, write)).await
            }
        })
    }

    async fn next(&mut self) -> Option<NextFrame> {
        if matches!(self.stage, StreamStage::Over) {
            return None;
        }
        let found = tokio::select! {
            biased;
            () = self.stop.stopped() => Ok(Some(closed(CloseReason::Shutdown))),
            () = self.clock.alarm(self.bookmark_at) => {
                self.bookmark_at = later(self.clock.now().monotonic);
                return Some(NextFrame::Bookmark(self.subscription.scanned_to()));
            }
            found = self.subscription.next() => found,
        };
        let item = found.unwrap_or_else(|error| Some(closed(reason(&error))))?;
        let mut items = vec![item];
        items.extend(self.subscription.read_ahead(ITEMS_MAX - 1));
        if let Some(StreamItem::Closed { .. }) = items.last() {
            self.stage = StreamStage::Over;
        }
        Some(NextFrame::Items(items))
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

/// Writes items as server-sent events. An item is plain data, and its JSON is one line.
fn written(items: &[StreamItem]) -> Bytes {
    let mut text = Vec::new();
    for item in items {
        text.extend_from_slice(b"event: ");
        text.extend_from_slice(item.name().as_bytes());
        text.extend_from_slice(b"\ndata: ");
        // Writing plain data into memory cannot fail.
        let _ = serde_json::to_writer(&mut text, item);
        if let Some(cursor) = item.cursor() {
            text.extend_from_slice(b"\nid: ");
            text.extend_from_slice(cursor.to_string().as_bytes());
        }
        text.extend_from_slice(b"\n\n");
    }
    Bytes::from(text)
}
