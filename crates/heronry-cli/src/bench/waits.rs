//! Registered waits: finding those that an event ends, and the cost of the others.

use std::hint::black_box;

use heronry_event::{Envelope, Filter, Identity, Stamp, index::FilterIndex};
use heronry_pool::decide::{RegisterWake, SendMessage, WakeRequest};
use heronry_types::{
    Address, Cursor, EntityKind, EntityRef, Epoch, EventKind, Millis, Position, SourceKind,
    SourceRef, Timestamp, Vocabulary, WakeStatus,
};

use super::{
    Scale,
    ground::{Ground, OrStop, Sends, id, request, run_of},
    resident,
    row::{FigureRow, at_share, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The number of different runs that the filters name.
const RUNS: usize = 1_250;
/// The number of different topics that the filters name.
const TOPICS: usize = 200;
/// Events that are matched in each round.
const EVENTS: usize = 512;
/// Filters that are put in and taken out again.
const CHURN: usize = 10_000;

pub(crate) async fn measure(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let mut rows = Vec::new();
    // The largest first: what the others leave behind would hide what it takes.
    for (waits, bar) in [(1_000_000, 6.0), (100_000, 1.0), (10_000, 0.2)] {
        rows.extend(index(scale.of(waits), bar, scale)?);
    }
    rows.push(beside_waits(scale).await?);
    rows.extend(latency(scale).await?);
    Ok(rows)
}

/// Returns a number below `sides` that follows from `seed` without a pattern.
fn scattered(seed: usize, sides: usize) -> usize {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) % sides
}

/// Returns the filter of the wait with this number: a run, a kind and a topic, as agents have them.
fn filter(number: usize) -> Result<Filter, Failure> {
    let kinds = EventKind::ALL;
    let kind = kinds
        .iter()
        .cycle()
        .nth(scattered(number ^ 0x55, kinds.len()));
    let builder = Filter::builder()
        .runs([id("run", scattered(number, RUNS))?])
        .topics([id("topic", scattered(number ^ 0xaa, TOPICS))?]);
    builder.kinds(kind.copied()).build().or_stop()
}

fn event(number: usize) -> Result<Envelope, Failure> {
    let position = Position(u64::try_from(number).or_stop()? + 1);
    let cursor = Cursor {
        epoch: Epoch([1; 16]),
        position,
    };
    let stamp = Stamp::new(cursor, Timestamp::from_millis(1_795_161_600_000));
    let mut envelope = Envelope::new(
        stamp,
        EventKind::RunMessageAccepted,
        Identity::new(id("pool", 1)?),
        EntityRef::new(EntityKind::Message, id("subject", number)?),
        SourceRef::new(SourceKind::Sdk, id("engine", 1)?),
    );
    envelope.identity.run = Some(id("run", scattered(number ^ 0x77, RUNS))?);
    envelope.exchange.topic = Some(id("topic", scattered(number ^ 0x99, TOPICS))?);
    Ok(envelope)
}

fn index(waits: usize, bar: f64, scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let before = resident::bytes();
    let mut index = FilterIndex::new();
    for number in 0..waits {
        index.insert(number, &filter(number)?);
    }
    let grown = before.zip(resident::bytes());
    let events = (0..EVENTS).map(event).collect::<Result<Vec<_>, _>>()?;
    let (mut matched, mut changed) = (Vec::new(), Vec::new());
    let mut found = Vec::new();
    let more = (waits..waits + CHURN).map(|number| Ok((number, filter(number)?)));
    let more = more.collect::<Result<Vec<_>, Failure>>()?;
    for _ in 0..=scale.rounds() {
        let start = Watch::start();
        for event in &events {
            found.clear();
            index.matches(black_box(event), &mut found);
            black_box(&found);
        }
        matched.push(start.micros() / figure(EVENTS));
        let start = Watch::start();
        for (number, filter) in &more {
            index.insert(*number, filter);
        }
        for (number, _) in &more {
            index.remove(*number);
        }
        changed.push(start.micros() / figure(CHURN));
    }
    let mut rows = vec![
        FigureRow::new(
            format!("{waits} waits: match an event"),
            median(&mut matched),
            "µs",
        )
        .at_most(bar),
        FigureRow::new(
            format!("{waits} waits: insert, then remove"),
            median(&mut changed),
            "µs",
        )
        .at_most(4.0),
    ];
    if waits == scale.of(1_000_000)
        && let Some((before, after)) = grown
    {
        let each = (after - before) / figure(waits);
        rows.push(
            FigureRow::new(format!("{waits} waits: memory of each"), each, "B").at_most(120.0),
        );
    }
    Ok(rows)
}

/// Registers this many waits for others that nobody ever satisfies here.
async fn wait_for_others(ground: &Ground, waits: usize) -> Result<(), Failure> {
    let run = run_of(&ground.sender)?;
    for number in 0..waits {
        let request = WakeRequest::new(filter(number)?, id("wait", number)?);
        let wake = RegisterWake::new(ground.sender.clone(), run.clone(), request);
        ground.pool.call(wake).await.or_stop()?;
    }
    Ok(())
}

async fn beside_waits(scale: Scale) -> Result<FigureRow, Failure> {
    let waits = scale.of(100_000);
    let sends = Sends::of(1, scale.of(10_000));
    let (mut quiet, mut waited) = (Ground::in_memory().await?, Ground::in_memory().await?);
    wait_for_others(&waited, waits).await?;
    let (mut ratios, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.rounds() {
        let without = quiet.send(sends).await?.0 * 1e6 / sends.total();
        let with = waited.send(sends).await?.0 * 1e6 / sends.total();
        ratios.push(with / without);
        alone.push(without);
        beside.push(with);
        quiet.settle().await?;
        waited.settle().await?;
    }
    quiet.stop().await;
    waited.stop().await;
    let note = format!(
        "{:.2} µs beside {:.2} µs, memory store, one caller",
        median(&mut beside),
        median(&mut alone)
    );
    let what = format!("send with {waits} waits ÷ with none");
    Ok(FigureRow::new(what, median(&mut ratios), "×")
        .at_most(1.2)
        .note(note))
}

/// From the answer of a send to the waiter that it wakes, with many other waits and with none.
async fn latency(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let waits = scale.of(1_000_000);
    let (quiet, crowded) = (Ground::in_memory().await?, Ground::in_memory().await?);
    wait_for_others(&crowded, waits).await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for number in 0..scale.of(4_000) {
        alone.push(woken(&quiet, number).await?);
        beside.push(woken(&crowded, number).await?);
    }
    quiet.stop().await;
    crowded.stop().await;
    let (without, with) = (at_share(&mut alone, 0.99), at_share(&mut beside, 0.99));
    let note = format!(
        "p50 {:.1} µs, without them {:.1} µs",
        median(&mut beside),
        median(&mut alone)
    );
    let what = format!("wake after the commit with {waits} other waits, p99");
    let ratio = format!("… ÷ without them ({without:.0} µs), p99");
    Ok(vec![
        FigureRow::new(what, with, "µs").at_most(100.0).note(note),
        FigureRow::new(ratio, with / without, "×").at_most(1.2),
    ])
}

/// Returns the microseconds from the commit of a message to the waiter that it wakes.
async fn woken(ground: &Ground, number: usize) -> Result<f64, Failure> {
    let run = run_of(&ground.reader)?;
    let filter = Filter::builder().messages([id("awaited", number)?]);
    let filter = filter
        .kinds([EventKind::RunMessageAccepted])
        .build()
        .or_stop()?;
    let wake = WakeRequest::new(filter, id("latency", number)?);
    let wake = RegisterWake::new(ground.reader.clone(), run.clone(), wake);
    let wake_id = ground.pool.call(wake).await.or_stop()?.wake.wake_id;
    let (pool, reader) = (ground.pool.clone(), ground.reader.clone());
    let waiter = tokio::spawn(async move {
        let woken = pool
            .wait_wake(reader, Some(run), wake_id, Millis::from_secs(60))
            .await;
        (woken, Watch::start())
    });
    tokio::task::yield_now().await;
    let to = Address::Run {
        run_id: run_of(&ground.reader)?,
    };
    let mut asked = request(to, id("wakes", number)?)?;
    asked.message_id = Some(id("awaited", number)?);
    let send = SendMessage::new(ground.sender.clone(), run_of(&ground.sender)?, asked);
    ground.pool.call(send).await.or_stop()?;
    let committed = Watch::start();
    let (woken, at) = waiter.await.or_stop()?;
    let view = woken.or_stop()?;
    if view.status != WakeStatus::Triggered {
        return Err(Failure::failed(
            "the measurement stopped: a wake was not triggered",
        ));
    }
    Ok(at.micros_after(committed))
}
