//! Opening a pool of very many records again, and the cost of snapshots and trims for those who send meanwhile.

use std::{path::Path, sync::Arc};

use heronry_runtime::{Holding, Pool, Runtime, RuntimeOptions, SNAPSHOT_EVERY, TrimTo};
use heronry_store::{LEASE_TERM, Snapshot, Store};
use heronry_store_redb::RedbStore;
use heronry_types::{PoolId, Position, Timestamp};

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    row::{FigureRow, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The callers that send beside a snapshot and a trim: fewer than it takes for the highest rate.
const CALLERS: usize = 16;
/// The messages that are sent before all of them are read.
const AT_ONCE: usize = 10_000;

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let file = folder.join("reopen.redb");
    let records = scale.of(1_000_000) as u64;
    let mut ground = Ground::on_redb(&file).await?;
    grow(&mut ground, records).await?;
    let pool = ground.pool.id().clone();
    ground.stop().await;
    let mut without = Vec::new();
    let mut with = Vec::new();
    let behind = SNAPSHOT_EVERY.min(records / 4);
    for _ in 0..scale.rounds() {
        put(&file, &pool, None).await?;
        without.push(reopened(&file, &pool).await?);
    }
    let older = older_snapshot(&file, &pool, behind).await?;
    for _ in 0..scale.rounds() {
        put(&file, &pool, older.clone()).await?;
        with.push(reopened(&file, &pool).await?);
    }
    let what = format!("opening {records} records from the journal");
    let mut rows = vec![FigureRow::new(what, median(&mut without), "s").at_most(5.0)];
    let what = format!("opening {records} records from a snapshot");
    let note = format!("the snapshot is {behind} records old, as old as it gets");
    rows.push(
        FigureRow::new(what, median(&mut with), "s")
            .at_most(1.0)
            .note(note),
    );
    rows.push(beside(scale, folder, records).await?);
    std::fs::remove_file(&file).or_stop()?;
    Ok(rows)
}

/// Sends, reads and acknowledges until the journal has this many records.
async fn grow(ground: &mut Ground, records: u64) -> Result<(), Failure> {
    while ground.pool.head().position.0 < records {
        let left = records - ground.pool.head().position.0;
        // A message is two records, and a few more for all of them.
        let messages = usize::try_from(left / 2 + 1).unwrap_or(AT_ONCE);
        let sends = Sends::of(64.min(messages), messages.min(AT_ONCE));
        ground.send(sends).await?;
        ground.settle().await?;
    }
    Ok(())
}

fn open(file: &Path) -> Result<Store, Failure> {
    Ok(Store::of(Arc::new(RedbStore::open(file).or_stop()?)))
}

/// Puts a snapshot in place of the one that is there, or takes it away.
async fn put(file: &Path, pool: &PoolId, snapshot: Option<Snapshot>) -> Result<(), Failure> {
    let store = open(file)?;
    let now = Timestamp::default();
    let token = store.leases.acquire(pool, "bench", now, LEASE_TERM);
    let token = token.await.or_stop()?;
    match snapshot {
        Some(snapshot) => store.snapshots.put(pool, snapshot, token).await.or_stop()?,
        None => store.snapshots.delete(pool, token).await.or_stop()?,
    }
    store.leases.release(pool, token).await.or_stop()
}

/// Returns the seconds that it takes to open the file and the pool.
async fn reopened(file: &Path, pool: &PoolId) -> Result<f64, Failure> {
    let start = Watch::start();
    let store = open(file)?;
    let runtime = Runtime::new(store, RuntimeOptions::new([7; 32], "bench"));
    runtime.find(pool).await.or_stop()?;
    let seconds = start.seconds();
    runtime.shutdown().await;
    Ok(seconds)
}

/// Returns a snapshot that the journal has gone beyond by this many records.
async fn older_snapshot(
    file: &Path,
    pool: &PoolId,
    behind: u64,
) -> Result<Option<Snapshot>, Failure> {
    let store = open(file)?;
    let runtime = Runtime::new(store.clone(), RuntimeOptions::new([7; 32], "bench"));
    let found = runtime.find(pool).await.or_stop()?;
    found.snapshot().await.or_stop()?;
    let older = store.snapshots.latest(pool).await.or_stop()?;
    runtime.shutdown().await;
    drop((found, runtime, store));
    let mut ground = Ground::again(open(file)?).await?;
    let records = ground.pool.head().position.0 + behind;
    grow(&mut ground, records).await?;
    ground.stop().await;
    Ok(older)
}

/// Sends while a snapshot of the whole journal is made and half of it is trimmed, and without.
async fn beside(scale: Scale, folder: &Path, records: u64) -> Result<FigureRow, Failure> {
    let file = folder.join("beside.redb");
    let slice = Sends::of(CALLERS, scale.of(2_000));
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    let mut ground = Ground::on_redb(&file).await?;
    grow(&mut ground, records).await?;
    for _ in 0..scale.rounds() {
        alone.push(sent(&mut ground, slice).await?);
    }
    let keeping = tokio::spawn(keep(ground.pool.clone(), records / 2));
    while !keeping.is_finished() {
        together.push(sent(&mut ground, slice).await?);
    }
    keeping.await.or_stop()??;
    let slices = together.len();
    let (alone, together) = (median(&mut alone), median(&mut together));
    ground.stop().await;
    std::fs::remove_file(&file).or_stop()?;
    let what = format!("send beside a snapshot and a trim of {records} records ÷ alone");
    let note =
        format!("{together:.0} µs beside {alone:.0} µs a send, {CALLERS} callers, {slices} slices");
    Ok(FigureRow::new(what, together / alone, "×")
        .at_most(1.1)
        .note(note))
}

/// Takes a snapshot, and trims the journal up to a position.
async fn keep(pool: Pool, upto: u64) -> Result<(), Failure> {
    pool.snapshot().await.or_stop()?;
    let upto = TrimTo::Upto(pool.cursor(Position(upto)));
    pool.trim(upto, Holding::Heeded).await.or_stop()?;
    Ok(())
}

/// Returns the microseconds that one send takes.
async fn sent(ground: &mut Ground, slice: Sends) -> Result<f64, Failure> {
    let (_, latencies) = ground.send(slice).await?;
    let each = latencies.iter().sum::<f64>() / figure(latencies.len());
    ground.settle().await?;
    Ok(each)
}
