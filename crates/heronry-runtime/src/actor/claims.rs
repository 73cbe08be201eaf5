//! Claims on their way to the claims store, beside the appends.

use std::sync::Arc;

use heronry_store::{Checkpoint, Head, StoreError};

use super::{
    Flow, PoolActor,
    asides::{AtStop, Consequence},
};
use crate::StopReason;

/// The number of claims in memory from which on they go to the claims store.
const CLAIMS_RECENT_MAX: usize = 8_192;

impl PoolActor {
    /// Hands claims of records that are durable to the claims store, in large runs, one at a time.
    /// The store sorts and merges in a task of its own, and commands are decided meanwhile.
    pub(super) fn hand_over_claims(&mut self, head: Head) {
        if self.hands_claims_over || self.engine.recent().len() < CLAIMS_RECENT_MAX {
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
        self.hands_claims_over = true;
        self.asides.begin(AtStop::Await, async move {
            let result = claims.put_run(&pool, run, checkpoint, token).await;
            let take_in = move |actor: &mut Self| actor.handed_over(result);
            Box::new(take_in) as Consequence
        });
    }

    /// Takes in how the run arrived.
    fn handed_over(&mut self, result: Result<(), StoreError>) -> Flow {
        self.hands_claims_over = false;
        match result {
            Ok(()) => {
                self.engine.claims_kept();
                Flow::Go
            }
            Err(error) => {
                tracing::error!(pool = %self.pool, %error, "claims cannot be kept");
                Flow::Stop(StopReason::StoreFenced(error.cause()))
            }
        }
    }
}
