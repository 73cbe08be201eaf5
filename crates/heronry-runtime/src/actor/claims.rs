//! Claims on their way to the claims store, beside the appends.

use std::sync::Arc;

use heronry_store::{Checkpoint, Head, StoreError};
use tokio::task::{JoinError, JoinHandle};

use super::{Flow, PoolActor};
use crate::StopReason;

/// The number of claims in memory from which on they go to the claims store.
const CLAIMS_RECENT_MAX: usize = 8_192;

/// A run of claims on its way to the claims store.
pub(super) type Handover = JoinHandle<Result<(), StoreError>>;

/// The result of handing a run of claims over.
pub(super) type Handed = Result<Result<(), StoreError>, JoinError>;

impl PoolActor {
    /// Hands claims of records that are durable to the claims store, in large runs, one at a time.
    /// The store sorts and merges in a task of its own, and commands are decided meanwhile.
    pub(super) fn hand_over_claims(&mut self, head: Head) {
        if self.claims.is_some() || self.engine.recent().len() < CLAIMS_RECENT_MAX {
            return;
        }
        let checkpoint = Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        };
        let run = self.engine.hand_over_claims(head.head);
        let (claims, pool, token) = (
            Arc::clone(&self.store.claims),
            self.pool.clone(),
            self.token,
        );
        let put = async move { claims.put_run(&pool, run, checkpoint, token).await };
        self.claims = Some(tokio::spawn(put));
    }

    /// Takes in how the run arrived.
    pub(super) fn handed_over(&mut self, end: Handed) -> Flow {
        self.claims = None;
        match end {
            Ok(Ok(())) => {
                self.engine.claims_kept();
                Flow::Go
            }
            Ok(Err(error)) => {
                tracing::error!(pool = %self.pool, %error, "claims cannot be kept");
                Flow::Stop(StopReason::StoreFenced(error.cause()))
            }
            Err(error) => {
                tracing::error!(pool = %self.pool, %error, "claims cannot be kept");
                Flow::Stop(StopReason::Internal)
            }
        }
    }

    /// Waits until the store is through with a run, however that ends: the pool stops.
    pub(super) async fn end_handover(&mut self) {
        if let Some(handover) = self.claims.take()
            && let Ok(Err(error)) = handover.await
        {
            tracing::warn!(pool = %self.pool, %error, "claims cannot be kept");
        }
    }
}
