#![doc = include_str!("../README.md")]

mod backup;
mod carried;
mod copy;
mod error;
mod export;
mod fleet;
mod import;
mod keys;
mod landing;
mod lines;
mod lost;
mod moves;
mod path;
mod reading;
mod source;
mod taken;
mod timeline;

pub use backup::{RestoredTimeline, back_up, restore};
pub use carried::{Bodies, Carried, Carrier, Pools};
pub use copy::copy;
pub use error::TransferError;
pub use export::{Export, export};
pub use import::{import, receive, verify};
pub use lost::{abandon_without_source, resume_without_source};
pub use moves::{abandon_move, move_all, resume_move};
pub use timeline::{TimelineStart, start_after};
