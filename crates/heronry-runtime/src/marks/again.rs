//! Going on after a rollback: a timeline of its own for each pool.

use std::collections::{BTreeMap, BTreeSet};

use heronry_journal::{Body, Chunk, EpochStarted};
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
/// shows it; and the head that was lost, where the mark names one. A pool that cannot be read at its
/// end is left as it is, with its mark: opening it reports the damage. The mark forgets pools that
/// are not there.
///
/// The mark is taken over after the timelines are durable. After a crash in between, a repeat finds the
/// timeline that was started for the same lost head, and starts no other; a declaration starts one
/// each time.
///
/// # Errors
/// [`TransferError::Lease`] while somebody works with the store, and the store's failures.
pub async fn begin_again(
    store: &Store,
    keeper: &MarkKeeper,
    restored: Restored,
    by: &Carrier,
) -> Result<Vec<BegunAgain>, TransferError> {
    let found = rolled_back(store, &keeper.marks()).await?;
    let (mut begun, mut left) = (Vec::new(), BTreeSet::new());
    for (pool, start) in starts(store, &found, restored).await? {
        let Some(head) = store.journal.head(&pool).await? else {
            continue;
        };
        match begin(store, &pool, head, start, by).await {
            Ok(new) => begun.push(new),
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

/// The start of a timeline, as far as it is known before its pool is read.
#[derive(Clone, Copy, Debug)]
struct StartAgain {
    reason: EpochReason,
    /// The head in the mark, when the journal does not hold it.
    lost: Option<Cursor>,
}

/// Returns the pools in which a timeline is to start, with the reason for each.
async fn starts(
    store: &Store,
    found: &[RolledBack],
    restored: Restored,
) -> Result<BTreeMap<PoolId, StartAgain>, TransferError> {
    let mut starts = BTreeMap::new();
    let reason = match restored {
        Restored::NotSaid => EpochReason::TailLost,
        Restored::Declared => {
            let reason = EpochReason::Restore;
            for pool in store.journal.pools().await? {
                starts.insert(pool, StartAgain { reason, lost: None });
            }
            reason
        }
    };
    for RolledBack { pool, marked, .. } in found {
        let lost = Some(*marked);
        starts.insert(pool.clone(), StartAgain { reason, lost });
    }
    Ok(starts)
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
    start: StartAgain,
    by: &Carrier,
) -> Result<BegunAgain, TransferError> {
    let read = |error| TransferError::Read {
        pool: pool.clone(),
        error,
    };
    let page = store.journal.read(pool, head.head.previous(), 1).await;
    let page = page.map_err(read)?;
    let Some(last) = page.chunks.last() else {
        return Err(TransferError::NoPool { pool: pool.clone() });
    };
    if let Some(begun) = begun_before(pool, last, start) {
        return Ok(begun);
    }
    let now = by.clock.now().wall;
    let StartAgain { reason, lost } = start;
    let start = TimelineStart {
        reason,
        epoch: Epoch(by.ids.draw()),
        lost,
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
    let new = appended.map_err(|error| TransferError::Append {
        pool: pool.clone(),
        error,
    })?;
    released?;
    Ok(BegunAgain {
        pool: pool.clone(),
        diverged_at: Cursor::new(head.epoch, head.head),
        head: Cursor::new(new.epoch, new.head),
    })
}

/// Returns the timeline that a process started for the same lost head, and ended before the mark said
/// so. Nobody has worked with the pool since: its start is the last record.
fn begun_before(pool: &PoolId, end: &Chunk, start: StartAgain) -> Option<BegunAgain> {
    let lost = match start.reason {
        EpochReason::TailLost => start.lost?,
        EpochReason::Restore | EpochReason::Fork | EpochReason::Import | EpochReason::Copy => {
            return None;
        }
    };
    let head = end.last();
    // What cannot be read is damage, which opening the pool reports.
    let Body::EpochStarted(EpochStarted {
        reason: EpochReason::TailLost,
        epoch,
        previous,
        lost: Some(named),
    }) = end.record(head).ok()?.entry.body
    else {
        return None;
    };
    (named == lost).then(|| BegunAgain {
        pool: pool.clone(),
        diverged_at: Cursor::new(previous, head.previous()),
        head: Cursor::new(epoch, head),
    })
}
