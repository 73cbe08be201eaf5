//! The timelines that the pools of a store have: no two pools share one.

use std::collections::{HashMap, hash_map::Entry};

use heronry_store::{ReadError, Store};
use heronry_types::{Epoch, PoolId, Position};

use super::TransferError;

/// The timelines of pools, and the pool that each is of.
///
/// An epoch names one timeline, and what is issued in it (cursors, tokens) is taken for the pool that
/// has it. A file may say anything, so a pool that comes with a timeline of another is refused.
#[derive(Debug, Default)]
pub(super) struct Taken {
    by: HashMap<Epoch, PoolId>,
}

impl Taken {
    /// Returns the timelines of every pool of a store.
    pub(super) async fn at(store: &Store) -> Result<Self, TransferError> {
        let mut taken = Self::default();
        for pool in store.journal.pools().await? {
            for epoch in epochs_of(store, &pool).await? {
                taken.by.insert(epoch, pool.clone());
            }
        }
        Ok(taken)
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

/// Returns the timelines of a pool, as far as its journal is kept.
///
/// Positions of one timeline stand side by side, so between two positions of the same one there is no
/// other, and few chunks are read however long the journal is.
async fn epochs_of(store: &Store, pool: &PoolId) -> Result<Vec<Epoch>, TransferError> {
    let Some(head) = store.journal.head(pool).await? else {
        return Ok(Vec::new());
    };
    let first = epoch_at(store, pool, head.floor).await?;
    let mut found = vec![first, head.epoch];
    let mut spans = vec![((head.floor, first), (head.head, head.epoch))];
    while let Some((low, high)) = spans.pop() {
        let middle = Position(low.0.0.midpoint(high.0.0));
        if low.1 == high.1 || middle <= low.0 {
            continue;
        }
        let between = (middle, epoch_at(store, pool, middle).await?);
        found.push(between.1);
        spans.extend([(low, between), (between, high)]);
    }
    Ok(found)
}

/// Returns the timeline of the record at a position that is kept.
async fn epoch_at(store: &Store, pool: &PoolId, at: Position) -> Result<Epoch, TransferError> {
    let failed = |error: ReadError| TransferError::Read {
        pool: pool.clone(),
        error,
    };
    let page = store.journal.read(pool, at.previous(), 1).await;
    let page = page.map_err(failed)?;
    let chunk = page.chunks.first();
    Ok(chunk.map_or(page.head.epoch, |chunk| chunk.header().epoch))
}
