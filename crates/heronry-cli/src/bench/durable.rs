//! Durable sends on redb through the engine, beside the store alone.

use std::{path::Path, sync::Arc};

use heronry_store::{Commit, Guard, Store};
use heronry_store_redb::RedbStore;
use heronry_types::{PoolId, Position, Timestamp};

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    redis,
    row::{Row, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The most bytes of the journal in one read.
const PAGE: usize = 1 << 20;

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut at_most_callers = 0.0;
    for (callers, total, bar) in [(1, 1_500, 0.8), (256, 100_000, 0.5)] {
        let sends = Sends::of(callers, scale.of(total));
        let mut rounds = Rounds::default();
        for round in 0..scale.rounds() {
            let folder = folder.join(format!("{callers}-{round}"));
            std::fs::create_dir(&folder).or_stop()?;
            rounds.add(sends, &folder).await?;
            std::fs::remove_dir_all(&folder).or_stop()?;
        }
        let what = format!("durable send, {callers} callers ÷ the redb store alone");
        let row = Row::new(what, median(&mut rounds.ratios), "×");
        rows.push(row.at_least(bar).note(rounds.note()));
        let what = format!("chunk bytes per send, {callers} callers");
        rows.push(Row::new(what, rounds.bytes, "B").at_most(900.0));
        at_most_callers = median(&mut rounds.engine);
    }
    rows.push(beside_redis(at_most_callers, scale, folder).await?);
    Ok(rows)
}

/// The sends of a second by the most callers beside the entries of a Redis stream, in the same run.
async fn beside_redis(sends: f64, scale: Scale, folder: &Path) -> Result<Row, Failure> {
    let what = "durable send, 256 callers ÷ Redis, fsync always, 50 clients × 16";
    let mut rates = Vec::new();
    for round in 0..scale.rounds() {
        let folder = folder.join(format!("redis-{round}"));
        let rate = redis::entries_per_second(&folder, scale.of(200_000)).await?;
        std::fs::remove_dir_all(&folder).or_stop()?;
        let Some(rate) = rate else {
            let why = "no `redis-server` with `redis-benchmark` answers here";
            return Ok(Row::skipped(what, why));
        };
        rates.push(rate);
    }
    let redis = median(&mut rates);
    let note = format!("{sends:.0} sends/s beside {redis:.0} entries/s of a stream");
    Ok(Row::new(what, sends / redis, "×").at_least(1.0).note(note))
}

#[derive(Default)]
struct Rounds {
    ratios: Vec<f64>,
    engine: Vec<f64>,
    alone: Vec<f64>,
    /// Sends in a commit, and chunk bytes of a send, in the last round.
    batch: f64,
    bytes: f64,
}

impl Rounds {
    /// Measures the engine, and then the store with the same commits.
    async fn add(&mut self, sends: Sends, folder: &Path) -> Result<(), Failure> {
        let mut ground = Ground::on_redb(&folder.join("engine.redb")).await?;
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
    let token = store.leases.acquire(pool, "bench", now).await.or_stop()?;
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
