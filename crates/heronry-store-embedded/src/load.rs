//! Reading at the opening of a store.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

use heronry_types::PoolId;

use crate::{
    Order, PoolRow, Reading, RowJournal, Table, WriterPools,
    chunks::{Chunks, pool_numbers},
    corrupt, keys,
    pool::{WriterJournal, WriterPool},
    readable::JournalView,
    row::{MOVED_KEY, RESERVED, decode_moved, decode_reserved},
    summary::CursorsDigest,
};
use heronry_store::runs::KeyRange;
use heronry_store::{Ownership, Reservation, StoreError};

const OPEN: &str = "open the store";

/// The purpose of opening a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// To work with it, which a sealed store refuses with
    /// [`Sealed`](heronry_store::StoreErrorKind::Sealed).
    Use,
    /// To look at it, whether it is sealed or not, and to leave it as it is.
    Read,
    /// To move its pools elsewhere, whether it is sealed or not.
    Move,
}

/// Reads who may write, and where each journal stands.
///
/// # Errors
/// [`Corrupt`](heronry_store::StoreErrorKind::Corrupt) and
/// [`NewerSchema`](heronry_store::StoreErrorKind::NewerSchema), naming pool and position, and the
/// database's own failures.
pub fn load(rows: &dyn Reading, purpose: Purpose) -> Result<WriterPools, StoreError> {
    let moved_to = moved_to(rows)?;
    match (purpose, &moved_to) {
        (Purpose::Use, Some(moved_to)) => return Err(StoreError::sealed(OPEN, moved_to)),
        (Purpose::Use, None) | (Purpose::Read | Purpose::Move, _) => {}
    }
    let (mut found, mut reserving) = (Vec::new(), Vec::new());
    let every = KeyRange::new(&[], &[u8::MAX]);
    rows.walk(Table::Pools, every, Order::Ascending, &mut |key, row| {
        let list = match key {
            MOVED_KEY => return ControlFlow::Continue(()),
            key if key.starts_with(RESERVED) => &mut reserving,
            _ => &mut found,
        };
        list.push((key.to_vec(), row.to_vec()));
        ControlFlow::Continue(())
    })?;
    let mut pools = HashMap::new();
    for (key, row) in found {
        let name = pool_name(&key)?;
        let pool = load_pool(rows, &name, &row)?;
        pools.insert(name, pool);
    }
    check_no_stray(rows, &pools)?;
    let mut cursors = CursorsDigest::default();
    rows.walk(Table::Cursors, every, Order::Ascending, &mut |key, row| {
        cursors.push(key, row);
        ControlFlow::Continue(())
    })?;
    let deleted = pools.iter();
    let deleted = deleted.filter(|(_, pool)| matches!(pool.journal, WriterJournal::Deleted));
    Ok(WriterPools {
        deleted: deleted.map(|(name, _)| name.clone()).collect(),
        pools,
        moved_to,
        reservation: reservation(&reserving)?.map(Arc::new),
        cursors,
    })
}

/// Returns which pools a move brings, from the rows that say so.
fn reservation(rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Option<Reservation>, StoreError> {
    let mut found: Option<Reservation> = None;
    for (key, row) in rows {
        let damaged = || corrupt(OPEN, "a row that reserves a pool for a move is damaged");
        let (pool, route) = decode_reserved(key, row).ok_or_else(damaged)?;
        let reservation = found.get_or_insert_with(|| Reservation {
            route: route.clone(),
            pools: BTreeSet::new(),
        });
        if reservation.route != route {
            return Err(damaged());
        }
        reservation.pools.insert(pool);
    }
    Ok(found)
}

/// Returns where the pools went, when the store is sealed.
fn moved_to(rows: &dyn Reading) -> Result<Option<String>, StoreError> {
    let mut found = None;
    let range = KeyRange::one(MOVED_KEY);
    rows.walk(Table::Pools, range, Order::Ascending, &mut |_, row| {
        found = Some(decode_moved(row));
        ControlFlow::Break(())
    })?;
    match found {
        None => Ok(None),
        Some(Some(moved_to)) => Ok(Some(moved_to)),
        Some(None) => Err(corrupt(
            OPEN,
            "the row that says where the pools went is damaged",
        )),
    }
}

fn load_pool(rows: &dyn Reading, name: &PoolId, row: &[u8]) -> Result<WriterPool, StoreError> {
    let damaged = |what| corrupt(OPEN, format!("pool {name}: {what}"));
    let row = PoolRow::decode(name.as_str().as_bytes(), row)
        .ok_or_else(|| damaged("its row is damaged"))?;
    let no = row.no;
    let view = |timelines| {
        let timelines = Arc::new(timelines);
        let chunks = Chunks {
            rows,
            name,
            no,
            timelines: &timelines,
        };
        let head = chunks.head()?;
        let head = head.ok_or_else(|| damaged("its journal is missing"))?;
        Ok::<_, StoreError>(JournalView { head, timelines })
    };
    let (journal, keys) = match row.journal {
        // A journal without a pool that has one is found by whoever looks for strays.
        RowJournal::None => (WriterJournal::None, keys::load(rows, no)?),
        RowJournal::Arriving(timelines) => (
            WriterJournal::Arriving(view(timelines)?),
            keys::load(rows, no)?,
        ),
        RowJournal::There(timelines) => (
            WriterJournal::There(view(timelines)?),
            keys::load(rows, no)?,
        ),
        RowJournal::Deleted => (WriterJournal::Deleted, None),
    };
    Ok(WriterPool {
        no,
        ownership: Ownership::free(row.token),
        journal,
        keys,
    })
}

/// Checks that every journal belongs to a pool: a pool whose row is lost must not seem never to
/// have been.
fn check_no_stray(
    rows: &dyn Reading,
    pools: &HashMap<PoolId, WriterPool>,
) -> Result<(), StoreError> {
    let (mut known, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    for pool in pools.values() {
        match pool.journal {
            WriterJournal::Arriving(_) | WriterJournal::There(_) => known.insert(pool.no),
            WriterJournal::Deleted => deleted.insert(pool.no),
            WriterJournal::None => false,
        };
    }
    let mut found = pool_numbers(rows)?;
    found.retain(|no| !deleted.contains(no));
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
