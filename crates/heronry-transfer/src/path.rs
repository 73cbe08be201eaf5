//! The relations that chunks must keep to one another on their way.

use heronry_journal::{Baseline, Chain, Chunk};
use heronry_types::{PoolId, Timelines};

use super::TransferError;

/// Checks that the chunks of a pool follow one another, and that no timeline starts twice.
#[derive(Debug)]
pub(super) struct ChunkOrder {
    pool: PoolId,
    chain: Chain,
    timelines: Option<Timelines>,
    is_trimmed: bool,
}

impl ChunkOrder {
    pub(super) fn of(pool: PoolId) -> Self {
        Self {
            pool,
            chain: Chain::start(),
            timelines: None,
            is_trimmed: false,
        }
    }

    /// Begins after the records that a baseline stands for.
    pub(super) fn after(pool: PoolId, baseline: &Baseline) -> Self {
        let point = baseline.point();
        Self {
            pool,
            chain: Chain::after(baseline.epoch(), point.floor.previous(), point.hash),
            timelines: Some(point.timelines.clone()),
            is_trimmed: true,
        }
    }

    pub(super) fn pool(&self) -> &PoolId {
        &self.pool
    }

    /// Returns true when it began after records that were trimmed.
    pub(super) fn is_trimmed(&self) -> bool {
        self.is_trimmed
    }

    /// Returns how far it has come.
    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Takes the next chunk, and checks all of it.
    pub(super) fn push(&mut self, chunk: &Chunk) -> Result<(), TransferError> {
        let pool = || self.pool.clone();
        chunk.verify().map_err(|error| TransferError::Chunk {
            pool: pool(),
            error,
        })?;
        let pushed = self.chain.push(chunk);
        pushed.map_err(|error| TransferError::Chain {
            pool: pool(),
            error,
        })?;
        let (epoch, at) = (chunk.header().epoch, chunk.first());
        match &mut self.timelines {
            None => self.timelines = Some(Timelines::of(epoch)),
            Some(timelines) if timelines.newest() == epoch => {}
            Some(timelines) if timelines.knows(epoch) => {
                return Err(TransferError::RepeatedEpoch { pool: pool(), at });
            }
            Some(timelines) => timelines.start(at, epoch),
        }
        Ok(())
    }
}
