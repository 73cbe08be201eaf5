//! Checking what stands in for the records before the floor of a journal.

use heronry_journal::Chain;
use heronry_pool::{Minter, engine::Replay};
use heronry_store::{Head, StoreErrorKind};
use heronry_types::{Durability, PoolId, Position};

use super::{OpenedStore, PoolFault, bad};
use crate::host::store_failure;

/// Checks the baseline of a trimmed journal, and returns the chain that its chunks go on.
pub(super) async fn check(
    opened: &OpenedStore,
    pool: &PoolId,
    head: Head,
) -> Result<Chain, PoolFault> {
    let at = head.floor.previous();
    if at == Position::ZERO {
        return Ok(Chain::start());
    }
    let baseline = match opened.store.journal.baseline(pool).await {
        Ok(Some(baseline)) => baseline,
        Ok(None) => {
            return bad(
                pool,
                at,
                &"nothing stands for the records that were trimmed",
            );
        }
        Err(error) if error.kind() == StoreErrorKind::Corrupt => return bad(pool, at, &error),
        Err(error) => return Err(PoolFault::Other(store_failure(&error))),
    };
    if baseline.floor() != head.floor {
        return bad(pool, at, &"the baseline is of another floor");
    }
    // Nothing is minted: the state is looked at, and let go.
    let minter = Minter::new([0; 32]);
    let image = Replay::from_image(baseline.state(), minter, Durability::Memory);
    match image {
        Ok(replay) if replay.state().head() == at => {}
        Ok(_) => return bad(pool, at, &"the baseline has the state of another point"),
        Err(error) => return bad(pool, at, &error),
    }
    Ok(Chain::after(baseline.epoch(), at, baseline.point().hash))
}
