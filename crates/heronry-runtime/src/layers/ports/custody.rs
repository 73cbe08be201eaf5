//! The port [`Custody`](heronry_store::Custody) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{CustodyLayer, Reservation, StoreError};

use crate::layers::observe::{Observed, Observer, StoreCall, StoreOperation};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "custody",
        name,
    }
}

#[async_trait]
impl<O: Observer> CustodyLayer for Observed<O> {
    async fn sealed(&self) -> Result<Option<String>, StoreError> {
        let call = StoreCall {
            operation: of("sealed"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.custody.sealed()).await
    }

    async fn seal(&self, moved_to: &str) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("seal"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.custody.seal(moved_to)).await
    }

    async fn unseal(&self) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("unseal"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.custody.unseal()).await
    }

    async fn reserved(&self) -> Result<Option<Reservation>, StoreError> {
        let call = StoreCall {
            operation: of("reserved"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.custody.reserved()).await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("reserve"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.custody.reserve(reservation))
            .await
    }

    async fn unreserve(&self) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("unreserve"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.custody.unreserve()).await
    }
}
