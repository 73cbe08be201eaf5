//! The timelines that the pools of a store have: no two pools share one.

use std::collections::{HashMap, hash_map::Entry};

use heronry_journal::Baseline;
use heronry_store::Store;
use heronry_types::{Epoch, PoolId};

use super::TransferError;

/// The timelines of pools, and the pool that each is of.
///
/// An epoch names one timeline, and what is issued in it (cursors, tokens) is taken for the pool that
/// has it. A file may say anything, so a pool that comes with a timeline of another is refused.
#[derive(Debug, Default)]
pub(super) struct TakenEpochs {
    by: HashMap<Epoch, PoolId>,
}

impl TakenEpochs {
    /// Returns the timelines of every pool of a store.
    pub(super) async fn at(store: &Store) -> Result<Self, TransferError> {
        let mut taken = Self::default();
        for pool in store.journal.pools().await? {
            let timelines = store.journal.timelines(&pool).await?;
            for start in timelines.iter().flat_map(|known| known.iter()) {
                taken.by.insert(start.epoch, pool.clone());
            }
        }
        Ok(taken)
    }

    /// Takes the timelines of the records that a baseline stands for.
    pub(super) fn take_all(
        &mut self,
        pool: &PoolId,
        baseline: &Baseline,
    ) -> Result<(), TransferError> {
        let mut starts = baseline.point().timelines.iter();
        starts.try_for_each(|start| self.take(pool, start.epoch))
    }

    /// Takes a timeline for a pool that is to arrive; the same pool may have it already.
    pub(super) fn take(&mut self, pool: &PoolId, epoch: Epoch) -> Result<(), TransferError> {
        match self.by.entry(epoch) {
            Entry::Vacant(free) => {
                free.insert(pool.clone());
                Ok(())
            }
            Entry::Occupied(taken) if taken.get() == pool => Ok(()),
            Entry::Occupied(taken) => Err(TransferError::EpochTaken {
                pool: pool.clone(),
                epoch,
                by: taken.get().clone(),
            }),
        }
    }
}
