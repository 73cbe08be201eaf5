//! The turns of those who claim or forget one consumer in this process.

use std::sync::Arc;

use heronry_journal::ConsumerReset;
use heronry_store::ConsumerId;
use tokio::sync::OwnedMutexGuard;

use super::registry::{ConsumerHold, Holders};

/// The turn of somebody who claims or forgets a consumer: until it is dropped, nobody else in this process does.
/// So the holder that it finds is the holder until it names another one.
#[derive(Debug)]
pub(crate) struct ClaimTurn {
    holders: Arc<Holders>,
    name: ConsumerId,
    /// Taken when the turn is dropped.
    turn: Option<OwnedMutexGuard<()>>,
}

impl ClaimTurn {
    /// Waits for the turn.
    pub(super) async fn take(holders: &Arc<Holders>, name: &ConsumerId) -> Self {
        let turn = holders.turn(name);
        let mut taken = Self {
            holders: Arc::clone(holders),
            name: name.clone(),
            turn: None,
        };
        taken.turn = Some(turn.lock_owned().await);
        taken
    }

    /// Returns the generation that holds the consumer in this process.
    pub(super) fn holder(&self) -> Option<u64> {
        self.holders.holder(&self.name)
    }

    /// Notes that a claim was kept, and tells the holder of before.
    pub(super) fn hold(&self, generation: u64) -> ConsumerHold {
        ConsumerHold::of(&self.holders, &self.name, generation)
    }

    /// Notes that a claim of somebody outside was kept: nobody in this process holds the consumer.
    pub(super) fn lose(&self) {
        self.holders.lose(&self.name);
    }

    /// Returns true when the pool was not told of this reset yet.
    pub(super) fn is_news(&self, reset: &ConsumerReset) -> bool {
        self.holders.is_news(reset)
    }

    /// Notes that the pool was told of a reset.
    pub(super) fn told(&self, reset: ConsumerReset) {
        self.holders.told(reset);
    }

    /// Notes that the consumer is not stale: the next reset is news.
    pub(super) fn is_fresh(&self) {
        self.holders.forget_told(&self.name);
    }
}

impl Drop for ClaimTurn {
    fn drop(&mut self) {
        drop(self.turn.take());
        self.holders.end_turn(&self.name);
    }
}
