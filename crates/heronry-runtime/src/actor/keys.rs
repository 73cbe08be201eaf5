//! Keys on their way to the store, beside the appends.

use std::sync::Arc;

use heronry_store::{Checkpoint, Head, StoreError};
use heronry_types::Position;

use super::{
    Flow, PoolActor,
    asides::{AtStop, Consequence},
};
use crate::StopReason;

/// The number of keys in memory from which on they go to the store.
const KEYS_RECENT_MAX: usize = 8_192;

impl PoolActor {
    /// Hands keys of records that are durable to the store, in large runs, one at a time.
    /// The store sorts and merges in a task of its own, and commands are decided meanwhile.
    pub(super) fn hand_over_keys(&mut self, head: Head) {
        if self.hands_keys_over || self.engine.recent().len() < KEYS_RECENT_MAX {
            return;
        }
        self.hand_over_keys_up_to(head);
    }

    /// Hands over the keys of all records that are durable, unless the store has them, or others are on their way.
    pub(super) fn hand_over_all_keys(&mut self) {
        if !self.hands_keys_over && self.keys_upto < self.shown.head {
            self.hand_over_keys_up_to(self.shown);
        }
    }

    fn hand_over_keys_up_to(&mut self, head: Head) {
        let checkpoint = Checkpoint {
            epoch: head.epoch,
            position: head.head,
            hash: head.last_hash,
        };
        let run = self.engine.hand_over_keys(head.head);
        let (keys, pool, token) = (Arc::clone(&self.store.keys), self.pool.clone(), self.token);
        self.hands_keys_over = true;
        self.asides.begin(AtStop::Await, async move {
            let result = keys.put_run(&pool, run, checkpoint, token).await;
            if let Err(error) = &result {
                tracing::error!(%pool, %error, "keys cannot be kept");
            }
            let take_in = move |actor: &mut Self| actor.handed_over(result, head.head);
            Box::new(take_in) as Consequence
        });
    }

    /// Takes in how the run arrived.
    fn handed_over(&mut self, result: Result<(), StoreError>, upto: Position) -> Flow {
        self.hands_keys_over = false;
        match result {
            Ok(()) => {
                self.engine.keys_kept();
                self.keys_upto = upto;
                self.keys_are_kept();
                Flow::Go
            }
            Err(error) => Flow::Stop(StopReason::StoreFenced(error.cause())),
        }
    }
}
