//! Snapshots of the state, taken beside the appends.

use heronry_pool::ENCODING_VERSION;
use heronry_store::{Checkpoint, Head, Snapshot, StoreError, StoreErrorKind};
use heronry_types::Position;
use tokio::sync::oneshot;

use super::stopping;
use crate::{
    SnapshotError, SnapshotTaken, StopReason,
    actor::{
        Flow, PoolActor,
        asides::{AtStop, Consequence},
    },
    keeping::FoldEnd,
};

/// The number of records since the last snapshot from which on a pool that stops takes another one.
const AT_STOP_RECORDS: u64 = 4_096;

/// The size of a state, compared with what the store takes for a snapshot. One that is too large goes without,
/// until the pool is opened again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SnapshotSize {
    Fits,
    TooLarge,
}

/// The reply of somebody who wants a snapshot; nobody does when it is time for one.
type SnapshotReply = Option<oneshot::Sender<Result<SnapshotTaken, SnapshotError>>>;

impl PoolActor {
    /// Takes a snapshot when many records came since the last one.
    pub(in crate::actor) fn snapshot_in_time(&mut self) {
        let since = self.durable.0.saturating_sub(self.keeping.snapshot_at.0);
        if since >= self.keeping.every
            && !self.keeping.is_busy
            && self.keeping.size == SnapshotSize::Fits
        {
            self.take_snapshot(None);
        }
    }

    pub(super) fn take_snapshot(&mut self, reply: SnapshotReply) {
        let head = self.shown;
        if head.head == Position::ZERO {
            if let Some(reply) = reply {
                // Who asked may have gone.
                let _ = reply.send(Err(SnapshotError::Empty));
            }
            return;
        }
        self.keeping.is_busy = true;
        let (folds, token) = (self.keeping.folds.clone(), self.token);
        self.asides.begin(AtStop::Await, async move {
            let image = folds.fold(head, head.head, |folded| folded.replay.image());
            let end = match image.await {
                Ok(FoldEnd::Done(image)) => {
                    let bytes = image.len() as u64;
                    let snapshot = snapshot_of(head, image);
                    let put = folds.store.snapshots.put(&folds.pool, snapshot, token);
                    put.await.map(|()| bytes).map_err(SnapshotError::from)
                }
                Ok(FoldEnd::Stopped) => Err(SnapshotError::Stopped(stopping())),
                Err(error) => Err(error.into()),
            };
            let take_in = move |actor: &mut Self| actor.snapshot_taken(head, end, reply);
            Box::new(take_in) as Consequence
        });
    }

    fn snapshot_taken(
        &mut self,
        head: Head,
        taken: Result<u64, SnapshotError>,
        reply: SnapshotReply,
    ) -> Flow {
        self.keeping.is_busy = false;
        match &taken {
            Ok(bytes) => {
                self.keeping.snapshot_at = head.head;
                tracing::debug!(pool = %self.pool, at = %head.head, bytes, "snapshot taken");
            }
            Err(SnapshotError::Stopped(_)) => {}
            Err(error) => {
                // The journal has everything: the pool goes on, and tries again after as many records.
                self.keeping.snapshot_at = head.head;
                if is_too_large(error) {
                    self.keeping.size = SnapshotSize::TooLarge;
                }
                tracing::warn!(pool = %self.pool, %error, "no snapshot can be taken");
            }
        }
        if let Some(reply) = reply {
            let at = self.engine.state().cursor(head.head);
            // Who asked may have gone.
            let _ = reply.send(taken.map(|bytes| SnapshotTaken { at, bytes }));
        }
        Flow::Go
    }

    /// Takes a snapshot of a pool that has stopped, when it was worth the while.
    pub(in crate::actor) async fn snapshot_at_stop(&mut self, why: StopReason) {
        let since = self.durable.0.saturating_sub(self.keeping.snapshot_at.0);
        let is_clean = why == StopReason::Shutdown && self.engine.state().head() == self.durable;
        if since < AT_STOP_RECORDS.min(self.keeping.every)
            || !is_clean
            || self.keeping.size == SnapshotSize::TooLarge
        {
            return;
        }
        let Some(image) = self.engine.image() else {
            return;
        };
        let snapshot = snapshot_of(self.shown, image);
        let put = self.store.snapshots.put(&self.pool, snapshot, self.token);
        if let Err(error) = put.await {
            tracing::warn!(pool = %self.pool, %error, "no snapshot can be taken");
        }
    }
}

fn snapshot_of(head: Head, image: Vec<u8>) -> Snapshot {
    Snapshot {
        version: ENCODING_VERSION,
        at: Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        },
        bytes: image,
    }
}

fn is_too_large(error: &SnapshotError) -> bool {
    let of_store = match error {
        SnapshotError::Store(error) => Some(error),
        SnapshotError::Empty | SnapshotError::Fold(_) | SnapshotError::Stopped(_) => None,
    };
    of_store.map(StoreError::kind) == Some(StoreErrorKind::TooLarge)
}
