//! Trimming a pool in the background, as its settings say.

use std::sync::Arc;

use heronry_store::Clock;
use heronry_types::{Millis, PoolId, Retention};
use tokio::{
    sync::{oneshot, watch},
    task::AbortHandle,
};

use super::{Holding, KeepRequest, KeepRequests, TrimRequest, TrimTo};

/// The time between two looks at what a pool keeps.
const EVERY: Millis = Millis::from_secs(60);

/// The background trims of one pool, until this is dropped.
#[derive(Debug)]
pub(crate) struct Retaining(AbortHandle);

/// A pool that is kept short. It holds nothing of the pool but where wishes are handed in.
struct KeptPool {
    pool: PoolId,
    clock: Arc<dyn Clock>,
    settings: watch::Receiver<Option<Retention>>,
    keep: KeepRequests,
}

impl Retaining {
    pub(crate) fn begin(
        pool: &PoolId,
        clock: &Arc<dyn Clock>,
        settings: watch::Receiver<Option<Retention>>,
        keep: KeepRequests,
    ) -> Self {
        let kept = KeptPool {
            pool: pool.clone(),
            clock: Arc::clone(clock),
            settings,
            keep,
        };
        Self(tokio::spawn(kept.run()).abort_handle())
    }
}

impl Drop for Retaining {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl KeptPool {
    /// Trims when the settings say so anew, and from time to time; ends with the pool.
    async fn run(mut self) {
        loop {
            let retention = *self.settings.borrow_and_update();
            let Some(retention) = retention else {
                if self.settings.changed().await.is_err() {
                    return;
                }
                continue;
            };
            if self.trim(retention).await.is_none() {
                return;
            }
            let at = Millis(self.clock.now().monotonic.0.saturating_add(EVERY.0));
            tokio::select! {
                () = self.clock.alarm(at) => {}
                changed = self.settings.changed() => if changed.is_err() {
                    return;
                },
            }
        }
    }

    /// Has as much trimmed as nobody needs; nothing when the pool is gone.
    async fn trim(&self, retention: Retention) -> Option<()> {
        let (reply, end) = oneshot::channel();
        let request = TrimRequest {
            to: TrimTo::Kept(retention),
            holding: Holding::Yielding,
            reply,
        };
        self.keep.send(KeepRequest::Trim(request)).await.ok()?;
        match end.await.ok()? {
            Ok(trimmed) => {
                if let Some(by) = trimmed.held_by {
                    tracing::debug!(pool = %self.pool, %by, "journal is kept longer than its settings say");
                }
            }
            Err(error) => {
                tracing::warn!(pool = %self.pool, %error, "journal cannot be trimmed");
            }
        }
        Some(())
    }
}
