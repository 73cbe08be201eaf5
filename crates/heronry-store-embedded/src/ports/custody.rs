//! Seals and reservations of a store over an embedded database.

use async_trait::async_trait;
use futures::channel::oneshot;

use super::Embedded;
use crate::{
    Database,
    job::{Job, Reply},
};

use heronry_store::{Custody, Reservation, StoreError};

const RESERVE: &str = "reserve pools";

impl<D: Database> Embedded<D> {
    /// Has the writer do something that is of no single pool.
    async fn ask_store(
        &self,
        op: &'static str,
        job: impl FnOnce(Reply<Result<(), StoreError>>) -> Job,
    ) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let closed = |_| self.readable.closed(op);
        self.queue(job(reply)).await.map_err(closed)?;
        answer
            .await
            .unwrap_or_else(|_| Err(self.readable.closed(op)))
    }
}

#[async_trait]
impl<D: Database> Custody for Embedded<D> {
    async fn sealed(&self) -> Result<Option<String>, StoreError> {
        self.readable
            .look("look for a seal", |view| view.moved_to.clone())
    }

    async fn seal(&self, moved_to: &str) -> Result<(), StoreError> {
        let moved_to = Some(moved_to.to_owned());
        self.ask_store("seal the store", |reply| Job::Seal(moved_to, reply))
            .await
    }

    async fn unseal(&self) -> Result<(), StoreError> {
        self.ask_store("unseal the store", |reply| Job::Seal(None, reply))
            .await
    }

    async fn reserved(&self) -> Result<Option<Reservation>, StoreError> {
        let found = self
            .readable
            .look("look for a reservation", |view| view.reservation.clone());
        Ok(found?.map(|found| Reservation::clone(&found)))
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let reservation = Some(reservation.clone());
        self.ask_store(RESERVE, |reply| Job::Reserve(reservation, reply))
            .await
    }

    async fn unreserve(&self) -> Result<(), StoreError> {
        self.ask_store(RESERVE, |reply| Job::Reserve(None, reply))
            .await
    }
}
