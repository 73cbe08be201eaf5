//! Watching the pool: another steward is noticed as soon as it is recorded.

use heronry_event::{StreamItem, filter::Filter};
use heronry_pool::decide::Viewer;
use heronry_runtime::{EventQuery, Follow, OnTrimmed, ReadFrom};
use heronry_types::Cursor;
use tokio::sync::mpsc;

use crate::{order::Order, parts::RuntimeParts};

/// The events that tell of another steward.
const STEWARDS: &str = r#"kind in ["steward_taken", "steward_released"]"#;

/// Follows the pool's stewards from a cursor on, and tells the loop of each until it is gone.
pub(crate) async fn follow_stewards(
    parts: &RuntimeParts,
    from: Cursor,
    orders: mpsc::WeakSender<Order>,
) {
    let filter = match Filter::compile(STEWARDS) {
        Ok(filter) => filter,
        Err(error) => {
            tracing::error!(%error, "the filter of stewards does not compile");
            return;
        }
    };
    let query = EventQuery {
        viewer: Viewer::Operator,
        filter,
        from: ReadFrom::Cursor(from),
        on_trimmed: OnTrimmed::Gap,
    };
    let mut stream = match parts.pool.subscribe(query, Follow::Live).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "stewards are not followed");
            return;
        }
    };
    while let Ok(Some(item)) = stream.next().await {
        let is_news = match item {
            StreamItem::Event(_) | StreamItem::Gap { .. } => true,
            StreamItem::Closed { .. } => return,
            StreamItem::CaughtUp { .. } | StreamItem::Ephemeral(_) | StreamItem::Dropped(_) => {
                false
            }
        };
        if is_news {
            let Some(orders) = orders.upgrade() else {
                return;
            };
            if orders.send(Order::CheckSteward).await.is_err() {
                return;
            }
        }
    }
}
