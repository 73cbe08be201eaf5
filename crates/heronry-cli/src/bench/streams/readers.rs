//! Readers over HTTP: idle ones, and those that many events are sent to.

use std::{path::Path, thread};

use serde_json::{Value, json};

use super::{
    super::{
        Scale,
        fair::wire::{Asker, Wire},
        ground::OrStop,
        row::{FigureRow, figure, median},
        watch::Watch,
    },
    served::Served,
};
use crate::failure::Failure;

/// The number of readers to which events are sent.
const READERS: usize = 1_000;
/// The line that tells that a stream has caught up.
const CAUGHT_UP: &[u8] = b"event: caught_up";

pub(super) fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    // Blocking reads have a thread of their own.
    let folder = folder.to_owned();
    let measuring = thread::spawn(move || {
        let mut rows = idle(scale, &folder)?;
        rows.push(deliveries(&folder, (100, scale.of(100)))?.at_most(1.0));
        rows.push(deliveries(&folder, (1, scale.of(1_000)))?.at_most(5.0));
        Ok(rows)
    });
    let measured = measuring.join();
    measured.unwrap_or_else(|_| {
        Err(Failure::failed(
            "the measurement stopped: a thread panicked",
        ))
    })
}

/// Opens a pool, and joins the run that reports.
fn open(server: &Asker) -> Result<Wire, Failure> {
    let mut wire = Wire::connect(server.server).or_stop()?;
    let limits = json!({"limits": {"subscriptions_max": 20_000}});
    expect(
        wire.ask(&server.put("/v1/pools/p", &limits)).or_stop()?,
        201,
    )?;
    let join = json!({"run_id": "a", "agent_id": "a"});
    expect(
        wire.ask(&server.post("/v1/pools/p/members", &join))
            .or_stop()?,
        201,
    )?;
    Ok(wire)
}

fn expect(status: u16, expected: u16) -> Result<(), Failure> {
    if status == expected {
        return Ok(());
    }
    let why = format_args!("the measurement stopped: the server answered with {status}");
    Err(Failure::failed(why))
}

/// Opens so many streams at the head, and waits until each has caught up.
fn follow(server: &Asker, readers: usize) -> Result<Vec<Wire>, Failure> {
    let request = server.stream("/v1/pools/p/events?from=head");
    let mut streams = Vec::with_capacity(readers);
    for _ in 0..readers {
        let mut wire = Wire::connect_small(server.server).or_stop()?;
        expect(wire.follow(&request, CAUGHT_UP, || true).or_stop()?, 200)?;
        streams.push(wire);
    }
    Ok(streams)
}

/// Measures what idle readers take, and how long the server takes to say that it is well.
fn idle(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let readers = scale.of(10_000);
    let served = Served::start(folder)?;
    let operator = &served.operator;
    let mut wire = open(operator)?;
    // What the first streams need once is there.
    let few = follow(operator, 64)?;
    let before = served.resident();
    let streams = follow(operator, readers)?;
    let grown = before.zip(served.resident());
    let mut well = Vec::new();
    for _ in 0..200 {
        let start = Watch::start();
        expect(wire.ask(&operator.get("/healthz")).or_stop()?, 200)?;
        well.push(start.micros());
    }
    drop((few, streams));
    let what = format!("memory of each of {readers} idle streams over HTTP");
    let mut rows = vec![match grown {
        Some((before, after)) => {
            let each = (after - before) / 1024.0 / figure(readers);
            FigureRow::new(what, each, "KiB").at_most(64.0)
        }
        None => FigureRow::skipped(what, "the system does not tell"),
    }];
    rows.push(FigureRow::new(
        "GET /healthz beside them, p50",
        median(&mut well),
        "µs",
    ));
    Ok(rows)
}

/// Measures the processor's time of a delivery: `rounds` appends of `batch` events to all readers.
fn deliveries(folder: &Path, (batch, rounds): (usize, usize)) -> Result<FigureRow, Failure> {
    let served = Served::start(folder)?;
    let operator = &served.operator;
    let mut wire = open(operator)?;
    let mut streams = follow(operator, READERS)?;
    let event = json!({
        "kind": "tool_completed",
        "payload": {"type": "summary", "summary": "12 findings"},
    });
    let events: Vec<Value> = vec![event; batch];
    let round = |number: usize| {
        let body =
            json!({"run_id": "a", "idempotency_key": format!("k{number}"), "events": events});
        operator.post("/v1/pools/p/events", &body)
    };
    let requests: Vec<Vec<u8>> = (0..rounds).map(round).collect();
    let before = served.ran();
    for request in &requests {
        expect(wire.ask(request).or_stop()?, 201)?;
        for stream in &mut streams {
            stream.skip_items(batch).or_stop()?;
        }
    }
    let ran = before.zip(served.ran());
    let what = match batch {
        1 => format!("delivery to {READERS} streams over HTTP, one event an append"),
        _ => format!("delivery to {READERS} streams over HTTP, {batch} events an append"),
    };
    let Some((before, after)) = ran else {
        return Ok(FigureRow::skipped(what, "the system does not tell"));
    };
    let each = (after - before) / figure(batch * rounds * READERS);
    let note = format!("the server's processor time, the appends' included; {rounds} appends");
    Ok(FigureRow::new(what, each, "µs").note(note))
}
