//! Going on after a rollback: a timeline of its own for each pool.

use std::collections::BTreeSet;

use heronry_store::{Commit, Guard, Head, Store, Timeline};
use heronry_transfer::{Carrier, TimelineStart, TransferError, start_after};
use heronry_types::{Cursor, Epoch, EpochReason, PoolId};

use super::{MarkKeeper, RolledBack, rolled_back};

/// The statement of an operator about a restore of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restored {
    /// Nobody says that the store was restored. The mark may still show it.
    NotSaid,
    /// The store was restored, perhaps with its mark: every pool starts a timeline.
    Declared,
}

/// A pool that goes on in a new timeline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BegunAgain {
    /// The pool.
    pub pool: PoolId,
    /// The last cursor before the new timeline.
    pub diverged_at: Cursor,
    /// The head: the record that starts the timeline.
    pub head: Cursor,
}

/// Starts a timeline in every pool of a store that was rolled back, or in every pool when an operator
/// declares a restore, and makes the mark exact. Call it before anybody works with the store.
///
/// The record names the reason: `restore` when an operator declared it, `tail_lost` when the mark
/// shows it. A pool that cannot be read at its end is left as it is, with its mark: opening it
/// reports the damage. The mark forgets pools that are not there. After a crash in between a repeat
/// may start one more timeline.
///
/// # Errors
/// [`TransferError::Lease`] while somebody works with the store, and the store's failures.
pub async fn begin_again(
    store: &Store,
    keeper: &MarkKeeper,
    restored: Restored,
    by: &Carrier,
) -> Result<Vec<BegunAgain>, TransferError> {
    let marks = keeper.marks();
    let found = rolled_back(store, &marks).await?;
    let (pools, reason) = match restored {
        Restored::NotSaid => {
            let pools = found.iter().map(|it| it.pool.clone());
            (pools.collect(), EpochReason::TailLost)
        }
        Restored::Declared => (store.journal.pools().await?, EpochReason::Restore),
    };
    let (mut begun, mut left) = (Vec::new(), BTreeSet::new());
    for pool in pools {
        let Some(head) = store.journal.head(&pool).await? else {
            continue;
        };
        match begin(store, &pool, head, (reason, by)).await {
            Ok(new) => begun.push(BegunAgain {
                pool,
                diverged_at: Cursor::new(head.epoch, head.head),
                head: new,
            }),
            Err(TransferError::Read { pool, error }) => {
                tracing::error!(%pool, %error, "the end of a pool that was rolled back cannot be read");
                left.insert(pool);
            }
            Err(error) => return Err(error),
        }
    }
    for lost in &found {
        say(lost, &begun);
    }
    keeper.take_over(store, &left).await?;
    Ok(begun)
}

fn say(lost: &RolledBack, begun: &[BegunAgain]) {
    let RolledBack {
        pool,
        marked,
        found,
    } = lost;
    let Some(found) = found else {
        tracing::warn!(%pool, %marked, "the store was rolled back: a pool that was there is gone");
        return;
    };
    let again = begun.iter().find(|begun| begun.pool == *pool);
    if let Some(BegunAgain { head, .. }) = again {
        tracing::warn!(
            %pool, %marked, %found, %head,
            "the store was rolled back: records that were acknowledged are gone, and the pool goes on in a new epoch"
        );
    }
}

async fn begin(
    store: &Store,
    pool: &PoolId,
    head: Head,
    (reason, by): (EpochReason, &Carrier),
) -> Result<Cursor, TransferError> {
    let read = |error| TransferError::Read {
        pool: pool.clone(),
        error,
    };
    let page = store.journal.read(pool, head.head.previous(), 1).await;
    let page = page.map_err(read)?;
    let Some(last) = page.chunks.last() else {
        return Err(TransferError::NoPool { pool: pool.clone() });
    };
    let now = by.clock.now().wall;
    let start = TimelineStart {
        reason,
        epoch: Epoch(by.ids.draw()),
    };
    let commit = Commit {
        chunks: vec![start_after(last, pool, start, now)?],
        timeline: Timeline::Starts,
        ..Commit::default()
    };
    let acquired = store
        .leases
        .acquire(pool, &by.owner, now, heronry_store::LEASE_TERM)
        .await;
    let token = acquired.map_err(|error| TransferError::Lease {
        pool: pool.clone(),
        error,
    })?;
    let guard = Guard {
        expected_head: head.head,
        token,
    };
    let appended = store.journal.append(pool, commit, guard).await;
    let released = store.leases.release(pool, token).await;
    let head = appended.map_err(|error| TransferError::Append {
        pool: pool.clone(),
        error,
    })?;
    released?;
    Ok(Cursor::new(head.epoch, head.head))
}
