//! What is read when a store is opened.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use heronry_types::PoolId;

use super::{
    Order, PoolRow, Reading, Table, WriterPool, WriterPools,
    chunks::{Chunks, pool_numbers},
    corrupt,
};
use crate::{Ownership, StoreError};

const OPEN: &str = "open the store";

/// Reads who may write, and where each journal stands.
///
/// # Errors
/// [`Corrupt`](crate::StoreErrorKind::Corrupt) and
/// [`NewerSchema`](crate::StoreErrorKind::NewerSchema), naming pool and position, and the
/// database's own failures.
pub fn load(rows: &dyn Reading) -> Result<WriterPools, StoreError> {
    let mut found = Vec::new();
    let every = (&[][..], &[u8::MAX][..]);
    rows.walk(Table::Pools, every, Order::Ascending, &mut |key, row| {
        found.push((key.to_vec(), row.to_vec()));
        ControlFlow::Continue(())
    })?;
    let mut pools = HashMap::new();
    for (key, row) in found {
        let name = pool_name(&key)?;
        let pool = load_pool(rows, &name, &row)?;
        pools.insert(name, pool);
    }
    check_no_stray(rows, &pools)?;
    Ok(pools)
}

fn load_pool(rows: &dyn Reading, name: &PoolId, row: &[u8]) -> Result<WriterPool, StoreError> {
    let damaged = |what| corrupt(OPEN, format!("pool {name}: {what}"));
    let row = PoolRow::decode(name.as_str().as_bytes(), row)
        .ok_or_else(|| damaged("its row is damaged"))?;
    let no = row.no;
    let head = Chunks { rows, name, no }.head()?;
    if head.map(|head| head.epoch) != row.epoch {
        return Err(damaged("its journal is missing, or another's"));
    }
    Ok(WriterPool {
        no,
        ownership: Ownership::free(row.token),
        head,
    })
}

/// Checks that every journal belongs to a pool: a pool whose row is lost must not seem never to
/// have been.
fn check_no_stray(rows: &dyn Reading, pools: &WriterPools) -> Result<(), StoreError> {
    let known: BTreeSet<_> = pools
        .values()
        .filter(|pool| pool.head.is_some())
        .map(|pool| pool.no)
        .collect();
    let found = pool_numbers(rows)?;
    if known == found {
        return Ok(());
    }
    let detail = format!(
        "there are {} journals, and {} pools that have one",
        found.len(),
        known.len()
    );
    Err(corrupt(OPEN, detail))
}

fn pool_name(key: &[u8]) -> Result<PoolId, StoreError> {
    let text = str::from_utf8(key).ok();
    text.and_then(|text| PoolId::parse(text).ok())
        .ok_or_else(|| corrupt(OPEN, "the name of a pool is damaged"))
}
