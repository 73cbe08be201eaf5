//! `heronry journal stats`.

use std::collections::BTreeMap;

use heronry_types::{Cursor, PoolId, counted};
use serde::Serialize;

use super::{OpenedStore, damaged};
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// The totals of a store.
#[derive(Debug, Serialize)]
struct Stats {
    pools: Vec<PoolStats>,
}

/// The totals of one pool's journal.
#[derive(Debug, Serialize)]
struct PoolStats {
    pool: PoolId,
    head: Cursor,
    /// The lowest cursor that can be read from.
    floor: Cursor,
    chunks: u64,
    records: u64,
    chunk_bytes: u64,
    kinds: BTreeMap<String, u64>,
}

/// The fields of that.
pub(crate) const POOL_FIELDS: [&str; 7] = [
    "pool",
    "head",
    "floor",
    "chunks",
    "records",
    "chunk_bytes",
    "kinds",
];

pub(super) async fn run(cx: &Context, opened: &OpenedStore) -> Outcome {
    let mut stats = Stats { pools: Vec::new() };
    for pool in opened.pools(cx).await? {
        stats.pools.push(count(opened, pool).await?);
    }
    cx.out.answer(&stats, RowsPlace::Of("pools"), || {
        stats.pools.iter().map(lines_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

async fn count(opened: &OpenedStore, pool: PoolId) -> Result<PoolStats, Failure> {
    let head = opened.head(&pool).await?;
    let mut stats = PoolStats {
        head: Cursor::new(head.epoch, head.head),
        floor: Cursor::new(head.epoch, head.floor.previous()),
        chunks: 0,
        records: 0,
        chunk_bytes: 0,
        kinds: BTreeMap::new(),
        pool,
    };
    let mut after = head.floor.previous();
    loop {
        let chunks = opened.chunks(&stats.pool, after).await?;
        let Some(last) = chunks.last() else {
            return Ok(stats);
        };
        if let Some(first) = chunks.first().filter(|_| stats.chunks == 0) {
            stats.floor.epoch = first.header().epoch;
        }
        for chunk in &chunks {
            stats.chunks += 1;
            stats.chunk_bytes += chunk.bytes().len() as u64;
            for record in chunk.records() {
                let record = record.map_err(|error| damaged(&stats.pool, &error))?;
                stats.records += 1;
                *stats.kinds.entry(record.kind().to_string()).or_default() += 1;
            }
        }
        after = last.last();
    }
}

fn lines_of(stats: &PoolStats) -> Lines {
    let records = counted(stats.records, "record");
    let chunks = counted(stats.chunks, "chunk");
    let bytes = counted(stats.chunk_bytes, "byte");
    let mut lines = Lines::of(format_args!(
        "{}: {records} in {chunks}, {bytes}, floor {}, head {}",
        stats.pool, stats.floor, stats.head
    ));
    for (kind, count) in &stats.kinds {
        lines.line(format_args!("  {count:>8}  {kind}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use heronry_types::{Epoch, Position};

    use super::*;
    use crate::fields::check_names;

    #[test]
    fn the_fields_of_a_pool_are_all_known() {
        let cursor = Cursor::new(Epoch([0; 16]), Position(1));
        let stats = PoolStats {
            pool: PoolId::parse("p").unwrap(),
            head: cursor,
            floor: cursor,
            chunks: 1,
            records: 1,
            chunk_bytes: 1,
            kinds: BTreeMap::new(),
        };
        check_names(&stats, &POOL_FIELDS);
    }
}
