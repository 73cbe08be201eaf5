//! Minting the tokens of members, and the timeline in which they are issued.

use heronry_store::{Store, StoreError};
use heronry_types::{Epoch, EpochReason, PoolId, Position};

use super::Runtime;
use crate::pool::start_of_timeline;
use crate::tokens::{EPOCH_OF_NO_POOL, Joining, MemberClaim, MintedToken};

impl Runtime {
    /// Returns the token of a joining. The same joining gets the same token, also after a restart.
    ///
    /// That there was such a joining is not checked: a token that names none opens nothing.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn mint_token(&self, joining: &Joining) -> Result<MintedToken, StoreError> {
        let epoch = self.issued_in(joining).await?;
        Ok(self.environment.token_key.mint(epoch, joining))
    }

    /// Returns true when the token of a claim was minted with the key of this runtime, for the pool of this
    /// store. Opens no pool, keeps nothing in memory, and takes as long whatever the answer is.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn has_minted(&self, claim: &MemberClaim) -> Result<bool, StoreError> {
        let epoch = self.issued_in(claim.joining()).await?;
        Ok(self.environment.token_key.proves(claim, epoch))
    }

    /// Returns the timeline in which the token of a joining is issued; one that no pool has when the
    /// store has no such pool.
    ///
    /// That is the timeline in which the run joined. When the run had joined before the pool was
    /// brought here as a copy, an import or a fork, it is the timeline on which the pool was
    /// brought. So no token of the original pool is a token of this one.
    ///
    /// The pool is not opened, nothing is kept for it in memory, and nothing is recorded. Of a pool
    /// that has one timeline nothing is read; of another, a chunk for each that starts after the
    /// joining, up to the newest on which it was brought here.
    async fn issued_in(&self, joining: &Joining) -> Result<Epoch, StoreError> {
        let (pool, joined) = (&joining.pool, joining.generation);
        let store = &self.environment.store;
        let Some(timelines) = store.journal.timelines(pool).await? else {
            return Ok(EPOCH_OF_NO_POOL);
        };
        let starts: Vec<_> = timelines.iter().skip(1).collect();
        let later = starts.into_iter().filter(|start| start.at > joined.0);
        for start in later.rev() {
            if is_brought_here(store, pool, start.at).await? {
                return Ok(start.epoch);
            }
        }
        Ok(timelines.at(joined.0))
    }
}

/// Returns whether the timeline that starts at a position is the one on which a pool came to its
/// place. In doubt it is: the record is trimmed, or the pool is being deleted.
async fn is_brought_here(store: &Store, pool: &PoolId, at: Position) -> Result<bool, StoreError> {
    let Some(start) = start_of_timeline(store, pool, at).await? else {
        return Ok(true);
    };
    Ok(match start.reason {
        EpochReason::Fork | EpochReason::Import | EpochReason::Copy => true,
        EpochReason::Restore | EpochReason::TailLost => false,
    })
}
