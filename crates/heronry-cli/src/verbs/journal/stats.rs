//! `heronry journal stats`.

use std::collections::BTreeMap;

use heronry_types::{Cursor, PoolId};
use serde::Serialize;

use super::{Opened, damaged};
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    out::Rows,
    text::add,
};

/// What a store holds.
#[derive(Debug, Serialize)]
struct Stats {
    pools: Vec<PoolStats>,
}

/// What one pool's journal holds.
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

pub(super) async fn run(cx: &Context, opened: &Opened) -> Outcome {
    let mut stats = Stats { pools: Vec::new() };
    for pool in opened.pools(cx).await? {
        stats.pools.push(count(opened, pool).await?);
    }
    cx.out.answer(&stats, Rows::Of("pools"), || {
        let pools: Vec<String> = stats.pools.iter().map(text_of).collect();
        pools.join("\n")
    })?;
    Ok(Exit::Ok)
}

async fn count(opened: &Opened, pool: PoolId) -> Result<PoolStats, Failure> {
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

fn text_of(stats: &PoolStats) -> String {
    let mut text = format!(
        "{}: {} records in {} chunks, {} bytes, floor {}, head {}",
        stats.pool, stats.records, stats.chunks, stats.chunk_bytes, stats.floor, stats.head
    );
    for (kind, count) in &stats.kinds {
        add(&mut text, format_args!("\n  {count:>8}  {kind}"));
    }
    text
}
