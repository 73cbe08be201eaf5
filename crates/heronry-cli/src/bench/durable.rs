//! Durable sends on redb through the engine, beside the store alone, with and without its mark.

use std::{path::Path, sync::Arc};

use heronry_store::{Commit, Guard, Store};
use heronry_store_redb::RedbStore;
use heronry_types::{PoolId, Position, Timestamp};

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    redis,
    row::{FigureRow, at_share, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The slices of a round in which two engines take turns.
const SLICES: usize = 20;

/// The most bytes of the journal in one read.
const PAGE: usize = 1 << 20;

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let mut rows = Vec::new();
    let mut at_most_callers = 0.0;
    for (callers, total, bar) in [(1, 1_500, 0.8), (256, 100_000, 0.5)] {
        let sends = Sends::of(callers, scale.of(total));
        let mut rounds = Rounds::default();
        for round in 0..scale.rounds() {
            let folder = folder.join(format!("{callers}-{round}"));
            std::fs::create_dir(&folder).or_stop()?;
            rounds.add(sends, &folder).await?;
            rounds.add_beside_no_mark(sends, &folder).await?;
            std::fs::remove_dir_all(&folder).or_stop()?;
        }
        let what = format!("durable send, {callers} callers ÷ the redb store alone");
        let row = FigureRow::new(what, median(&mut rounds.ratios), "×");
        rows.push(row.at_least(bar).note(rounds.note()));
        let what = format!("chunk bytes per send, {callers} callers");
        rows.push(FigureRow::new(what, rounds.bytes, "B").at_most(900.0));
        rows.push(rounds.beside_no_mark(callers));
        at_most_callers = median(&mut rounds.engine);
    }
    rows.push(beside_redis(at_most_callers, scale, folder).await?);
    Ok(rows)
}

/// The sends of a second by the most callers beside the entries of a Redis stream, in the same run.
async fn beside_redis(sends: f64, scale: Scale, folder: &Path) -> Result<FigureRow, Failure> {
    let what = "durable send, 256 callers ÷ Redis, fsync always, 50 clients × 16";
    let mut rates = Vec::new();
    for round in 0..scale.rounds() {
        let folder = folder.join(format!("redis-{round}"));
        let rate = redis::entries_per_second(&folder, scale.of(200_000)).await?;
        std::fs::remove_dir_all(&folder).or_stop()?;
        let Some(rate) = rate else {
            let why = "no `redis-server` with `redis-benchmark` answers here";
            return Ok(FigureRow::skipped(what, why));
        };
        rates.push(rate);
    }
    let redis = median(&mut rates);
    let note = format!("{sends:.0} sends/s beside {redis:.0} entries/s of a stream");
    Ok(FigureRow::new(what, sends / redis, "×")
        .at_least(1.0)
        .note(note))
}

#[derive(Default)]
struct Rounds {
    ratios: Vec<f64>,
    engine: Vec<f64>,
    /// The sends of a second with a mark beside those without, and the slices of both.
    beside_no_mark: Vec<f64>,
    marked: Vec<Slices>,
    unmarked: Vec<Slices>,
    alone: Vec<f64>,
    /// Sends in a commit, and chunk bytes of a send, in the last round.
    batch: f64,
    bytes: f64,
}

/// Sends in several slices: their seconds, and the microseconds of each.
#[derive(Default)]
struct Slices {
    seconds: f64,
    latencies: Vec<f64>,
}

impl Slices {
    /// Sends one more slice on this ground.
    async fn add(&mut self, ground: &mut Ground, slice: Sends) -> Result<(), Failure> {
        let (seconds, latencies) = ground.send(slice).await?;
        self.seconds += seconds;
        self.latencies.extend(latencies);
        Ok(())
    }

    /// Returns what this share of all sends does not take longer than.
    fn share(all: &mut [Self], share: f64) -> f64 {
        let sends = all.iter().flat_map(|slices| &slices.latencies);
        at_share(&mut sends.copied().collect::<Vec<_>>(), share)
    }
}

impl Rounds {
    /// Measures the engine, its store marked as a server has it, and then the store with the same
    /// commits.
    async fn add(&mut self, sends: Sends, folder: &Path) -> Result<(), Failure> {
        let mut ground = Ground::on_marked_redb(&folder.join("engine.redb")).await?;
        let (seconds, _) = ground.send(sends).await?;
        let pool = ground.pool.id().clone();
        let commits = commits(&ground.store, &pool).await?;
        ground.stop().await;
        let bytes = commits.iter().flat_map(|commit| &commit.chunks);
        self.bytes = figure(bytes.map(|chunk| chunk.bytes().len()).sum()) / sends.total();
        self.batch = sends.total() / figure(commits.len());
        let store = RedbStore::create(folder.join("alone.redb")).or_stop()?;
        let alone = append(&Store::of(Arc::new(store)), &pool, commits).await?;
        self.ratios.push(alone / seconds);
        self.engine.push(sends.total() / seconds);
        self.alone.push(sends.total() / alone);
        Ok(())
    }

    /// Measures the engine with the mark beside its store and without, in turn in small slices: a disk
    /// drifts by more than what a mark costs.
    async fn add_beside_no_mark(&mut self, sends: Sends, folder: &Path) -> Result<(), Failure> {
        let mut marked = Ground::on_marked_redb(&folder.join("marked.redb")).await?;
        let mut unmarked = Ground::on_redb(&folder.join("unmarked.redb")).await?;
        let slice = sends.part(SLICES);
        let (mut with, mut without) = (Slices::default(), Slices::default());
        for number in 0..SLICES {
            // Neither is always the one behind the other.
            if number % 2 == 0 {
                with.add(&mut marked, slice).await?;
            }
            without.add(&mut unmarked, slice).await?;
            if number % 2 == 1 {
                with.add(&mut marked, slice).await?;
            }
        }
        marked.stop().await;
        unmarked.stop().await;
        self.beside_no_mark.push(without.seconds / with.seconds);
        self.marked.push(with);
        self.unmarked.push(without);
        Ok(())
    }

    /// The sends of a second with the mark of the store beside those without.
    fn beside_no_mark(&mut self, callers: usize) -> FigureRow {
        let what = format!("durable send, {callers} callers, with the mark ÷ without");
        let note = format!(
            "p50 {:.0} beside {:.0} µs, p99 {:.0} beside {:.0} µs",
            Slices::share(&mut self.marked, 0.5),
            Slices::share(&mut self.unmarked, 0.5),
            Slices::share(&mut self.marked, 0.99),
            Slices::share(&mut self.unmarked, 0.99),
        );
        FigureRow::new(what, median(&mut self.beside_no_mark), "×").note(note)
    }

    fn note(&mut self) -> String {
        format!(
            "{:.0} sends/s beside {:.0} with the same commits, of {:.1} sends each",
            median(&mut self.engine),
            median(&mut self.alone),
            self.batch,
        )
    }
}

/// Returns the appends of the engine, commit by commit.
async fn commits(store: &Store, pool: &PoolId) -> Result<Vec<Commit>, Failure> {
    let (mut after, mut commits) = (Position::ZERO, Vec::new());
    loop {
        let page = store.journal.read(pool, after, PAGE).await.or_stop()?;
        let Some(last) = page.chunks.last() else {
            break;
        };
        after = last.last();
        commits.extend(page.chunks.into_iter().map(|chunk| Commit {
            chunks: vec![chunk],
            ..Commit::default()
        }));
    }
    let mut after = Position::ZERO;
    loop {
        let packs = store
            .contents
            .list_with(pool, after, PAGE)
            .await
            .or_stop()?;
        let Some(last) = packs.last() else {
            return Ok(commits);
        };
        after = last.first;
        for pack in packs {
            let of = |commit: &&mut Commit| {
                let chunk = commit.chunks.first();
                chunk.is_some_and(|chunk| chunk.first() == pack.first)
            };
            if let Some(commit) = commits.iter_mut().find(of) {
                commit.contents = pack.contents;
            }
        }
    }
}

/// Appends the commits one by one; returns seconds.
async fn append(store: &Store, pool: &PoolId, commits: Vec<Commit>) -> Result<f64, Failure> {
    let now = Timestamp::from_millis(0);
    let token = store
        .leases
        .acquire(pool, "bench", now, heronry_store::LEASE_TERM)
        .await
        .or_stop()?;
    let mut expected_head = Position::ZERO;
    let start = Watch::start();
    for commit in commits {
        let guard = Guard {
            expected_head,
            token,
        };
        expected_head = commit
            .chunks
            .last()
            .map_or(expected_head, heronry_journal::Chunk::last);
        store.journal.append(pool, commit, guard).await.or_stop()?;
    }
    Ok(start.seconds())
}
