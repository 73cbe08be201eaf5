//! The port [`Leases`](heronry_store::Leases) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{FencingToken, LeaseError, LeasesLayer, RenewError, StoreError};
use heronry_types::{Millis, PoolId, Timestamp};

use crate::layers::observe::{Observed, Observer, StoreCall, StoreOperation};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "leases",
        name,
    }
}

#[async_trait]
impl<O: Observer> LeasesLayer for Observed<O> {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let call = StoreCall {
            operation: of("acquire"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.leases.acquire(pool, owner, now, term))
            .await
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let call = StoreCall {
            operation: of("seize"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.leases.seize(pool, owner, now, term))
            .await
    }

    async fn renew(
        &self,
        pool: &PoolId,
        token: FencingToken,
        term: Millis,
    ) -> Result<(), RenewError> {
        let call = StoreCall {
            operation: of("renew"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.leases.renew(pool, token, term))
            .await
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("release"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.leases.release(pool, token))
            .await
    }
}
