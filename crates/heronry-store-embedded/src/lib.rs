#![doc = include_str!("../README.md")]

mod baseline;
mod batch;
mod before;
mod chunks;
mod contents;
mod cursor;
mod database;
mod delete;
mod erase;
pub mod files;
mod job;
mod keys;
mod load;
mod pack;
mod pool;
mod ports;
mod projection;
mod readable;
mod readers;
mod row;
pub mod row_keys;
mod snapshot;
mod summary;
mod writer;

use heronry_store::{StoreError, StoreErrorKind};

pub use heronry_store::{
    checksum::{CHECKSUM_BYTES, seal, unseal},
    runs::{KeyRange, Order, See},
};

pub use database::{Database, Fill, Reading, Rows};
pub use load::{Purpose, load};
pub use pool::WriterPools;
pub use ports::Embedded;
pub use row::{PlacedKey, PoolRow, RowJournal, Table};

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
