//! Copying and moving pools from one store to another.

use heronry_store::{ConsumerCursor, ConsumerId, Head, Store};
use heronry_types::{Cursor, EpochReason, PoolId};

use super::{
    Bodies, Carried, Carrier, Pools, TransferError,
    landing::{GoesOn, Landing, was_not_taken},
    source::{Piece, Source, named},
    taken::Taken,
};

/// Copies pools with their bodies; each copy starts a new timeline. The source stays as it is, and
/// may be sealed.
///
/// Everything is read and checked before anything is written, and no pool is seen at the other
/// place before all of them are there. A repeat after a crash begins from the start.
///
/// Where consumers stand is not copied: the copy is another timeline, and whoever consumes it is
/// another consumer. Member tokens of the source are not valid on the copy, nor those of the copy at
/// the source: members join again.
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
    let pools = named(from, pools).await?;
    check_free(to, &pools).await?;
    let goes_on = GoesOn::On(EpochReason::Copy);
    check_whole((from, to), &pools, goes_on).await?;
    let mut fleet = Fleet::new(to, carrier);
    let ended = fleet.carry(from, &pools, goes_on).await;
    fleet.release(ended).await
}

/// Moves every pool of a store with its bodies: cursors, epochs and hashes stay, consumers stand
/// where they stood, and the source is sealed with the name `moved_to`.
///
/// The source is sealed before a pool is seen at the other place, and unsealed when none will be.
/// A pool is seen there with all its consumers, read once the source is sealed.
/// After a crash it may be sealed while pools are missing there: the same call then finishes, and
/// leaves those that arrived, and their consumers, as they are.
///
/// # Errors
/// As [`copy`]; [`TransferError::Sealed`] when the source was moved to another place before,
/// [`TransferError::Lease`] while somebody works with it, and
/// [`TransferError::Unfinished`] when only some of the pools arrived.
pub async fn move_all(
    from: &Store,
    to: &Store,
    moved_to: &str,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    let stage = match from.journal.sealed().await? {
        None => Stage::Begins,
        Some(seal) if seal == moved_to => Stage::Resumes,
        Some(moved_to) => return Err(TransferError::Sealed { moved_to }),
    };
    let pools = named(from, &Pools::All).await?;
    let (arrived, missing) = match stage {
        Stage::Begins => {
            check_free(to, &pools).await?;
            (Vec::new(), pools)
        }
        Stage::Resumes => arrived(from, to, pools).await?,
    };
    let goes_on = GoesOn::AsBefore;
    check_whole((from, to), &missing, goes_on).await?;
    if stage == Stage::Begins {
        seal(from, &missing, moved_to, carrier).await?;
    }
    let mut fleet = Fleet::new(to, carrier);
    let ended = fleet.carry(from, &missing, goes_on).await;
    let is_untouched = ended
        .as_ref()
        .is_err_and(|error| !matches!(error, TransferError::Unfinished { .. }));
    if stage == Stage::Begins && is_untouched {
        from.journal.unseal().await?;
    }
    let moved = fleet.release(ended).await?;
    Ok(arrived.into_iter().chain(moved).collect())
}

/// Whether a move begins, or goes on after a crash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Begins,
    Resumes,
}

/// Checks that none of the pools is at the other place.
async fn check_free(to: &Store, pools: &[PoolId]) -> Result<(), TransferError> {
    for pool in pools {
        if to.journal.head(pool).await?.is_some() {
            return Err(TransferError::PoolExists { pool: pool.clone() });
        }
    }
    Ok(())
}

/// Reads every pool to its end: a damaged one is found before anything is written, and one with a
/// timeline of another pool.
async fn check_whole(
    (from, to): (&Store, &Store),
    pools: &[PoolId],
    goes_on: GoesOn,
) -> Result<(), TransferError> {
    let mut taken = Taken::at(to).await?;
    for pool in pools {
        consumers(from, pool, goes_on).await?;
        let mut source = Source::open(from, pool, Bodies::Included).await?;
        while let Some(piece) = source.next().await? {
            match piece {
                Piece::Chunk(chunk) => taken.take(pool, chunk.header().epoch)?,
                Piece::With(_) | Piece::Alone(_) => {}
            }
        }
    }
    Ok(())
}

/// Returns where the consumers of a pool stand that go along with it.
async fn consumers(
    from: &Store,
    pool: &PoolId,
    goes_on: GoesOn,
) -> Result<Vec<(ConsumerId, ConsumerCursor)>, TransferError> {
    Ok(match goes_on {
        GoesOn::AsBefore => from.cursors.list(pool).await?,
        GoesOn::On(_) => Vec::new(),
    })
}

/// Tells the pools that a move has brought to the other place from those that are missing there.
async fn arrived(
    from: &Store,
    to: &Store,
    pools: Vec<PoolId>,
) -> Result<(Vec<Carried>, Vec<PoolId>), TransferError> {
    let (mut arrived, mut missing) = (Vec::new(), Vec::new());
    for pool in pools {
        let heads = (
            from.journal.head(&pool).await?,
            to.journal.head(&pool).await?,
        );
        match heads {
            (_, None) => missing.push(pool),
            (Some(sent), Some(found)) if is_same(sent, found) => arrived.push(Carried {
                pool,
                head: Cursor::new(found.epoch, found.head),
                chunks: 0,
                contents: 0,
            }),
            (_, Some(_)) => return Err(TransferError::PoolExists { pool }),
        }
    }
    Ok((arrived, missing))
}

fn is_same(one: Head, other: Head) -> bool {
    (one.epoch, one.head, one.last_hash) == (other.epoch, other.head, other.last_hash)
}

/// Seals a store that nobody works with.
async fn seal(
    from: &Store,
    pools: &[PoolId],
    moved_to: &str,
    carrier: &Carrier,
) -> Result<(), TransferError> {
    let mut owned = Vec::new();
    let mut sealed = Ok(());
    for pool in pools {
        let now = carrier.clock.now().wall;
        match from.leases.acquire(pool, &carrier.owner, now).await {
            Ok(token) => owned.push((pool, token)),
            Err(error) => {
                let pool = pool.clone();
                sealed = Err(TransferError::Lease { pool, error });
                break;
            }
        }
    }
    if sealed.is_ok() {
        sealed = from.journal.seal(moved_to).await.map_err(Into::into);
    }
    for (pool, token) in owned {
        from.leases.release(pool, token).await?;
    }
    sealed
}

/// Pools that arrive at a store together.
pub(super) struct Fleet<'a> {
    to: &'a Store,
    carrier: &'a Carrier,
    landings: Vec<Landing<'a>>,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(to: &'a Store, carrier: &'a Carrier) -> Self {
        Self {
            to,
            carrier,
            landings: Vec::new(),
        }
    }

    async fn carry(
        &mut self,
        from: &Store,
        pools: &[PoolId],
        goes_on: GoesOn,
    ) -> Result<Vec<Carried>, TransferError> {
        for pool in pools {
            let mut source = Source::open(from, pool, Bodies::Included).await?;
            self.begin(pool).await?;
            while let Some(piece) = source.next().await? {
                self.take(piece).await?;
            }
            self.settle().await?;
            if let Some(landing) = self.landings.last_mut() {
                landing.take_consumers(consumers(from, pool, goes_on).await?);
            }
        }
        self.finish(goes_on).await
    }

    /// Lets a pool begin to arrive.
    pub(super) async fn begin(&mut self, pool: &PoolId) -> Result<(), TransferError> {
        let landing = Landing::begin(self.to, pool, self.carrier).await?;
        self.landings.push(landing);
        Ok(())
    }

    /// Takes a piece of the pool that began last.
    pub(super) async fn take(&mut self, piece: Piece) -> Result<(), TransferError> {
        match self.landings.last_mut() {
            Some(landing) => landing.take(piece).await,
            None => Ok(()),
        }
    }

    /// Lets the pool that began last wait for the others.
    pub(super) async fn settle(&mut self) -> Result<(), TransferError> {
        match self.landings.last_mut() {
            Some(landing) => landing.settle().await,
            None => Ok(()),
        }
    }

    /// Shows every pool.
    pub(super) async fn finish(&mut self, goes_on: GoesOn) -> Result<Vec<Carried>, TransferError> {
        let mut there = Vec::with_capacity(self.landings.len());
        for landing in &mut self.landings {
            match landing.finish(goes_on, self.carrier).await {
                Ok(pool) => there.push(pool),
                Err(error) if there.is_empty() && was_not_taken(&error) => return Err(error),
                Err(error) => {
                    return Err(TransferError::Unfinished {
                        arrived: there.len(),
                        error: Box::new(error),
                    });
                }
            }
        }
        Ok(there)
    }

    /// Gives the pools up, however it ended.
    pub(super) async fn release<T>(
        self,
        ended: Result<T, TransferError>,
    ) -> Result<T, TransferError> {
        for landing in self.landings {
            let released = landing.release().await;
            if ended.is_ok() {
                released?;
            }
        }
        ended
    }
}
