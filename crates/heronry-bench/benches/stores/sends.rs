//! Sends per second and their latency, beside the bare store.

use std::{path::Path, time::Instant};

use crate::{
    args::Size,
    bare::CommitRow,
    disk,
    kind::Kind,
    report::{Line, Samples, bar_of, percentile},
    senders::{Senders, Took, WrittenCounts},
};

/// Fewer sends fit into the room that an empty store has taken already.
const DISK_SENDS_MIN: usize = 20_000;

/// One round of a pair.
struct Round {
    took: Took,
    bare: Took,
    shape: WrittenCounts,
    /// The bytes of the sends on the disk, without the empty store.
    disk_bytes: u64,
    bare_disk_bytes: u64,
}

/// Measures sends through the engine, then the same bytes in as many commits of the bare store.
pub(crate) async fn measure(kind: Kind, callers: usize, size: Size) -> Line {
    let each = (size.of(sends(kind, callers)) / callers).max(1);
    let mut samples = Samples::default();
    for _ in 0..size.rounds() {
        let folder = tempfile::tempdir().unwrap();
        let round = round(kind, folder.path(), (callers, each)).await;
        note(&mut samples, round);
    }
    line(kind, callers, &samples)
}

fn sends(kind: Kind, callers: usize) -> usize {
    match (kind, callers) {
        (Kind::Memory, 1..8) => 50_000,
        (Kind::Memory, _) => 200_000,
        (Kind::Redb | Kind::Sled, 1..8) => 1_500,
        (Kind::Redb | Kind::Sled, 8..64) => 6_000,
        (Kind::Redb | Kind::Sled, 64..256) => 40_000,
        (Kind::Redb | Kind::Sled, _) => 100_000,
    }
}

async fn round(kind: Kind, folder: &Path, (callers, each): (usize, usize)) -> Round {
    let (place, bare_place) = (folder.join("engine"), folder.join("bare"));
    for place in [&place, &bare_place] {
        std::fs::create_dir(place).unwrap();
    }
    let store = kind.open(&place);
    let senders = Senders::on(&store).await;
    let empty = disk::bytes(&place);
    let took = senders.send(callers, each).await;
    let shape = senders.shape(&store).await;
    senders.stop().await;
    drop(store);
    let (bare, bare_disk_bytes) = bare(kind, &bare_place, &shape);
    Round {
        took,
        bare,
        shape,
        disk_bytes: disk::bytes(&place).saturating_sub(empty),
        bare_disk_bytes,
    }
}

/// Writes the same bytes in as many commits.
fn bare(kind: Kind, place: &Path, shape: &WrittenCounts) -> (Took, u64) {
    let chunk = vec![7; shape.row_bytes()];
    let row = |position| CommitRow {
        position,
        chunk: &chunk,
        bodies: &[],
    };
    let step = (shape.sends / shape.commits).max(1) as u64 * 2;
    let bare = kind.open_bare(place);
    bare.commit(row(0));
    let empty = disk::bytes(place);
    let mut each = Vec::with_capacity(shape.commits);
    let start = Instant::now();
    for number in 0..shape.commits as u64 {
        let commit = Instant::now();
        bare.commit(row(1 + number * step));
        each.push(commit.elapsed().as_secs_f64());
    }
    let seconds = start.elapsed().as_secs_f64();
    drop(bare);
    let disk_bytes = disk::bytes(place).saturating_sub(empty);
    (Took { seconds, each }, disk_bytes)
}

fn note(samples: &mut Samples, mut round: Round) {
    let sends = round.shape.sends as f64;
    samples.add("sends_per_s", sends / round.took.seconds);
    samples.add("bare_per_s", sends / round.bare.seconds);
    samples.add("ratio", round.bare.seconds / round.took.seconds);
    samples.add("p99_us", percentile(&mut round.took.each, 99) * 1e6);
    samples.add("bare_p99_us", percentile(&mut round.bare.each, 99) * 1e6);
    samples.add("batch", round.shape.batch());
    let chunk_bytes = round.shape.chunk_bytes as f64;
    samples.add("chunk_bytes_per_send", chunk_bytes / sends);
    if round.shape.sends >= DISK_SENDS_MIN {
        let bare_disk = round.bare_disk_bytes as f64;
        samples.add("disk_bytes_per_send", round.disk_bytes as f64 / sends);
        samples.add("bare_disk_bytes_per_send", bare_disk / sends);
    }
}

fn line(kind: Kind, callers: usize, samples: &Samples) -> Line {
    let of = |name| samples.median(name);
    let name = format!("send-{}-{callers}", kind.name());
    let bar = bar_of(kind.bar(callers), of("ratio"));
    let (disk, bare_disk) = (of("disk_bytes_per_send"), of("bare_disk_bytes_per_send"));
    let room = if disk > 0.0 {
        format!("  on disk {disk:.0} B/send  bare {bare_disk:.0}")
    } else {
        String::new()
    };
    let text = format!(
        "{:>8.0} sends/s  bare {:>8.0}  ratio {:.2}{bar}  p99 {:.0} µs  bare commit {:.0} µs  \
         batch {:.1}{room}",
        of("sends_per_s"),
        of("bare_per_s"),
        of("ratio"),
        of("p99_us"),
        of("bare_p99_us"),
        of("batch"),
    );
    let nanoseconds = 1e9 / of("sends_per_s");
    Line::new(name, text, samples).timed("", nanoseconds)
}
