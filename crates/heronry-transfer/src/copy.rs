//! Copying pools from one store to another.

use heronry_store::{ConsumerStanding, RowRange, Store};
use heronry_types::{EpochReason, PoolId};

use super::{
    Bodies, Carried, Carrier, Pools, TransferError,
    fleet::Fleet,
    landing::GoesOn,
    source::{PoolPiece, Source, named},
    taken::TakenEpochs,
};

/// Copies pools with their bodies; each copy starts a new timeline. The source stays as it is, and
/// may be sealed.
///
/// Everything is read and checked before anything is written, and no pool is seen at the other
/// place before all of them are there. A repeat after a crash begins from the start.
///
/// Of a trimmed pool the baseline goes along, and what the store knows of the keys of trimmed records.
///
/// The cursors of consumers are not copied: the copy is another timeline, and whoever consumes it
/// is another consumer. Member tokens of the source are not valid on the copy, nor those of the
/// copy at the source: members join again.
///
/// # Errors
/// [`TransferError::PoolExists`], [`EpochTaken`](TransferError::EpochTaken),
/// [`NoPool`](TransferError::NoPool), damage of the source, and the
/// failures of both stores.
pub async fn copy(
    from: &Store,
    to: &Store,
    pools: &Pools,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    let goes_on = GoesOn::On(EpochReason::Copy);
    bring(from, to, pools, carrier, goes_on).await
}

/// Brings pools to another store that has none of them, after all of them were read and checked.
pub(super) async fn bring(
    from: &Store,
    to: &Store,
    pools: &Pools,
    carrier: &Carrier,
    goes_on: GoesOn,
) -> Result<Vec<Carried>, TransferError> {
    let pools = named(from, pools).await?;
    check_free(to, &pools).await?;
    check_whole(from, to, &pools, goes_on).await?;
    let mut fleet = Fleet::new(to, carrier);
    let ended = fleet.carry(from, &pools, goes_on).await;
    fleet.release(ended).await
}

/// Checks that none of the pools is at the other place.
pub(super) async fn check_free(to: &Store, pools: &[PoolId]) -> Result<(), TransferError> {
    for pool in pools {
        if to.journal.head(pool).await?.is_some() {
            return Err(TransferError::PoolExists { pool: pool.clone() });
        }
    }
    Ok(())
}

/// Reads every pool to its end: a damaged one is found before anything is written, and one with a
/// timeline of another pool.
pub(super) async fn check_whole(
    from: &Store,
    to: &Store,
    pools: &[PoolId],
    goes_on: GoesOn,
) -> Result<(), TransferError> {
    let mut taken = TakenEpochs::at(to).await?;
    for pool in pools {
        consumers(from, pool, goes_on).await?;
        let mut source = Source::open(from, pool, Bodies::Included, goes_on.lost_keys()).await?;
        while let Some(piece) = source.next().await? {
            match piece {
                PoolPiece::Baseline(baseline) => taken.take_all(pool, &baseline)?,
                PoolPiece::Chunk(chunk) => taken.take(pool, chunk.header().epoch)?,
                PoolPiece::Keys(_) | PoolPiece::With(_) | PoolPiece::Alone(_) => {}
            }
        }
    }
    Ok(())
}

/// Returns where the consumers of a pool stand that go along with it on this timeline.
pub(super) async fn consumers(
    from: &Store,
    pool: &PoolId,
    goes_on: GoesOn,
) -> Result<Vec<ConsumerStanding>, TransferError> {
    Ok(match goes_on {
        GoesOn::AsBefore | GoesOn::On(EpochReason::Restore) => {
            consumers_without_rows(from, pool).await?
        }
        GoesOn::On(
            EpochReason::Fork | EpochReason::Import | EpochReason::Copy | EpochReason::TailLost,
        ) => Vec::new(),
    })
}

/// Returns where the consumers of a pool stand that have no rows. A projection stays behind, and a consumer
/// that went along without its rows would lack what it made of events before its cursor: so it begins anew,
/// and makes them again.
pub(super) async fn consumers_without_rows(
    from: &Store,
    pool: &PoolId,
) -> Result<Vec<ConsumerStanding>, TransferError> {
    let one = RowRange {
        after: None,
        rows_max: 1,
        bytes_max: 1,
    };
    let mut without = Vec::new();
    for standing in from.cursors.list(pool).await? {
        let rows = from.projections.scan(pool, &standing.consumer, one).await?;
        if rows.is_empty() {
            without.push(standing);
        }
    }
    Ok(without)
}
