//! Walking rows of a snapshot of the file.

use heronry_store::StoreError;
use heronry_store_embedded::{KeyRange, Order, Reading, See, Table};
use redb::{AccessGuard, ReadTransaction, StorageError, TableError};

use crate::{failure::failed, rows::definition};

/// A snapshot of the file.
pub(crate) struct Reader {
    pub(crate) transaction: ReadTransaction,
    /// The name of the operation, for errors.
    pub(crate) op: &'static str,
}

impl Reading for Reader {
    fn walk(
        &self,
        table: Table,
        KeyRange { from, to }: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError> {
        let op = self.op;
        let is_first = Table::FIRST.contains(&table);
        let table = match self.transaction.open_table(definition(table)) {
            Ok(table) => table,
            // Nothing was ever written to it.
            Err(TableError::TableDoesNotExist(_)) if !is_first => return Ok(()),
            Err(error) => return Err(failed(op, error)),
        };
        let rows = table.range(from..=to).map_err(|error| failed(op, error))?;
        match order {
            Order::Ascending => walk(rows, see),
            Order::Descending => walk(rows.rev(), see),
        }
        .map_err(|error| failed(op, error))
    }
}

type TableRow<'a> = Result<(RowBytes<'a>, RowBytes<'a>), StorageError>;

type RowBytes<'a> = AccessGuard<'a, &'static [u8]>;

fn walk<'a>(
    rows: impl Iterator<Item = TableRow<'a>>,
    see: &mut See<'_>,
) -> Result<(), StorageError> {
    for row in rows {
        let (key, value) = row?;
        if see(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}
