//! Keys on their way to the store, beside the appends.

use std::sync::Arc;

use heronry_store::{Checkpoint, Head, StoreError};
use tokio::task::{JoinError, JoinHandle};

use super::{Flow, PoolActor};
use crate::StopReason;

/// The number of keys in memory from which on they go to the store.
const KEYS_RECENT_MAX: usize = 8_192;

/// A run of keys on its way to the store.
pub(super) type Handover = JoinHandle<Result<(), StoreError>>;

/// The result of handing a run of keys over.
pub(super) type Handed = Result<Result<(), StoreError>, JoinError>;

impl PoolActor {
    /// Hands keys of records that are durable to the store, in large runs, one at a time.
    /// The store sorts and merges in a task of its own, and commands are decided meanwhile.
    pub(super) fn hand_over_keys(&mut self, head: Head) {
        if self.keys.is_some() || self.engine.recent().len() < KEYS_RECENT_MAX {
            return;
        }
        let checkpoint = Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        };
        let run = self.engine.hand_over_keys(head.head);
        let (keys, pool, token) = (Arc::clone(&self.store.keys), self.pool.clone(), self.token);
        let put = async move { keys.put_run(&pool, run, checkpoint, token).await };
        self.keys = Some(tokio::spawn(put));
    }

    /// Takes in how the run arrived.
    pub(super) fn handed_over(&mut self, end: Handed) -> Flow {
        self.keys = None;
        match end {
            Ok(Ok(())) => {
                self.engine.keys_kept();
                Flow::Go
            }
            Ok(Err(error)) => {
                tracing::error!(pool = %self.pool, %error, "keys cannot be kept");
                Flow::Stop(StopReason::StoreFenced(error.cause()))
            }
            Err(error) => {
                tracing::error!(pool = %self.pool, %error, "keys cannot be kept");
                Flow::Stop(StopReason::Internal)
            }
        }
    }

    /// Waits until the store is through with a run, however that ends: the pool stops.
    pub(super) async fn end_handover(&mut self) {
        if let Some(handover) = self.keys.take()
            && let Ok(Err(error)) = handover.await
        {
            tracing::warn!(pool = %self.pool, %error, "keys cannot be kept");
        }
    }
}
