//! Renewing the ownership of a pool, where a store serves several processes.

use std::sync::Arc;

use heronry_store::{Clock, FencingToken, LEASE_TERM, RenewError, Sharing, Store};
use heronry_types::{Millis, PoolId};
use tokio::task::AbortHandle;

use crate::{StopReason, queue::Queue, runtime::Environment};

/// The time between two renewals: two in a row may fail.
const EVERY: Millis = Millis(LEASE_TERM.0 / 3);

/// The renewal of one pool's ownership, until it is dropped. Of a store of one process nothing is
/// renewed: there ownership has no term.
#[derive(Debug)]
pub(crate) struct Renewal(Option<AbortHandle>);

/// One owned pool, and who is told when it is lost.
struct OwnedPool {
    store: Store,
    clock: Arc<dyn Clock>,
    pool: PoolId,
    token: FencingToken,
    queue: Arc<Queue>,
}

impl Renewal {
    /// Begins to renew a lease that was acquired just now. When it was lost, the queue is closed.
    pub(crate) fn begin(
        environment: &Environment,
        pool: &PoolId,
        token: FencingToken,
        queue: &Arc<Queue>,
    ) -> Self {
        match environment.store.journal.capabilities().sharing {
            Sharing::OneProcess => Self(None),
            Sharing::Shared => {
                let owned = OwnedPool {
                    store: environment.store.clone(),
                    clock: Arc::clone(&environment.clock),
                    pool: pool.clone(),
                    token,
                    queue: Arc::clone(queue),
                };
                Self(Some(tokio::spawn(owned.renew()).abort_handle()))
            }
        }
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        if let Some(renewing) = &self.0 {
            renewing.abort();
        }
    }
}

impl OwnedPool {
    /// Renews until the pool is lost. A renewal that the store fails is tried again at the next time:
    /// whoever is late is fenced, and does no harm.
    async fn renew(self) {
        loop {
            let at = Millis(self.clock.now().monotonic.0.saturating_add(EVERY.0));
            self.clock.alarm(at).await;
            let leases = &self.store.leases;
            match leases.renew(&self.pool, self.token, LEASE_TERM).await {
                Ok(()) => {}
                Err(error @ RenewError::Lost { .. }) => {
                    tracing::error!(pool = %self.pool, %error, "lease was lost");
                    self.queue.close(StopReason::OwnershipLost);
                    return;
                }
                Err(RenewError::Store(error)) => {
                    tracing::warn!(pool = %self.pool, %error, "lease cannot be renewed");
                }
            }
        }
    }
}
