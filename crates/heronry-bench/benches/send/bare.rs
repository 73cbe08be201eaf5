//! The bare store: one row of the same bytes for each commit, and nothing else.

use std::{path::Path, time::Instant};

use redb::{Database, Durability, TableDefinition};

use crate::engine::SendCounts;

const ROWS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("rows");

/// Writes the same bytes in as many durable commits, and returns how long it took, in seconds.
pub(crate) fn commits(folder: &Path, shape: &SendCounts) -> f64 {
    let mut builder = Database::builder();
    builder.set_cache_size(64 * 1024 * 1024);
    let database = builder.create(folder.join("bare.redb")).unwrap();
    let row = vec![7; (shape.chunk_bytes + shape.body_bytes) / shape.commits];
    let batch = (shape.sends / shape.commits).max(1) as u64;
    commit(&database, 0, &row);
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let start = Instant::now();
    for number in 0..shape.commits as u64 {
        commit(&database, 1 + number * batch * 2, &row);
    }
    start.elapsed().as_secs_f64()
}

fn commit(database: &Database, position: u64, row: &[u8]) {
    let mut transaction = database.begin_write().unwrap();
    transaction.set_durability(Durability::Immediate).unwrap();
    {
        let mut rows = transaction.open_table(ROWS).unwrap();
        rows.insert((1, position), row).unwrap();
    }
    transaction.commit().unwrap();
}
