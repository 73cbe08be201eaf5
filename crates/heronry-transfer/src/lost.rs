//! Ending a move whose source is lost: what has arrived goes on at the other place, or is deleted there.
//!
//! The source alone knows whether it was sealed. So who calls this says that it will never be used again:
//! otherwise a pool would live on at two places.

use std::collections::BTreeSet;

use heronry_store::{MoveRoute, Reservation, Store};
use heronry_types::{Cursor, PoolId};

use super::{Carried, Carrier, TransferError, moves::take_back};

/// Finishes a move with what has arrived: every pool of it is used at the other place from here on. What
/// the source took after a pool had arrived is lost with it. Returns the pools with their heads.
///
/// # Errors
/// [`TransferError::NoMove`] when no move along this route is incomplete there,
/// [`TransferError::OtherMove`] when it is another one, [`TransferError::NotArrived`] when a pool is not
/// there whole, and the store's failures.
pub async fn resume_without_source(
    to: &Store,
    route: &MoveRoute,
) -> Result<Vec<Carried>, TransferError> {
    let mut arrived = Vec::new();
    for pool in reserved(to, route).await? {
        let Some(there) = found(to, &pool).await? else {
            let route = route.clone();
            return Err(TransferError::NotArrived { pool, route });
        };
        arrived.push(there);
    }
    to.custody.unreserve().await?;
    Ok(arrived)
}

/// Takes a move back at the other place alone: what has arrived of it is deleted. Returns the pools that
/// were there whole, with the heads that they had.
///
/// # Errors
/// [`TransferError::NoMove`] and [`TransferError::OtherMove`] as in [`resume_without_source`], and the
/// store's failures. A repeat goes on.
pub async fn abandon_without_source(
    to: &Store,
    route: &MoveRoute,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    let pools = reserved(to, route).await?;
    let mut deleted = Vec::new();
    for pool in &pools {
        deleted.extend(found(to, pool).await?);
    }
    take_back(to, carrier, &pools).await?;
    Ok(deleted)
}

/// Returns the pools that are reserved for a move along this route.
async fn reserved(to: &Store, route: &MoveRoute) -> Result<BTreeSet<PoolId>, TransferError> {
    let Some(Reservation {
        route: found,
        pools,
    }) = to.custody.reserved().await?
    else {
        let route = route.clone();
        return Err(TransferError::NoMove { route });
    };
    if found != *route {
        return Err(TransferError::OtherMove { route: found });
    }
    Ok(pools)
}

/// Returns where a pool stands that has arrived whole.
async fn found(to: &Store, pool: &PoolId) -> Result<Option<Carried>, TransferError> {
    let head = to.journal.head(pool).await?;
    Ok(head.map(|head| Carried {
        pool: pool.clone(),
        head: Cursor::new(head.epoch, head.head),
        chunks: 0,
        contents: 0,
    }))
}
