//! Errors of transfers.

use std::io;

use heronry_journal::{ChainError, ChunkError};
use heronry_store::{AppendError, LeaseError, MoveRoute, ReadError, StoreError};
use heronry_types::{Epoch, PoolId, Position};

/// The error of copying, moving, exporting or importing pools.
///
/// Nothing that anybody sees was changed, unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The source has no such pool.
    #[error("there is no pool {pool} in the source; name one that it has")]
    NoPool {
        /// The pool.
        pool: PoolId,
    },
    /// The pool is at the other place already.
    #[error("pool {pool} is there already; choose another place")]
    PoolExists {
        /// The pool.
        pool: PoolId,
    },
    /// The source is sealed, and its pools went elsewhere.
    #[error("the source is sealed: its pools were moved to {moved_to}; go on there")]
    Sealed {
        /// The place where the pools went.
        moved_to: String,
    },
    /// Records at the start of the journal are gone, and no baseline stands for them.
    #[error(
        "records of pool {pool} before {floor} are trimmed, and nothing stands for them; stop its server and copy \
         its data directory as a whole"
    )]
    Trimmed {
        /// The pool.
        pool: PoolId,
        /// The oldest position that is kept.
        floor: Position,
    },
    /// Records at the start of the journal are gone, and the store does not have their keys any more.
    #[error(
        "records of pool {pool} before {floor} are trimmed, and what the store knew of their idempotency keys and \
         message ids is missing or damaged; take an earlier backup, or copy the store: in the copy those keys are free"
    )]
    KeysLost {
        /// The pool.
        pool: PoolId,
        /// The oldest position that is kept.
        floor: Position,
    },
    /// A chunk of the source is damaged, or of a newer build.
    #[error("pool {pool}: {error}")]
    Chunk {
        /// The pool.
        pool: PoolId,
        /// The fault, with its place.
        #[source]
        error: ChunkError,
    },
    /// The chunks do not follow one another.
    #[error("pool {pool}: {error}")]
    Chain {
        /// The pool.
        pool: PoolId,
        /// The fault, with its place.
        #[source]
        error: ChainError,
    },
    /// A timeline starts that the journal had before.
    #[error("pool {pool}: position {at} starts a timeline for the second time; restore a copy")]
    RepeatedEpoch {
        /// The pool.
        pool: PoolId,
        /// The start.
        at: Position,
    },
    /// A pool comes with a timeline of another pool of the other place, or of the same export.
    #[error(
        "pool {pool} has timeline {epoch} of pool {by}; every timeline is of one pool, so one of the \
         two was made up: take another export"
    )]
    EpochTaken {
        /// The pool that was to arrive.
        pool: PoolId,
        /// The timeline.
        epoch: Epoch,
        /// The pool that has it.
        by: PoolId,
    },
    /// The lines do not give the chunk that they name.
    #[error("pool {pool}, position {at}: {what}; the export was changed, take another")]
    Mismatch {
        /// The pool.
        pool: PoolId,
        /// The first position of the chunk, or the record.
        at: Position,
        /// The part that does not fit.
        what: String,
    },
    /// A line is not one of an export.
    #[error("line {number}: {what}; the export was changed or cut off, take another")]
    Line {
        /// The number of the line, from 1.
        number: u64,
        /// The part that does not fit.
        what: String,
    },
    /// Writing or reading an export failed.
    #[error("cannot {doing} the export: {error}")]
    Io {
        /// The verb of the operation that failed: `open`, `read` or `write`.
        doing: &'static str,
        /// The error of the operation.
        #[source]
        error: io::Error,
    },
    /// A pool is in use.
    #[error("pool {pool}: {error}")]
    Lease {
        /// The pool.
        pool: PoolId,
        /// The refusal of the ownership, which names the owner or the move when there is one.
        #[source]
        error: LeaseError,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source cannot be read.
    #[error("pool {pool}: {error}")]
    Read {
        /// The pool.
        pool: PoolId,
        /// The failure of the store.
        #[source]
        error: ReadError,
    },
    /// The other place did not take a part.
    #[error("pool {pool}: {}", said(.error))]
    Append {
        /// The pool.
        pool: PoolId,
        /// The failure of the append.
        #[source]
        error: AppendError,
    },
    /// There is no move to finish or to take back.
    #[error(
        "no move from {} to {} has broken off; begin one with `heronry store move {} {}`",
        .route.from, .route.to, .route.from, .route.to
    )]
    NoMove {
        /// The ends that were named.
        route: MoveRoute,
    },
    /// Another move to the same place is not complete.
    #[error("a move from {} to {} is not complete: {route}", .route.from, .route.to)]
    OtherMove {
        /// Its ends.
        route: MoveRoute,
    },
    /// A move is not complete, and could not be taken back. Its pools are used at the source as before, or
    /// nowhere when it is sealed.
    #[error("the move is not complete, {error}; {route}")]
    MoveUnfinished {
        /// Its ends.
        route: MoveRoute,
        /// The failure that left the move as it is.
        #[source]
        error: Box<TransferError>,
    },
    /// A move cannot be taken back, because a pool may be in use at the other place.
    #[error(
        "pool {pool} has arrived in {} and may have been used there, so the move cannot be taken back; \
         `heronry store move {} {} --resume` finishes it",
        .route.to, .route.from, .route.to
    )]
    PoolArrived {
        /// The pool.
        pool: PoolId,
        /// The ends of the move.
        route: MoveRoute,
    },
    /// A move cannot be finished, because another pool of the same name is at the other place.
    #[error(
        "{} has another pool {pool}, so that of {} cannot arrive; `heronry store move {} {} --abandon` \
         takes the move back, or delete that pool and use --resume",
        .route.to, .route.from, .route.from, .route.to
    )]
    PoolInTheWay {
        /// The pool.
        pool: PoolId,
        /// The ends of the move.
        route: MoveRoute,
    },
    /// A move cannot be finished without its source, because a pool is not there whole.
    #[error(
        "pool {pool} has not arrived whole in {}, so the move cannot be finished without {}; \
         `heronry store move {} {} --abandon --lost` deletes what arrived",
        .route.to, .route.from, .route.from, .route.to
    )]
    NotArrived {
        /// The pool.
        pool: PoolId,
        /// The ends of the move.
        route: MoveRoute,
    },
    /// Some of several pools are at the new place, and the rest is not.
    #[error("{arrived} of the pools arrived before it failed, {error}; the others are not there")]
    Unfinished {
        /// The number of pools that arrived.
        arrived: usize,
        /// The failure that stopped the rest.
        #[source]
        error: Box<TransferError>,
    },
}

fn said(error: &AppendError) -> String {
    match error {
        AppendError::Store { error, .. } => error.to_string(),
        AppendError::Conflict { .. }
        | AppendError::Fenced { .. }
        | AppendError::Discontinuous { .. } => error.to_string(),
    }
}
