//! The port of an embedded database under a store.

use std::sync::Arc;

use heronry_types::Durability;

use crate::{PlacedKey, Table};
use heronry_store::{
    StoreError,
    runs::{KeyRange, Order, See},
};

/// An embedded database that keeps the tables of one store.
///
/// Dropping it closes the database and frees the place; that happens on the writer thread.
pub trait Database: Send + Sync + 'static {
    /// The name of the adapter, as `redb`.
    const NAME: &'static str;

    /// The durability that a successful commit promises.
    const DURABILITY: Durability;

    /// Has one transaction filled, and commits it with one sync when it changes anything.
    ///
    /// Only the writer thread calls this. After a crash all of the transaction is there or
    /// nothing. After an error its outcome is unknown, and nothing is committed any more.
    ///
    /// # Errors
    /// The error of `fill`, and any failure of the transaction.
    fn commit(&self, fill: &mut Fill<'_>) -> Result<(), StoreError>;

    /// Has `look` read committed rows. They may be ahead of the last sync: the gate decides which
    /// of them are shown.
    ///
    /// The last holder of the database closes it: here that may be this call.
    ///
    /// # Errors
    /// The error of `look`, and a database that cannot be read.
    fn read<T, E: From<StoreError>>(
        self: Arc<Self>,
        op: &'static str,
        look: impl FnOnce(&dyn Reading) -> Result<T, E>,
    ) -> Result<T, E>;
}

/// Fills a transaction.
pub type Fill<'a> = dyn FnMut(&mut dyn Rows) -> Result<(), StoreError> + 'a;

/// The rows of one write transaction, as it sees them itself.
pub trait Rows {
    /// Writes a row.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes the rows of a table from one key up to, and without, another.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn remove(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<(), StoreError>;

    /// Returns a row.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Returns the keys of a table between two keys, both included, in their order.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn keys(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Returns how many rows a table has between two keys, both included.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn count(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<usize, StoreError>;

    /// Returns true when a table has a row.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn has(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError>;

    /// Returns the last [placed](crate::row_keys::placed) key of a table between two keys, both
    /// included.
    ///
    /// # Errors
    /// Any failure of the transaction.
    fn last_key(
        &mut self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<PlacedKey>, StoreError>;
}

/// Rows that were committed.
pub trait Reading {
    /// Walks the rows of a table between two keys, both included, until it is told to stop.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that is not whole.
    fn walk(
        &self,
        table: Table,
        range: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError>;
}
