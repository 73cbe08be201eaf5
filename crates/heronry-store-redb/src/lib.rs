#![doc = include_str!("../README.md")]

mod batch;
mod disk;
mod failure;
mod held;
mod job;
mod open;
mod pack;
mod place;
mod readable;
mod reader;
mod rows;
mod store;
mod writer;

pub use disk::{DiskHook, DiskOp};
pub use store::RedbStore;
