//! Deleting a pool: a mark that takes it out of sight, and then its rows, piece by piece.
//!
//! The mark is one row, so that a pool is whole or gone. Its rows go in the transactions that
//! follow, or in those after the next opening; nobody sees them any more. Numbers and tokens go on
//! rising: a row without a journal keeps those of each name that is gone.

use std::collections::HashMap;

use heronry_types::{PoolId, Position};

use crate::row_keys::{self, PoolNo};
use crate::{
    Rows, Table,
    batch::unowned,
    pool::{WriterJournal, WriterPool, WriterPools},
};
use heronry_store::{
    AppendError, CommitOutcome, FencingToken, Ownership, StoreError, StoreErrorKind,
};

/// The largest number of positions of a journal that one transaction removes.
const PIECE_POSITIONS: u64 = 1_024;

/// The tables that name positions; they are removed from the last one on.
const PLACED: [Table; 2] = [Table::Journal, Table::Packs];
/// The tables with the other rows of a pool.
const BESIDE: [Table; 6] = [
    Table::Contents,
    Table::Snapshots,
    Table::Cursors,
    Table::Keys,
    Table::Projections,
    Table::Baselines,
];

/// Takes a pool out of sight, unless the token is stale or there is no such pool.
pub(crate) fn delete(
    rows: &mut dyn Rows,
    (name, token): (&PoolId, FencingToken),
    writer: &mut WriterPools,
) -> Result<Result<(), AppendError>, StoreError> {
    let Some(pool) = writer.pools.get_mut(name) else {
        return Ok(Err(unowned(token)));
    };
    if let Err(refusal) = pool.ownership.check(token) {
        return Ok(Err(refusal));
    }
    if pool.head().is_none() {
        return Ok(Err(not_there()));
    }
    pool.journal = WriterJournal::Deleted;
    pool.keys = None;
    // Nobody has this token: whoever had the last one is stale.
    pool.ownership = Ownership::free(FencingToken(token.0.saturating_add(1)));
    pool.write_row(rows, name)?;
    writer.deleted.push_back(name.clone());
    Ok(Ok(()))
}

fn not_there() -> AppendError {
    let detail = "the pool has no journal";
    AppendError::Store {
        outcome: CommitOutcome::None,
        error: StoreError::new(StoreErrorKind::NotFound, "delete a pool", detail),
    }
}

impl WriterPools {
    /// Returns a pool. One that was not there has a number that no other had, and its tokens are
    /// above all that were given for pools that are gone.
    pub(crate) fn pool_or_fresh(&mut self, name: &PoolId) -> &mut WriterPool {
        // Only a new pool needs to know of the others.
        let fresh = (!self.pools.contains_key(name)).then(|| {
            let gone = self.pools.values().filter(|pool| pool.head().is_none());
            let token = gone.map(|pool| pool.ownership.token()).max();
            (self.next_no(), token.unwrap_or(FencingToken(0)))
        });
        let (no, token) = fresh.unwrap_or((PoolNo(0), FencingToken(0)));
        self.pools
            .entry(name.clone())
            .or_insert_with(|| WriterPool {
                ownership: Ownership::free(token),
                ..WriterPool::new(no)
            })
    }

    fn next_no(&self) -> PoolNo {
        let last = self.pools.values().map(|pool| pool.no.0).max().unwrap_or(0);
        PoolNo(last.saturating_add(1))
    }
}

/// Removes a piece of what is left of the pool that was deleted first.
pub(crate) fn sweep(rows: &mut dyn Rows, writer: &mut WriterPools) -> Result<(), StoreError> {
    let Some(name) = writer.deleted.front() else {
        return Ok(());
    };
    let pool = writer.pools.get(name);
    if let Some(pool) = pool.filter(|pool| is_deleted(pool)) {
        for table in PLACED {
            if remove_piece(rows, table, pool.no)? {
                return Ok(());
            }
        }
        remove_beside(rows, pool.no)?;
        let name = name.clone();
        bury(rows, &name, &mut writer.pools)?;
    }
    writer.deleted.pop_front();
    Ok(())
}

/// Removes everything that is left of a pool that was deleted, because it is wanted again; its rows
/// stand under another number from here on.
pub(crate) fn sweep_all(
    rows: &mut dyn Rows,
    writer: &mut WriterPools,
    name: &PoolId,
) -> Result<(), StoreError> {
    if !writer.pools.get(name).is_some_and(is_deleted) {
        return Ok(());
    }
    writer.deleted.retain(|deleted| deleted != name);
    let next = writer.next_no();
    let Some(pool) = writer.pools.get_mut(name) else {
        return Ok(());
    };
    for table in PLACED {
        let (from, to) = (row_keys::pool(pool.no), row_keys::pool(after(pool.no)));
        rows.remove(table, &from, &to)?;
    }
    remove_beside(rows, pool.no)?;
    pool.no = next;
    pool.journal = WriterJournal::None;
    Ok(())
}

fn is_deleted(pool: &WriterPool) -> bool {
    matches!(pool.journal, WriterJournal::Deleted)
}

fn after(no: PoolNo) -> PoolNo {
    PoolNo(no.0.saturating_add(1))
}

/// Removes the last rows of a table that names positions; returns false when there were none.
fn remove_piece(rows: &mut dyn Rows, table: Table, no: PoolNo) -> Result<bool, StoreError> {
    let (from, to) = (
        row_keys::placed(no, Position::ZERO),
        row_keys::placed(no, Position(u64::MAX)),
    );
    let Some(last) = rows.last_key(table, &from, &to)? else {
        return Ok(false);
    };
    let last = row_keys::read_placed(last).first;
    let first = Position(last.0.saturating_sub(PIECE_POSITIONS - 1));
    let (from, to) = (row_keys::placed(no, first), row_keys::pool(after(no)));
    rows.remove(table, &from, &to)?;
    Ok(true)
}

fn remove_beside(rows: &mut dyn Rows, no: PoolNo) -> Result<(), StoreError> {
    let (from, to) = (row_keys::pool(no), row_keys::pool(after(no)));
    for table in BESIDE {
        rows.remove(table, &from, &to)?;
    }
    Ok(())
}

/// Leaves the row of a pool that is gone: its number is given to no other, and its tokens go on
/// rising.
fn bury(
    rows: &mut dyn Rows,
    name: &PoolId,
    pools: &mut HashMap<PoolId, WriterPool>,
) -> Result<(), StoreError> {
    // Another pool without a journal may have bodies or keys of its own, so no two become one.
    let Some(pool) = pools.get_mut(name) else {
        return Ok(());
    };
    pool.ownership = Ownership::free(pool.ownership.token());
    pool.journal = WriterJournal::None;
    pool.write_row(rows, name)
}
