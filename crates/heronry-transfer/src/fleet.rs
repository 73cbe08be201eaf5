//! Pools that arrive at a store together.

use heronry_store::{ConsumerStanding, Store};
use heronry_types::PoolId;

use super::{
    Bodies, Carried, Carrier, TransferError,
    copy::consumers,
    landing::{ArrivalOwnership, GoesOn, Landing, was_not_taken},
    source::{PoolPiece, Source},
};

/// Pools that arrive at a store together.
pub(super) struct Fleet<'a> {
    to: &'a Store,
    carrier: &'a Carrier,
    ownership: ArrivalOwnership,
    landings: Vec<Landing<'a>>,
}

impl<'a> Fleet<'a> {
    /// Returns none yet: each is nobody's at the store.
    pub(super) fn new(to: &'a Store, carrier: &'a Carrier) -> Self {
        Self {
            to,
            carrier,
            ownership: ArrivalOwnership::Free,
            landings: Vec::new(),
        }
    }

    /// Returns none yet: each is reserved at the store for the move that brings it.
    pub(super) fn of_move(to: &'a Store, carrier: &'a Carrier) -> Self {
        Self {
            ownership: ArrivalOwnership::Reserved,
            ..Self::new(to, carrier)
        }
    }

    /// Brings pools of another store, and shows them.
    pub(super) async fn carry(
        &mut self,
        from: &Store,
        pools: &[PoolId],
        goes_on: GoesOn,
    ) -> Result<Vec<Carried>, TransferError> {
        for pool in pools {
            // They are read first: no consumer stands above the head that is read after it.
            let consumers = consumers(from, pool, goes_on).await?;
            let mut source =
                Source::open(from, pool, Bodies::Included, goes_on.lost_keys()).await?;
            self.begin(pool).await?;
            while let Some(piece) = source.next().await? {
                self.take(piece).await?;
            }
            self.settle().await?;
            if let Some(landing) = self.landings.last_mut() {
                landing.take_consumers(consumers);
            }
        }
        self.finish(goes_on).await
    }

    /// Lets a pool begin to arrive.
    pub(super) async fn begin(&mut self, pool: &PoolId) -> Result<(), TransferError> {
        let landing = Landing::begin((self.to, self.ownership), pool, self.carrier).await?;
        self.landings.push(landing);
        Ok(())
    }

    /// Takes a piece of the pool that began last.
    pub(super) async fn take(&mut self, piece: PoolPiece) -> Result<(), TransferError> {
        match self.landings.last_mut() {
            Some(landing) => landing.take(piece).await,
            None => Ok(()),
        }
    }

    /// Takes a consumer of the pool that began last.
    pub(super) fn take_consumer(&mut self, standing: ConsumerStanding) {
        if let Some(landing) = self.landings.last_mut() {
            landing.take_consumers([standing]);
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
