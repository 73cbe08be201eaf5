//! Many subscribers in one process, and a slow one beside a writer.

use futures::future::try_join_all;
use heronry_event::filter::Filter;
use heronry_runtime::{Follow, Pool, ReadFrom};
use heronry_store::Clock;
use heronry_types::{EventKind, Millis};

use super::{
    super::{
        Scale,
        ground::{Ground, OrStop, Sends},
        row::{FigureRow, figure, median},
        watch::Watch,
    },
    ReportedBatch, count, query, report,
};
use crate::failure::Failure;

/// The number of subscribers.
const SUBSCRIBERS: usize = 1_000;
/// The number of events in one append.
const APPENDED: usize = 100;
/// The time that a slow subscriber takes for an event, in milliseconds: more than a hundred times that of
/// the writer.
const SLOW: Millis = Millis(10);

/// Returns the time of one delivery, from the first append until everybody has seen everything.
pub(super) async fn deliveries(scale: Scale) -> Result<FigureRow, Failure> {
    let events = scale.of(10_000).next_multiple_of(APPENDED);
    let kinds = [EventKind::ToolCompleted; APPENDED];
    let mut each = Vec::new();
    for _ in 0..scale.rounds() {
        let ground = Ground::in_memory().await?;
        let mut readers = Vec::new();
        for _ in 0..SUBSCRIBERS {
            let query = query(Filter::all(), ReadFrom::Head);
            let mut stream = ground.pool.subscribe(query, Follow::Live).await.or_stop()?;
            // It has caught up.
            stream.next().await.or_stop()?;
            readers.push(tokio::spawn(
                async move { count(&mut stream, events).await },
            ));
        }
        let start = Watch::start();
        for number in 0..events / APPENDED {
            let batch = ReportedBatch {
                number,
                kinds: &kinds,
            };
            report(&ground.pool, &ground.sender, batch).await?;
        }
        let seen = try_join_all(readers).await.or_stop()?;
        each.push(start.micros() * 1e3 / figure(SUBSCRIBERS * events));
        let seen = seen.into_iter().collect::<Result<Vec<usize>, Failure>>()?;
        if seen.iter().any(|seen| *seen != events) {
            return Err(Failure::failed(
                "the measurement stopped: a delivery was lost",
            ));
        }
        ground.stop().await;
    }
    let what = format!("delivery to {SUBSCRIBERS} subscribers in the process");
    let note = format!("{events} events to each, {APPENDED} an append, appending included");
    Ok(FigureRow::new(what, median(&mut each), "ns")
        .at_most(100.0)
        .note(note))
}

/// Returns the writer's rate beside a slow subscriber over its rate alone, in turns.
pub(super) async fn beside_a_slow_one(scale: Scale) -> Result<FigureRow, Failure> {
    let sends = Sends::of(64, scale.of(100_000));
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds() {
        let mut ground = Ground::in_memory().await?;
        let turns = 10;
        for _ in 0..turns {
            alone.push(sends.part(turns).total() / ground.send(sends.part(turns)).await?.0);
            let slow = tokio::spawn(follow_slowly(ground.pool.clone()));
            let (seconds, _) = ground.send(sends.part(turns)).await?;
            beside.push(sends.part(turns).total() / seconds);
            slow.abort();
        }
        ground.stop().await;
    }
    let (alone, beside) = (median(&mut alone), median(&mut beside));
    let note = format!("{beside:.0} beside {alone:.0} sends/s of 64 callers, memory store");
    Ok(FigureRow::new(
        "sends beside a subscriber that is 100 × slower ÷ alone",
        beside / alone,
        "×",
    )
    .at_least(0.95)
    .note(note))
}

/// Takes an event now and then.
async fn follow_slowly(pool: Pool) -> Result<(), Failure> {
    let query = query(Filter::all(), ReadFrom::Head);
    let mut stream = pool.subscribe(query, Follow::Live).await.or_stop()?;
    let clock = heronry_runtime::SystemClock::new();
    loop {
        count(&mut stream, 1).await?;
        let until = Millis(clock.now().monotonic.0 + SLOW.0);
        clock.alarm(until).await;
    }
}
