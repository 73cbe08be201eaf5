#![doc = include_str!("../README.md")]

mod disk;
mod failure;
mod file;
mod held_writes;
mod open;
mod place;
mod reader;
mod rows;
mod store;

pub use disk::{DiskHook, DiskOp};
pub use file::RedbFile;
pub use store::RedbStore;
