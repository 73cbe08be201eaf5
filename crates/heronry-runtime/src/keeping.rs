//! Keeping a journal short and its pool quick to open: trims and snapshots, made beside the actor.

mod baseline;
mod error;
mod folds;
mod holds;
mod retention;
mod sizes;

use heronry_types::{Cursor, Millis, Retention};
use tokio::sync::{mpsc, oneshot};

pub use error::{SnapshotError, TrimError};
pub(crate) use folds::{FoldEnd, Folds};
pub use holds::Hold;
pub(crate) use holds::{HeldTrim, HoldsAt};
pub(crate) use retention::Retaining;
pub(crate) use sizes::JournalSizes;

use crate::{CallError, Pool, StopReason};
use heronry_store::CommitOutcome;

/// The most requests that wait for a pool to take them up.
const REQUESTS_MAX: usize = 8;

/// The records that a trim drops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrimTo {
    /// Those up to this cursor, as far as whole chunks end there.
    Upto(Cursor),
    /// Those that were decided longer ago than this.
    Older(Millis),
    /// Those that this does not keep.
    Kept(Retention),
}

/// The respect of a trim for what still needs the records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Holding {
    /// Nothing is dropped when somebody still needs some of it.
    #[default]
    Heeded,
    /// As much is dropped as nobody needs.
    Yielding,
    /// What a consumer or a look back needs is dropped all the same: they get a gap or a typed error.
    Overridden,
}

/// The outcome of a trim.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Trimmed {
    /// The lowest valid cursor from here on: what follows it is kept.
    pub floor: Cursor,
    /// The head of the journal.
    pub head: Cursor,
    /// What kept the floor from moving as far as was asked, when something did and less was dropped.
    pub held_by: Option<Hold>,
}

/// The outcome of a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SnapshotTaken {
    /// The point whose state it is.
    pub at: Cursor,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A wish that the actor of a pool takes up.
#[derive(Debug)]
pub(crate) enum KeepRequest {
    Trim(TrimRequest),
    Snapshot(oneshot::Sender<Result<SnapshotTaken, SnapshotError>>),
}

/// A wish to trim.
#[derive(Debug)]
pub(crate) struct TrimRequest {
    pub(crate) to: TrimTo,
    pub(crate) holding: Holding,
    pub(crate) reply: oneshot::Sender<Result<Trimmed, TrimError>>,
}

/// Where wishes are handed to an actor.
pub(crate) type KeepRequests = mpsc::Sender<KeepRequest>;

pub(crate) fn requests() -> (KeepRequests, mpsc::Receiver<KeepRequest>) {
    mpsc::channel(REQUESTS_MAX)
}

/// The error of a wish that no actor takes up any more.
fn stopped() -> CallError {
    CallError::Stopped {
        outcome: CommitOutcome::Unknown,
        why: StopReason::Shutdown,
    }
}

impl Pool {
    /// Drops records at the start of the journal. A baseline stands for them from then on, so that the pool opens
    /// as before; keys of theirs answer for their time.
    ///
    /// # Errors
    /// [`TrimError`]; only a store that failed leaves open whether they are gone.
    pub async fn trim(&self, to: TrimTo, holding: Holding) -> Result<Trimmed, TrimError> {
        let (reply, outcome) = oneshot::channel();
        let request = TrimRequest { to, holding, reply };
        let sent = self.shared().keep.send(KeepRequest::Trim(request)).await;
        sent.map_err(|_| TrimError::Stopped(stopped()))?;
        let outcome = outcome.await;
        outcome.unwrap_or_else(|_| Err(TrimError::Stopped(stopped())))
    }

    /// Takes a snapshot at the durable head, so that the pool opens quickly the next time.
    ///
    /// # Errors
    /// [`SnapshotError`]. Nothing but speed is lost with a snapshot.
    pub async fn snapshot(&self) -> Result<SnapshotTaken, SnapshotError> {
        let (reply, outcome) = oneshot::channel();
        let sent = self.shared().keep.send(KeepRequest::Snapshot(reply)).await;
        sent.map_err(|_| SnapshotError::Stopped(stopped()))?;
        let outcome = outcome.await;
        outcome.unwrap_or_else(|_| Err(SnapshotError::Stopped(stopped())))
    }
}
