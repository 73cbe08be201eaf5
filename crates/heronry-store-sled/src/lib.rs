#![doc = include_str!("../README.md")]

mod closing_mark;
mod copy;
mod disk;
mod failure;
mod files;
mod format;
mod fragment;
mod log;
mod open;
mod place;
mod reader;
mod rows;
mod settle;
mod store;

pub use disk::{DiskHook, DiskOp};
pub use files::SledFiles;
pub use store::SledStore;
