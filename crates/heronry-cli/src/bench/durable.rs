//! Durable sends on redb beside redb alone.

use std::path::Path;

use heronry_types::Position;
use redb::{Database, Durability, TableDefinition};

use super::{
    Scale,
    ground::{BODY, Ground, OrStop, Sends},
    row::{Row, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");

/// How much of the journal is read at once, in bytes.
const PAGE: usize = 1 << 20;

/// How much redb keeps in memory, as the adapter sets it.
const CACHE: usize = 64 * 1024 * 1024;

/// What was written: sends, commits, and bytes.
#[derive(Clone, Copy, Default)]
struct Shape {
    sends: usize,
    commits: usize,
    chunk_bytes: usize,
}

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (callers, total, bar) in [(1, 1_500, 0.8), (256, 100_000, 0.5)] {
        let sends = Sends::of(callers, scale.of(total));
        let (mut ratios, mut engine, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        let mut shape = Shape::default();
        for round in 0..scale.rounds() {
            let file = |name: &str| folder.join(format!("{name}-{callers}-{round}.redb"));
            let seconds;
            (seconds, shape) = through_engine(&file("engine"), sends).await?;
            let alone = alone(&file("bare"), shape)?;
            ratios.push(alone / seconds);
            engine.push(sends.total() / seconds);
            bare.push(sends.total() / alone);
            for name in ["engine", "bare"] {
                std::fs::remove_file(file(name)).or_stop()?;
            }
        }
        let note = format!(
            "{:.0} sends/s beside {:.0}; {:.1} sends and {:.0} chunk bytes a send in each commit",
            median(&mut engine),
            median(&mut bare),
            figure(shape.sends) / figure(shape.commits),
            figure(shape.chunk_bytes) / figure(shape.sends),
        );
        let what = format!("durable send, {callers} callers ÷ bare redb chunk");
        let row = Row::new(what, median(&mut ratios), "×");
        rows.push(row.at_least(bar).note(note));
        if callers > 1 {
            let bytes = figure(shape.chunk_bytes) / figure(shape.sends);
            rows.push(Row::new("chunk bytes per send", bytes, "B").at_most(900.0));
        }
    }
    let why = "no Redis beside this process: `redis-benchmark -c 50 -P 16` is to be run by hand";
    rows.push(Row::skipped("durable send ÷ Redis, fsync always", why));
    Ok(rows)
}

async fn through_engine(file: &Path, sends: Sends) -> Result<(f64, Shape), Failure> {
    let mut ground = Ground::on_redb(file).await?;
    let before = ground.pool.head().position;
    let (seconds, _) = ground.send(sends).await?;
    let shape = shape(&ground, before).await?;
    ground.stop().await;
    Ok((seconds, shape))
}

async fn shape(ground: &Ground, mut after: Position) -> Result<Shape, Failure> {
    let mut shape = Shape::default();
    loop {
        let journal = &ground.store.journal;
        let page = journal
            .read(ground.pool.id(), after, PAGE)
            .await
            .or_stop()?;
        let Some(last) = page.chunks.last() else {
            return Ok(shape);
        };
        for chunk in page.chunks.iter().filter(|chunk| chunk.last() > after) {
            shape.commits += 1;
            shape.chunk_bytes += chunk.bytes().len();
            // Accepted and delivered.
            shape.sends += usize::try_from(chunk.header().count).or_stop()? / 2;
        }
        after = last.last();
    }
}

/// Writes the same bytes in as many durable commits, as one row each; returns seconds.
fn alone(file: &Path, shape: Shape) -> Result<f64, Failure> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    let database = builder.create(file).or_stop()?;
    let bytes = shape.chunk_bytes + shape.sends * BODY.len();
    let row = vec![7; bytes / shape.commits.max(1)];
    commit(&database, 0, &row)?;
    let start = Watch::start();
    for number in 1..=shape.commits {
        commit(&database, u64::try_from(number).or_stop()?, &row)?;
    }
    Ok(start.seconds())
}

fn commit(database: &Database, number: u64, row: &[u8]) -> Result<(), Failure> {
    let mut transaction = database.begin_write().or_stop()?;
    transaction
        .set_durability(Durability::Immediate)
        .or_stop()?;
    {
        let mut rows = transaction.open_table(ROWS).or_stop()?;
        rows.insert(number, row).or_stop()?;
    }
    transaction.commit().or_stop()
}
