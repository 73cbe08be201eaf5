//! Reading events: the newest ones, and all of them.

use heronry_event::filter::Filter;
use heronry_pool::{Caller, decide::Viewing};
use heronry_runtime::{EventQuery, OnTrimmed, ReadFrom};
use heronry_types::{Cursor, Millis, Position};

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    row::{FigureRow, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The most events of a page.
const PAGE: usize = 1_000;

pub(crate) async fn measure(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let mut ground = Ground::in_memory().await?;
    ground.send(Sends::of(64, scale.of(50_000))).await?;
    let viewer = Viewing {
        caller: Caller::Operator,
        run: None,
    };
    let viewer = ground.pool.call(viewer).await.or_stop()?;
    let head = ground.pool.head();
    let mut query = EventQuery {
        viewer,
        filter: Filter::all(),
        from: ReadFrom::Cursor(Cursor {
            epoch: head.epoch,
            position: Position(head.position.0.saturating_sub(10)),
        }),
        on_trimmed: OnTrimmed::Error,
    };
    let mut last = Vec::new();
    for _ in 0..scale.of(1_000) {
        let start = Watch::start();
        let page = ground.pool.events(&query, 10, Millis(0)).await.or_stop()?;
        last.push(start.micros());
        if page.events.len() != 10 {
            return Err(Failure::failed("the measurement stopped: a page is short"));
        }
    }
    query.from = ReadFrom::Start;
    let (mut seen, start) = (0, Watch::start());
    loop {
        let page = ground
            .pool
            .events(&query, PAGE, Millis(0))
            .await
            .or_stop()?;
        seen += page.events.len();
        if page.events.is_empty() {
            break;
        }
        query.from = ReadFrom::Cursor(page.scanned_to);
    }
    let rate = figure(seen) / start.seconds();
    ground.stop().await;
    Ok(vec![
        FigureRow::new(
            format!("the last 10 of {seen} events, warm"),
            median(&mut last),
            "µs",
        )
        .at_most(20.0),
        FigureRow::new("replay, memory store, pages of 1 000", rate, "events/s").at_least(1e6),
    ])
}
