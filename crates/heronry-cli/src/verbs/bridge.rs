//! `heronry bridge`: take the events of a foreign runtime from stdin.

mod intake;
mod lines;
mod parse;

use std::{num::NonZeroUsize, sync::Arc};

use clap::{Args, ValueEnum};
use heronry_runtime::{
    BridgeCounts, BridgeEnd, BridgeHandle, BridgeInto, BridgeOptions, EventBridge, IntakeError,
    SystemClock,
};
use heronry_types::{InstanceId, Millis, OnAttached, RunId, SourceId};
use serde::Serialize;

use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    out::RowsPlace,
    secrets::random_name,
    signals::Signals,
};
use intake::ServerIntake;

/// The most items that are held for a server that is slow; stdin waits then.
const BUFFER_MAX: usize = 256;

/// The form of the lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum LineFormat {
    /// Told by each line: a `CloudEvent` has a specversion
    Auto,
    /// Events as JSON, as `emit --file` takes them
    Lines,
    /// `CloudEvents` in structured JSON
    Cloudevents,
}

/// Take the events of a foreign runtime from stdin
///
/// Each line is an event as JSON, as `emit --file` takes it, with `position` (a number or an id) and, when a bridge has
/// no run, `run`; a `summary` is text that may be shown, as `emit --summary` takes it. Or it is a
/// `CloudEvent` in structured JSON, whose `type` ends with the kind, whose `data` has the other fields, and whose place is
/// `sequence`, or else `id`. A line that says none is not taken, unless `--number-lines` is given. `{"lagged": N}` tells
/// that the runtime dropped N events. Events that were taken before are repeats: those whose number is not above the last
/// one, or whose id is among the last 2048. What
/// cannot be read or is refused is recorded as a gap, once, and told on stderr, and later lines go on. The end of a run
/// (`run_completed`, `run_failed`, `run_cancelled`) ends the run.
///
/// Exit code 0: everything is in the pool; 3: some of it was refused, late or unreadable, or another bridge has the
/// source; 5: no server answered.
#[derive(Debug, Args)]
#[command(after_help = "A line, as JSON and as a CloudEvent:\n  \
{\"kind\":\"tool_completed\",\"position\":17,\"run\":\"scanner-1\",\"summary\":\"12 findings\",\"tags\":[\"lint\"]}\n  \
{\"specversion\":\"1.0\",\"id\":\"17\",\"source\":\"ci\",\"type\":\"ci.tool_completed\",\
\"sequence\":\"17\",\"data\":{\"summary\":\"clean\"}}\n\n\
Example:\n  my-runtime events --follow | heronry --pool review bridge --source my-runtime --as-run scanner-1")]
pub(crate) struct BridgeArgs {
    /// The source: a name for the foreign runtime, under which the pool keeps its positions
    #[arg(long, value_name = "ID")]
    source: SourceId,
    /// The run on whose behalf it reports [default: --run, or what each line says as `run`]
    #[arg(long, value_name = "RUN")]
    as_run: Option<RunId>,
    /// The form of the lines
    #[arg(long, value_enum, default_value_t = LineFormat::Auto)]
    format: LineFormat,
    #[command(flatten)]
    numbering: Numbering,
    /// The treatment of another bridge that has the source
    #[arg(long, value_enum, default_value_t = OnTaken::TakeOver)]
    on_taken: OnTaken,
    /// The most events of one append
    #[arg(long, value_name = "N", default_value = "64")]
    batch: NonZeroUsize,
}

#[derive(Debug, Args)]
struct Numbering {
    /// Take the number of a line for the place of an event that says none. Only for a stream that begins at its start
    /// each time: with any other, new events are taken for repeats
    #[arg(long)]
    number_lines: bool,
}

impl Numbering {
    fn places(&self) -> LinePlaces {
        if self.number_lines {
            LinePlaces::Numbers
        } else {
            LinePlaces::Said
        }
    }
}

/// The places of lines that say none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LinePlaces {
    /// Such a line is not taken.
    Said,
    /// The number of the line is its place.
    Numbers,
}

/// The treatment of another bridge that has the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum OnTaken {
    /// The other bridge is fenced, and stops
    TakeOver,
    /// This one is refused
    Refuse,
}

/// The fields of the answer.
pub(super) const BRIDGE_FIELDS: [&str; 8] = [
    "source",
    "appended",
    "repeated",
    "refused",
    "late",
    "unreadable",
    "lagged",
    "gaps",
];

/// The answer: what became of the lines.
#[derive(Debug, Serialize)]
struct BridgeReport {
    source: SourceId,
    appended: u64,
    repeated: u64,
    refused: u64,
    late: u64,
    unreadable: u64,
    lagged: u64,
    gaps: u64,
}

pub(crate) async fn run(cx: &Context, args: BridgeArgs) -> Outcome {
    let mut signals = Signals::listen()?;
    let run = args.as_run.or_else(|| cx.globals.run.clone());
    let mut options = BridgeOptions::default();
    options.run.clone_from(&run);
    options.on_attached = match args.on_taken {
        OnTaken::TakeOver => OnAttached::TakeOver,
        OnTaken::Refuse => OnAttached::Refuse,
    };
    options.batch_max = args.batch.get();
    options.buffer_max = BUFFER_MAX.max(args.batch.get());
    options.backoff_max = Millis::from_secs(5);
    let into = BridgeInto {
        intake: Arc::new(ServerIntake::new(cx.pool()?, run)),
        clock: Arc::new(SystemClock::default()),
        source: args.source.clone(),
        instance: InstanceId::parse(format!("bridge-{}", random_name()?))
            .map_err(Failure::failed)?,
    };
    let lines = lines::of_stdin(args.format, args.numbering.places());
    let bridge = EventBridge::spawn_into(into, lines, options).await;
    let bridge = bridge.map_err(|error| of_intake(&error))?;
    let ended = until_ended(bridge, &mut signals).await;
    report(cx, args.source, ended)
}

/// The end of a bridge, and what it has done.
#[derive(Debug)]
struct Ended {
    counts: BridgeCounts,
    end: Result<(), BridgeEnd>,
}

/// Waits until stdin ends, or a signal asks to stop: what was read is still appended then.
async fn until_ended(bridge: BridgeHandle, signals: &mut Signals) -> Ended {
    let control = bridge.control();
    let mut ending = Box::pin(bridge.join());
    let end = tokio::select! {
        end = &mut ending => end,
        _ = signals.next() => {
            control.stop();
            ending.await
        }
    };
    Ended {
        counts: control.counts(),
        end: end.map(|_| ()),
    }
}

fn report(cx: &Context, source: SourceId, ended: Ended) -> Outcome {
    let Ended { counts, end } = ended;
    let answer = BridgeReport {
        source,
        appended: counts.appended,
        repeated: counts.repeated,
        refused: counts.refused,
        late: counts.late,
        unreadable: counts.unreadable,
        lagged: counts.lagged,
        gaps: counts.gaps,
    };
    cx.out.answer(&answer, RowsPlace::Whole, || text(&answer))?;
    match end {
        Ok(()) if counts.refused + counts.late + counts.unreadable > 0 => Ok(Exit::Refused),
        Ok(()) => Ok(Exit::Ok),
        Err(BridgeEnd::Fenced { text, .. }) => Err(Failure::new(Exit::Refused, text)),
        Err(BridgeEnd::GaveUp { error, .. }) => Err(of_intake(&error)),
        Err(end @ (BridgeEnd::Cancelled { .. } | BridgeEnd::Panicked { .. })) => {
            Err(Failure::failed(end))
        }
    }
}

fn text(answer: &BridgeReport) -> String {
    let mut text = format!(
        "{} appended, {} repeated, {} refused",
        answer.appended, answer.repeated, answer.refused
    );
    for (count, word) in [
        (answer.late, "late"),
        (answer.unreadable, "unreadable"),
        (answer.lagged, "lagged"),
    ] {
        if count > 0 {
            text.extend([format!(", {count} {word}")]);
        }
    }
    text
}

fn of_intake(error: &IntakeError) -> Failure {
    let exit = match error {
        IntakeError::Transient { .. } => Exit::Unreachable,
        IntakeError::Refused { .. } | IntakeError::Fenced { .. } => Exit::Refused,
    };
    Failure::new(exit, error)
}
