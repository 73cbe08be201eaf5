//! Event streams: what a subscription yields, as server-sent events whose id is the cursor.

use std::{convert::Infallible, sync::Arc};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, Sse},
};
use futures::stream;
use heronry_event::{CloseReason, StreamItem};
use heronry_runtime::{CallError, EventsError, StopReason, Subscription};
use heronry_store::Clock;
use heronry_types::{Cursor, Millis};

use crate::{
    app::{Shared, Stop},
    streams::OpenStream,
};

/// How often a stream says how far it has looked, whether or not there was something to send.
const BOOKMARK_EVERY: Millis = Millis::from_secs(15);

/// One stream at its reader's own pace.
struct Feed {
    subscription: Subscription,
    clock: Arc<dyn Clock>,
    stop: Stop,
    bookmark_at: Millis,
    stage: Stage,
    /// Counted while the stream lives.
    _open: OpenStream,
}

enum Stage {
    Flowing,
    Over,
}

/// What is sent next.
enum Next {
    Item(StreamItem),
    Bookmark(Cursor),
}

/// Answers with a stream that lasts until the subscription, the server or the reader ends it.
pub(crate) fn answer(app: &Shared, subscription: Subscription, open: OpenStream) -> Response {
    let clock = Arc::clone(app.runtime.clock());
    let feed = Feed {
        subscription,
        bookmark_at: later(clock.now().monotonic),
        clock,
        stop: app.stop.clone(),
        stage: Stage::Flowing,
        _open: open,
    };
    let events = stream::unfold(feed, |mut feed| async move {
        let next = feed.next().await?;
        Some((Ok::<Event, Infallible>(event(&next)), feed))
    });
    Sse::new(events).into_response()
}

fn later(now: Millis) -> Millis {
    Millis(now.0.saturating_add(BOOKMARK_EVERY.0))
}

impl Feed {
    async fn next(&mut self) -> Option<Next> {
        if matches!(self.stage, Stage::Over) {
            return None;
        }
        let found = tokio::select! {
            biased;
            () = self.stop.stopped() => Ok(Some(closed(CloseReason::Shutdown))),
            () = self.clock.alarm(self.bookmark_at) => {
                self.bookmark_at = later(self.clock.now().monotonic);
                return Some(Next::Bookmark(self.subscription.scanned_to()));
            }
            found = self.subscription.next() => found,
        };
        let item = found.unwrap_or_else(|error| Some(closed(reason(&error))))?;
        if matches!(item, StreamItem::Closed { .. }) {
            self.stage = Stage::Over;
        }
        Some(Next::Item(item))
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

fn event(next: &Next) -> Event {
    match next {
        Next::Bookmark(cursor) => Event::default().id(cursor.to_string()),
        Next::Item(item) => {
            // An item is plain data: writing it as JSON cannot fail.
            let data = serde_json::to_string(item).unwrap_or_default();
            let event = Event::default().event(item.name()).data(data);
            match item.cursor() {
                Some(cursor) => event.id(cursor.to_string()),
                None => event,
            }
        }
    }
}
