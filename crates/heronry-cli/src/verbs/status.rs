//! `heronry status`.

use clap::Args;
use heronry_types::Millis;
use heronry_wire::{PoolStatus, ServerStatus};
use serde::Serialize;

use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    lines::Lines,
    out::RowsPlace,
    tables,
};

/// Show how the server, its store, its disk and its pools are
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry status\n  heronry status --field pool,figures.dead_letters"
)]
pub(crate) struct StatusArgs {}

/// The columns of the pools.
const HEADER: [&str; 9] = [
    "POOL",
    "HEAD",
    "MEMBERS",
    "LOST",
    "SUSPENDED",
    "MESSAGES",
    "DEAD",
    "WAKES",
    "QUEUED",
];

/// The printed answer: the address of the server, and its status.
#[derive(Debug, Serialize)]
struct StatusAnswer<'a> {
    url: &'a str,
    #[serde(flatten)]
    status: &'a ServerStatus,
}

pub(crate) async fn run(cx: &Context, StatusArgs {}: StatusArgs) -> Outcome {
    let client = cx.client()?;
    let status = client.status().await.map_err(refused)?;
    let shown = StatusAnswer {
        url: &client.url(),
        status: &status,
    };
    cx.out
        .answer(&shown, RowsPlace::Of("pools"), || lines_of(&shown))?;
    Ok(Exit::Ok)
}

fn lines_of(StatusAnswer { url, status }: &StatusAnswer<'_>) -> Lines {
    let mut lines = Lines::of(format_args!(
        "server  {url}, version {}, process {}, up {}",
        status.version,
        status.pid,
        span(Millis(status.uptime_ms))
    ));
    let store = &status.store;
    let place = if store.place.is_empty() {
        &store.kind
    } else {
        &store.place
    };
    lines.line(format_args!(
        "store   {place}, kept by {}",
        store.durability
    ));
    if let Some(problem) = &store.problem {
        lines.add(format_args!("; FAILED: {problem}"));
    }
    if let Some(disk) = &status.disk {
        let (free, total) = (size(disk.free_bytes), size(disk.total_bytes));
        lines.line(format_args!("disk    {free} of {total} are free"));
        if disk.is_low() {
            lines.add(format_args!(
                "; LOW: less than {}",
                size(disk.free_bytes_min)
            ));
        }
    }
    if let Some(open) = &status.connections {
        let streams = status.streams;
        lines.line(format_args!(
            "load    connections {} of {}, streams {streams}",
            open.open, open.max
        ));
    }
    pools(&mut lines, status);
    lines
}

fn pools(lines: &mut Lines, status: &ServerStatus) {
    let Some(total) = status.pools_total else {
        return;
    };
    let shown = status.pools.len() as u64;
    lines.line(format_args!("pools   {total}"));
    if shown < total {
        lines.add(format_args!(", of which the first {shown} are shown"));
    }
    if !status.pools.is_empty() {
        let table = tables::table(HEADER, status.pools.iter().map(row));
        lines.extend(tables::lines_of(table));
    }
}

fn row(pool: &PoolStatus) -> [String; 9] {
    let mut cells: [String; 9] = Default::default();
    let [name, rest @ ..] = &mut cells;
    *name = pool.pool.to_string();
    if let Some(figures) = &pool.figures {
        *rest = [
            figures.head.position.0,
            figures.members,
            figures.lost_members,
            figures.suspended_members,
            figures.live_messages,
            figures.dead_letters,
            figures.live_wakes,
            figures.queued_commands,
        ]
        .map(|count| count.to_string());
    } else if let (Some(problem), [first, ..]) = (&pool.problem, rest) {
        *first = problem.to_string();
    }
    cells
}

/// Writes a span with its two largest units, as `3 h 20 min`.
fn span(span: Millis) -> String {
    let seconds = span.0 / 1_000;
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, _, _) => format!("{days} d {hours} h"),
    }
}

/// Writes a number of bytes in the largest unit of which there is one, as `12.3 GiB`.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut found = format!("{bytes} B");
    let mut tenths = u128::from(bytes) * 10;
    for unit in units {
        tenths /= 1_024;
        if tenths < 10 {
            break;
        }
        found = format!("{}.{} {unit}", tenths / 10, tenths % 10);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_two_largest_units() {
        for (ms, expected) in [
            (999, "0 s"),
            (59_000, "59 s"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h 0 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Millis(ms)), expected);
        }
    }

    #[test]
    fn sizes_have_the_largest_unit_of_which_there_is_one() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (268_435_456, "256.0 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
