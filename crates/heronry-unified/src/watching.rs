//! Watching the pool: another steward, and changes by hand, are noticed as soon as they are recorded.

use heronry_event::{StreamItem, filter::Filter};
use heronry_pool::decide::Viewer;
use heronry_runtime::{EventQuery, Follow, OnTrimmed, ReadFrom};
use heronry_types::{Cursor, EventKind};
use tokio::sync::mpsc;

use crate::{order::Order, parts::RuntimeParts};

/// The events that tell of another steward, or that what the steward looks after was changed.
const WATCHED: &str = r#"kind in ["steward_taken", "steward_released", "edge_wired", "edge_unwired", "alias_set", "alias_removed"]"#;

/// Follows what others change from a cursor on, and tells the loop of it until that is gone.
pub(crate) async fn follow_stewards(
    parts: &RuntimeParts,
    from: Cursor,
    orders: mpsc::WeakSender<Order>,
) {
    let filter = match Filter::compile(WATCHED) {
        Ok(filter) => filter,
        Err(error) => {
            tracing::error!(%error, "the filter of what is watched does not compile");
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
        let order = match item {
            StreamItem::Event(event) => Some(of_event(event.envelope.kind)),
            StreamItem::Gap { .. } => Some(Order::CheckSteward),
            StreamItem::Closed { .. } => return,
            StreamItem::CaughtUp { .. } | StreamItem::Ephemeral(_) | StreamItem::Dropped(_) => None,
        };
        if let Some(order) = order {
            let Some(orders) = orders.upgrade() else {
                return;
            };
            if orders.send(order).await.is_err() {
                return;
            }
        }
    }
}

/// Returns the order that follows from an event.
fn of_event(kind: EventKind) -> Order {
    let of_stewards = [EventKind::StewardTaken, EventKind::StewardReleased];
    if of_stewards.contains(&kind) {
        Order::CheckSteward
    } else {
        Order::CheckWiring
    }
}
