//! Event streams as server-sent events, whose id is the cursor.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use heronry_api::event::{EventWatch, WatchItem};
use heronry_event::StreamItem;
use heronry_wire::EVENT_STREAM;

/// About the bytes of an item.
const ITEM_BYTES: usize = 1_024;

/// Answers with a stream that lasts until the subscription, the server or the reader ends it.
pub(crate) fn answer(watch: EventWatch) -> Response {
    let written = stream::unfold(watch, |mut watch| async move {
        let written = match watch.next().await? {
            WatchItem::Bookmark(cursor) => Bytes::from(format!("id: {cursor}\n\n")),
            WatchItem::Items(items) => {
                // What was written for another stream is only copied.
                let count = items.iter().filter(|item| !is_written(item)).count();
                watch.write(count, move || written(&items)).await
            }
        };
        Some((Ok::<Bytes, Infallible>(written), watch))
    });
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from_stream(written)).into_response()
}

/// Writes items as server-sent events. An item is plain data, and its JSON is one line.
fn written(items: &[StreamItem]) -> Bytes {
    let mut text = Vec::with_capacity(items.len() * ITEM_BYTES);
    for item in items {
        text.extend_from_slice(b"event: ");
        text.extend_from_slice(item.name().as_bytes());
        text.extend_from_slice(b"\ndata: ");
        write_data(item, &mut text);
        if let Some(cursor) = item.cursor() {
            text.extend_from_slice(b"\nid: ");
            text.extend_from_slice(cursor.to_string().as_bytes());
        }
        text.extend_from_slice(b"\n\n");
    }
    Bytes::from(text)
}

/// Returns true when the data of an item is written already.
fn is_written(item: &StreamItem) -> bool {
    match item {
        StreamItem::Event(event) => event.is_written(),
        StreamItem::Ephemeral(event) => event.is_written(),
        StreamItem::CaughtUp { .. }
        | StreamItem::Gap { .. }
        | StreamItem::Dropped(_)
        | StreamItem::Closed { .. } => false,
    }
}

/// Writes the data of an item. That of an event is written once for all streams that send it.
fn write_data(item: &StreamItem, text: &mut Vec<u8>) {
    match item {
        StreamItem::Event(event) => event.write_json(text),
        StreamItem::Ephemeral(event) => event.write_json(text),
        StreamItem::CaughtUp { .. }
        | StreamItem::Gap { .. }
        | StreamItem::Dropped(_)
        | StreamItem::Closed { .. } => {
            // Writing plain data into memory cannot fail.
            let _ = serde_json::to_writer(text, item);
        }
    }
}
