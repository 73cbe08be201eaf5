//! Trims and snapshots, beside the appends: one at a time.

mod plan;
mod snapshots;
mod trims;

use heronry_store::CommitOutcome;
use heronry_types::Position;
use tokio::sync::mpsc;

use super::{Flow, PoolActor};
use crate::{
    CallError, StopReason,
    consumer::Standstill,
    keeping::{Folds, KeepRequest},
};

use plan::KnownOfTrims;
use snapshots::SnapshotSize;
use trims::KeylessTrim;

/// The trims and snapshots of an actor.
pub(super) struct Keeping {
    pub(super) folds: Folds,
    pub(super) requests: mpsc::Receiver<KeepRequest>,
    /// The number of records after which a snapshot is taken.
    pub(super) every: u64,
    /// The point of the last snapshot that this process knows.
    pub(super) snapshot_at: Position,
    /// Lets a trim have its last look at consumers.
    pub(super) standstill: Standstill,
    /// The facts that are remembered from one trim to the next.
    known: KnownOfTrims,
    is_busy: bool,
    /// The size of the state, compared with what the store takes.
    size: SnapshotSize,
    /// A trim that waits for the store to take keys.
    waits_for_keys: Option<KeylessTrim>,
}

impl Keeping {
    pub(super) fn new(folds: Folds, requests: mpsc::Receiver<KeepRequest>, every: u64) -> Self {
        Self {
            folds,
            requests,
            every,
            snapshot_at: Position::ZERO,
            standstill: Standstill::default(),
            known: KnownOfTrims::default(),
            is_busy: false,
            size: SnapshotSize::Fits,
            waits_for_keys: None,
        }
    }

    /// Waits for the next wish, when nothing is under way. May be dropped and asked again.
    pub(super) async fn next(&mut self) -> KeepRequest {
        if !self.is_busy
            && let Some(request) = self.requests.recv().await
        {
            return request;
        }
        std::future::pending().await
    }
}

impl PoolActor {
    /// Takes up a wish.
    pub(super) fn keep(&mut self, request: KeepRequest) -> Flow {
        match request {
            KeepRequest::Snapshot(reply) => self.take_snapshot(Some(reply)),
            KeepRequest::Trim(request) => {
                self.keeping.is_busy = true;
                let upto = self.shown.head;
                self.trim_when_keys_are_kept(KeylessTrim { request, upto });
            }
        }
        Flow::Go
    }
}

fn stopping() -> CallError {
    CallError::Stopped {
        outcome: CommitOutcome::None,
        why: StopReason::Shutdown,
    }
}
