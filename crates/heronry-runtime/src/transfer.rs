//! Whole pools on their way: between stores, into a file of JSON lines, and out of one.
//!
//! - [`copy`] copies pools; each copy starts a new timeline, so that no cursor can mean two records.
//! - [`move_all`] moves every pool of a store: cursors, epochs and hashes stay, and the source is
//!   sealed, so that at no moment two stores can be written under one epoch. [`resume_move`] finishes a
//!   move that broke off, and [`abandon_move`] takes it back; [`resume_without_source`] and
//!   [`abandon_without_source`] end one whose source is lost.
//! - [`export`] writes a pool as lines of JSON that lose nothing; [`import`] reads them, compares
//!   every hash, and starts a new timeline.
//!
//! At the new place no pool is seen before all of them are there. A refused transfer changes
//! nothing that anybody sees.

mod copy;
mod error;
mod export;
mod fleet;
mod import;
mod landing;
mod lines;
mod lost;
mod moves;
mod path;
mod reading;
mod source;
mod taken;

use std::sync::Arc;

use heronry_store::{Clock, IdSource};
use heronry_types::{Cursor, PoolId};
use serde::Serialize;

pub use copy::copy;
pub use error::TransferError;
pub use export::{Export, export};
pub use import::{import, verify};
pub use lost::{abandon_without_source, resume_without_source};
pub use moves::{abandon_move, move_all, resume_move};

/// The parts with which pools are moved: the clock, the source of fresh epochs, and the name of the
/// mover.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new epochs.
    pub ids: Arc<dyn IdSource>,
    /// Names this process in the errors of others that want the same pools.
    pub owner: String,
}

/// The choice of pools.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pools {
    /// Every pool of the store.
    All,
    /// This pool alone.
    One(PoolId),
}

/// The choice to take bodies along or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bodies {
    /// Bodies go along.
    Included,
    /// Bodies stay behind. Receipts still name them, and reading one says that it is missing.
    LeftOut,
}

/// A pool that was exported, or that is at its new place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Carried {
    /// The pool.
    pub pool: PoolId,
    /// The head of the pool; of a copy or an import, the head at the new place.
    pub head: Cursor,
    /// The number of chunks that went along, without the one that starts the new timeline.
    pub chunks: u64,
    /// The number of bodies that went along.
    pub contents: u64,
}
