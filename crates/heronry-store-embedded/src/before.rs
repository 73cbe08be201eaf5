//! Rows beside the journal, for which heads are no gate: nobody sees one before it is synced.

use std::{
    collections::BTreeMap,
    ops::{ControlFlow, RangeInclusive},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use crate::{Database, Order, Reading, Rows, See, Table};
use heronry_store::{StoreError, runs::KeyRange};

/// A row's table and key.
type RowKey = (u8, Vec<u8>);

/// Rows as they were before the transaction that is under way. Readers look here first, because a
/// database may show them what is not synced.
#[derive(Debug, Default)]
pub(crate) struct Before {
    rows: RwLock<BTreeMap<RowKey, Option<Vec<u8>>>>,
}

impl Before {
    /// Writes a row, or removes it, and keeps for readers what was there.
    pub(crate) fn replace(
        &self,
        rows: &mut dyn Rows,
        (table, key): (Table, &[u8]),
        row: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let before = rows.get(table, key)?;
        if row.is_none() && before.is_none() {
            return Ok(());
        }
        self.rows
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((table as u8, key.to_vec()))
            .or_insert(before);
        match row {
            Some(row) => rows.insert(table, key, row),
            None => rows.remove(table, key, &after(key)),
        }
    }

    /// Writes a row where there was none.
    pub(crate) fn add(
        &self,
        rows: &mut dyn Rows,
        (table, key): (Table, &[u8]),
        row: &[u8],
    ) -> Result<(), StoreError> {
        let mut before = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        before.entry((table as u8, key.to_vec())).or_insert(None);
        drop(before);
        rows.insert(table, key, row)
    }

    /// Returns a view of a table as it was before the transaction that is under way; nothing is
    /// replaced while this is held. To be taken when the database has let the reader in.
    pub(crate) fn view(&self, table: Table) -> View<'_> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        View { table, rows }
    }

    /// Lets readers see what the transaction wrote: it is synced.
    pub(crate) fn forget(&self) {
        let is_empty = self
            .rows
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty();
        if !is_empty {
            let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
            *rows = BTreeMap::new();
        }
    }

    /// Reads the rows between two keys, both included, as of the last sync.
    pub(crate) fn read<D: Database>(
        &self,
        database: Arc<D>,
        op: &'static str,
        table: Table,
        range: KeyRange<'_>,
    ) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
        let numbered = keys_of(table, range);
        let mut found = BTreeMap::new();
        database.read(op, |rows| {
            // Held while rows are read, so that none is replaced in between; and taken when the
            // database has let the reader in, because it may keep readers out of a transaction.
            let before = self.rows.read().unwrap_or_else(PoisonError::into_inner);
            let kept: Vec<_> = before.range(numbered.clone()).collect();
            // One row that is being replaced may be half written, and is not looked at.
            let is_known = range.from == range.to && !kept.is_empty();
            if !is_known {
                collect(rows, table, range, &mut found)?;
            }
            for ((_, key), row) in kept {
                match row {
                    Some(row) => found.insert(key.clone(), row.clone()),
                    None => found.remove(key),
                };
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }
}

fn collect(
    rows: &dyn Reading,
    table: Table,
    range: KeyRange<'_>,
    found: &mut BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<(), StoreError> {
    rows.walk(table, range, Order::Ascending, &mut |key, row| {
        found.insert(key.to_vec(), row.to_vec());
        ControlFlow::Continue(())
    })
}

/// Returns a range of a table as a range of what is kept of all tables.
fn keys_of(table: Table, range: KeyRange<'_>) -> RangeInclusive<RowKey> {
    let number = table as u8;
    (number, range.from.to_vec())..=(number, range.to.to_vec())
}

/// A table as it was before the transaction that is under way.
pub(crate) struct View<'a> {
    table: Table,
    rows: RwLockReadGuard<'a, BTreeMap<RowKey, Option<Vec<u8>>>>,
}

impl View<'_> {
    /// Walks the rows between two keys, both included, until it is told to stop.
    pub(crate) fn walk(
        &self,
        reading: &dyn Reading,
        range: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError> {
        // Most often nothing is under way.
        if self.rows.is_empty() {
            return reading.walk(self.table, range, order, see);
        }
        let mut kept = self.kept(range, order).into_iter().peekable();
        let mut goes_on = ControlFlow::Continue(());
        reading.walk(self.table, range, order, &mut |key, row| {
            let before = std::iter::from_fn(|| kept.next_if(|(it, _)| precedes(order, it, key)));
            goes_on = see_all(before, see);
            if goes_on.is_continue() && !self.has(key) {
                goes_on = see(key, row);
            }
            goes_on
        })?;
        if goes_on.is_continue() {
            // A walk that was told to stop is over, as every other.
            let (ControlFlow::Continue(()) | ControlFlow::Break(())) = see_all(kept, see);
        }
        Ok(())
    }

    /// Returns the rows of a range that are being replaced, as they were.
    fn kept(&self, range: KeyRange<'_>, order: Order) -> Vec<(&[u8], &[u8])> {
        let rows = self.rows.range(keys_of(self.table, range));
        let rows = rows.filter_map(|((_, key), row)| Some((key.as_slice(), row.as_deref()?)));
        let mut kept: Vec<_> = rows.collect();
        if order == Order::Descending {
            kept.reverse();
        }
        kept
    }

    fn has(&self, key: &[u8]) -> bool {
        self.rows.contains_key(&(self.table as u8, key.to_vec()))
    }
}

fn see_all<'a>(
    mut rows: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    see: &mut See<'_>,
) -> ControlFlow<()> {
    rows.try_for_each(|(key, row)| see(key, row))
}

fn precedes(order: Order, one: &[u8], other: &[u8]) -> bool {
    match order {
        Order::Ascending => one < other,
        Order::Descending => one > other,
    }
}

/// Returns the key that follows a key.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
