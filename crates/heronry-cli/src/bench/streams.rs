//! Streams of events: replay, many subscribers, slow ones, and readers over HTTP.

mod fan_out;
mod readers;
mod replay;
mod served;

use std::path::Path;

use heronry_event::{StreamItem, filter::Filter};
use heronry_pool::{
    Caller,
    decide::{AppendEvents, Viewer},
};
use heronry_runtime::{EventQuery, OnTrimmed, Pool, ReadFrom, Subscription};
use heronry_types::{EventKind, NewEvent, Position};

use super::{
    Scale,
    ground::{OrStop, id, run_of},
    row::FigureRow,
};
use crate::failure::Failure;

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let mut rows = replay::measure(scale, folder).await?;
    rows.push(fan_out::deliveries(scale).await?);
    rows.push(fan_out::beside_a_slow_one(scale).await?);
    rows.extend(readers::measure(scale, folder)?);
    Ok(rows)
}

/// Returns the query of an operator for the events that a filter keeps.
fn query(filter: Filter, from: ReadFrom) -> EventQuery {
    EventQuery {
        viewer: Viewer::Operator,
        filter,
        from,
        on_trimmed: OnTrimmed::Error,
    }
}

/// A batch of events that is reported.
#[derive(Clone, Copy)]
struct ReportedBatch<'a> {
    /// The number of the batch in its pool.
    number: usize,
    /// The kinds of its events, in order.
    kinds: &'a [EventKind],
}

/// Reports a batch.
async fn report(
    pool: &Pool,
    caller: &Caller,
    batch: ReportedBatch<'_>,
) -> Result<Position, Failure> {
    let events = batch.kinds.iter().copied().map(NewEvent::new).collect();
    let append = AppendEvents::new(
        caller.clone(),
        run_of(caller)?,
        events,
        id("batch", batch.number)?,
    );
    Ok(pool.call(append).await.or_stop()?.last.position)
}

/// Reads a stream until it has seen so many events, or is over; returns how many it saw.
async fn count(stream: &mut Subscription, most: usize) -> Result<usize, Failure> {
    let mut seen = 0;
    while seen < most {
        match stream.next().await.or_stop()? {
            Some(StreamItem::Event(_)) => seen += 1,
            Some(
                StreamItem::CaughtUp { .. }
                | StreamItem::Gap { .. }
                | StreamItem::Ephemeral(_)
                | StreamItem::Dropped(_),
            ) => {}
            Some(StreamItem::Closed { .. }) | None => break,
        }
    }
    Ok(seen)
}
