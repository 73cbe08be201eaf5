//! The choices of a transfer, and its results.

use std::sync::Arc;

use heronry_store::{Clock, IdSource};
use heronry_types::{Cursor, PoolId};
use serde::Serialize;

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
