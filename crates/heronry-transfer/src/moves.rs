//! Moving every pool of a store to another one.
//!
//! A move *reserves* its pools at the other place, brings them, seals the source, and takes the
//! reservation off, in this order. While a pool is reserved nobody can own it there; before the source is
//! sealed it is used as before. So at every moment at most one store serves a pool, and from wherever a
//! move breaks off it can be finished or taken back.

use std::collections::BTreeSet;

use heronry_store::{
    AppendError, Checkpoint, FencingToken, Head, MoveRoute, Reservation, Store, StoreError,
    StoreErrorKind, stands_on,
};
use heronry_types::{Cursor, PoolId};

use super::{
    Carried, Carrier, Pools, TransferError,
    copy::{check_free, check_whole},
    fleet::Fleet,
    landing::GoesOn,
    source::named,
};

/// Moves every pool of a store with its bodies: cursors, epochs and hashes stay, consumers stand
/// where they stood, and the source is sealed with the name of the other place. A consumer with a
/// projection is left behind with its rows, and begins anew.
///
/// Nobody can own a pool at the other place before the move is complete. What fails before the source is
/// sealed is taken back. A call after a crash goes on as [`resume_move`]; after a move that is complete
/// it changes nothing.
///
/// # Errors
/// As [`copy`](super::copy()); [`TransferError::Sealed`] when the source was moved to another place
/// before, [`TransferError::OtherMove`] while another move to that place is not complete,
/// [`TransferError::Lease`] while somebody works with the source, and
/// [`TransferError::MoveUnfinished`] when it has to be resumed or abandoned.
pub async fn move_all(
    from: &Store,
    to: &Store,
    route: &MoveRoute,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    let ends = MoveEnds {
        from,
        to,
        route,
        carrier,
    };
    match ends.standing().await? {
        Standing::Apart => ends.begin().await,
        standing @ (Standing::Begun(_) | Standing::Sealed(_)) => ends.go_on(standing).await,
    }
}

/// Finishes a move that broke off: where the source is not sealed yet, from the beginning.
///
/// # Errors
/// As [`move_all`], [`TransferError::NoMove`] when none broke off, and
/// [`TransferError::PoolInTheWay`].
pub async fn resume_move(
    from: &Store,
    to: &Store,
    route: &MoveRoute,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    let ends = MoveEnds {
        from,
        to,
        route,
        carrier,
    };
    ends.go_on(ends.standing().await?).await
}

/// Takes a move back that broke off: the source is used as before, and the pools that arrived at
/// the other place are deleted there. Returns the pools of the source with their heads in the
/// source.
///
/// # Errors
/// [`TransferError::NoMove`] when none broke off, [`TransferError::PoolArrived`] when a pool may be in
/// use at the other place, and the failures of both stores. A repeat goes on.
pub async fn abandon_move(
    from: &Store,
    to: &Store,
    route: &MoveRoute,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    let ends = MoveEnds {
        from,
        to,
        route,
        carrier,
    };
    let reservation = match ends.standing().await? {
        Standing::Apart => {
            let route = route.clone();
            return Err(TransferError::NoMove { route });
        }
        Standing::Begun(reservation) => Some(reservation),
        Standing::Sealed(reservation) => reservation,
    };
    let pools = reservation.map_or_else(BTreeSet::new, |reservation| reservation.pools);
    ends.check_unused(&pools).await?;
    // As long as the pools are reserved, nobody owns them at both places.
    from.custody.unseal().await?;
    ends.take_back(&pools).await?;
    let mut left = Vec::new();
    for pool in named(from, &Pools::All).await? {
        let head = from.journal.head(&pool).await?;
        left.extend(head.map(|head| there_before(pool, head)));
    }
    Ok(left)
}

/// The state of a move.
enum Standing {
    /// There is none.
    Apart,
    /// Pools are reserved at the other place, and the source is used as before.
    Begun(Reservation),
    /// The source is sealed; the move is complete where nothing is reserved and nothing is missing.
    Sealed(Option<Reservation>),
}

/// Both stores of a move.
#[derive(Clone, Copy)]
struct MoveEnds<'a> {
    from: &'a Store,
    to: &'a Store,
    route: &'a MoveRoute,
    carrier: &'a Carrier,
}

impl MoveEnds<'_> {
    async fn standing(&self) -> Result<Standing, TransferError> {
        let seal = self.from.custody.sealed().await?;
        if let Some(moved_to) = seal.as_ref().filter(|seal| **seal != self.route.to) {
            let moved_to = moved_to.clone();
            return Err(TransferError::Sealed { moved_to });
        }
        let reservation = self.to.custody.reserved().await?;
        if let Some(Reservation { route, .. }) = &reservation
            && route != self.route
        {
            let route = route.clone();
            return Err(TransferError::OtherMove { route });
        }
        Ok(match (seal, reservation) {
            (None, None) => Standing::Apart,
            (None, Some(reservation)) => Standing::Begun(reservation),
            (Some(_), reservation) => Standing::Sealed(reservation),
        })
    }

    async fn begin(&self) -> Result<Vec<Carried>, TransferError> {
        if let Some(moved_to) = self.to.custody.sealed().await? {
            return Err(StoreError::sealed("reserve pools", &moved_to).into());
        }
        let pools = named(self.from, &Pools::All).await?;
        check_free(self.to, &pools).await?;
        check_whole(self.from, self.to, &pools, GoesOn::AsBefore).await?;
        let owned = self.own(&pools).await?;
        let ended = self.bring_and_seal(&pools).await;
        let released = self.disown(owned).await;
        let moved = ended?;
        released?;
        Ok(moved)
    }

    /// Brings pools of a source that is owned, and seals it. What fails before that is taken back.
    async fn bring_and_seal(&self, pools: &[PoolId]) -> Result<Vec<Carried>, TransferError> {
        let reserved: BTreeSet<PoolId> = pools.iter().cloned().collect();
        let moved = match self.bring(&reserved, pools).await {
            Ok(moved) => moved,
            Err(error) => {
                let taken_back = self.take_back(&reserved).await;
                return Err(match taken_back {
                    Ok(()) => whole(error),
                    Err(_) => self.unfinished(error),
                });
            }
        };
        // Whether a seal that failed is there shows the next call.
        let sealed = self.from.custody.seal(&self.route.to).await;
        sealed.map_err(|error| self.unfinished(error.into()))?;
        self.show().await?;
        Ok(moved)
    }

    /// Goes on with a move that broke off.
    async fn go_on(&self, standing: Standing) -> Result<Vec<Carried>, TransferError> {
        let reservation = match standing {
            Standing::Apart => {
                let route = self.route.clone();
                return Err(TransferError::NoMove { route });
            }
            Standing::Begun(reservation) => {
                // The source may have gone on since then.
                let taken_back = self.take_back(&reservation.pools).await;
                taken_back.map_err(|error| self.unfinished(error))?;
                return self.begin().await;
            }
            Standing::Sealed(reservation) => reservation,
        };
        let pools = named(self.from, &Pools::All).await?;
        let (mut moved, missing) = self.arrived(pools).await?;
        if !missing.is_empty() {
            check_whole(self.from, self.to, &missing, GoesOn::AsBefore).await?;
            let mut reserved = reservation.map_or_else(BTreeSet::new, |it| it.pools);
            reserved.extend(missing.iter().cloned());
            let brought = self.bring(&reserved, &missing).await;
            moved.extend(brought.map_err(|error| self.unfinished(error))?);
        }
        self.show().await?;
        Ok(moved)
    }

    /// Reserves pools at the other place, and brings some of them.
    async fn bring(
        &self,
        reserved: &BTreeSet<PoolId>,
        pools: &[PoolId],
    ) -> Result<Vec<Carried>, TransferError> {
        let reservation = Reservation {
            route: self.route.clone(),
            pools: reserved.clone(),
        };
        self.to.custody.reserve(&reservation).await?;
        let mut fleet = Fleet::of_move(self.to, self.carrier);
        let ended = fleet.carry(self.from, pools, GoesOn::AsBefore).await;
        fleet.release(ended).await
    }

    /// Lets the pools be used at the other place.
    async fn show(&self) -> Result<(), TransferError> {
        let shown = self.to.custody.unreserve().await;
        shown.map_err(|error| self.unfinished(error.into()))
    }

    async fn take_back(&self, pools: &BTreeSet<PoolId>) -> Result<(), TransferError> {
        take_back(self.to, self.carrier, pools).await
    }

    /// Checks that no pool of the source can be in use at the other place.
    async fn check_unused(&self, reserved: &BTreeSet<PoolId>) -> Result<(), TransferError> {
        for pool in named(self.from, &Pools::All).await? {
            if !reserved.contains(&pool) && self.has_arrived(&pool).await? {
                let route = self.route.clone();
                return Err(TransferError::PoolArrived { pool, route });
            }
        }
        Ok(())
    }

    /// Tells the pools that a move has brought to the other place from those that are missing there.
    async fn arrived(
        &self,
        pools: Vec<PoolId>,
    ) -> Result<(Vec<Carried>, Vec<PoolId>), TransferError> {
        let (mut arrived, mut missing) = (Vec::new(), Vec::new());
        for pool in pools {
            let Some(found) = self.to.journal.head(&pool).await? else {
                missing.push(pool);
                continue;
            };
            if !self.has_arrived(&pool).await? {
                let route = self.route.clone();
                return Err(TransferError::PoolInTheWay { pool, route });
            }
            arrived.push(there_before(pool, found));
        }
        Ok((arrived, missing))
    }

    /// Returns whether a pool at the other place holds all that the source has of it.
    async fn has_arrived(&self, pool: &PoolId) -> Result<bool, TransferError> {
        let Some(sent) = self.from.journal.head(pool).await? else {
            return Ok(false);
        };
        let at = Checkpoint {
            epoch: sent.epoch,
            position: sent.head,
            hash: sent.last_hash,
        };
        Ok(stands_on(&*self.to.journal, pool, at).await?)
    }

    /// Takes the ownership of every pool of the source: nobody works with it meanwhile.
    async fn own<'p>(
        &self,
        pools: &'p [PoolId],
    ) -> Result<Vec<(&'p PoolId, FencingToken)>, TransferError> {
        let mut owned = Vec::new();
        for pool in pools {
            let now = self.carrier.clock.now().wall;
            let acquired =
                self.from
                    .leases
                    .acquire(pool, &self.carrier.owner, now, heronry_store::LEASE_TERM);
            match acquired.await {
                Ok(token) => owned.push((pool, token)),
                Err(error) => {
                    self.disown(owned).await?;
                    let pool = pool.clone();
                    return Err(TransferError::Lease { pool, error });
                }
            }
        }
        Ok(owned)
    }

    async fn disown(&self, owned: Vec<(&PoolId, FencingToken)>) -> Result<(), TransferError> {
        for (pool, token) in owned {
            self.from.leases.release(pool, token).await?;
        }
        Ok(())
    }

    fn unfinished(&self, error: TransferError) -> TransferError {
        TransferError::MoveUnfinished {
            route: self.route.clone(),
            error: Box::new(whole(error)),
        }
    }
}

/// Deletes what arrived of pools that are reserved, and takes the reservation off.
pub(super) async fn take_back(
    to: &Store,
    carrier: &Carrier,
    pools: &BTreeSet<PoolId>,
) -> Result<(), TransferError> {
    for pool in pools {
        let now = carrier.clock.now().wall;
        let seized = to
            .leases
            .seize(pool, &carrier.owner, now, heronry_store::LEASE_TERM)
            .await;
        let token = seized.map_err(|error| TransferError::Lease {
            pool: pool.clone(),
            error,
        })?;
        match to.journal.delete(pool, token).await {
            Ok(()) => {}
            Err(AppendError::Store { error, .. }) if error.kind() == StoreErrorKind::NotFound => {
                to.leases.release(pool, token).await?;
            }
            Err(error) => {
                let pool = pool.clone();
                return Err(TransferError::Append { pool, error });
            }
        }
    }
    Ok(to.custody.unreserve().await?)
}

/// Returns what is said of a pool for which nothing was done.
fn there_before(pool: PoolId, head: Head) -> Carried {
    Carried {
        pool,
        head: Cursor::new(head.epoch, head.head),
        chunks: 0,
        contents: 0,
    }
}

/// Returns why a move failed of which nothing is seen.
fn whole(error: TransferError) -> TransferError {
    if let TransferError::Unfinished { error, .. } = error {
        return *error;
    }
    error
}
