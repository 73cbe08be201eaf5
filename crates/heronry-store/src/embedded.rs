//! Parts shared by adapters over embedded databases: the layout of rows, the writer, and the
//! reading gate.
//!
//! This module is for those who write an adapter. An embedded database keeps rows of bytes in the
//! order of their keys, and commits transactions. An adapter says how one is created, opened and
//! synced ([`Database`]), how a transaction is filled ([`Rows`]) and how rows are walked
//! ([`Reading`]); the rest is here, so that all such adapters answer alike:
//!
//! - one writer thread takes whatever has queued up, from however many pools, judges each guard by
//!   itself, and has it committed with one sync;
//! - one gate: heads move after the sync, then the callers are answered, then watchers are rung;
//! - after one failed commit nothing is written or read any more, and every call says so;
//! - a chunk is one row, all contents of a commit are one more row, and every row is checked when
//!   it is read.
//!
//! An adapter wraps an [`Embedded`] in a type of its own and implements [`EmbeddedStore`] for it;
//! that type then has all ports: [`Journal`](crate::Journal), [`Contents`](crate::Contents),
//! [`Leases`](crate::Leases), [`Claims`](crate::Claims), [`Snapshots`](crate::Snapshots) and
//! [`Cursors`](crate::Cursors).
//!
//! It is no key-value layer for anything else: the tables are those of a store, and the keys are
//! those of [`keys`](crate::keys).

mod batch;
mod beside;
mod chunks;
mod claims;
mod contents;
mod cursor;
mod database;
mod delete;
mod erase;
pub mod files;
mod job;
mod load;
mod pack;
mod pool;
mod ports;
mod readable;
mod row;
mod snapshot;
mod summary;
mod writer;

pub use database::{Database, Fill, Order, Reading, Rows, See};
pub use load::{Purpose, load};
pub use pool::WriterPools;
pub use ports::{Embedded, EmbeddedStore};
pub use row::{CHECKSUM_BYTES, PlacedKey, PoolRow, RowJournal, Table, seal, unseal};

use crate::{StoreError, StoreErrorKind};

/// Returns the error of stored bytes that are not what they must be.
fn corrupt(op: &'static str, detail: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, op, detail)
}

/// Returns what a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// Runs what reads stored bytes. Embedded databases panic on some damage; that is an error of kind
/// [`Corrupt`](StoreErrorKind::Corrupt) here, not a crash.
///
/// # Errors
/// The error of the operation, or [`Corrupt`](StoreErrorKind::Corrupt) with the text of its panic.
pub fn guarded<T, E: From<StoreError>>(
    op: &'static str,
    read: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let detail = format!("the store is damaged: {}", panic_text(&*panic));
        Err(corrupt(op, detail).into())
    })
}
