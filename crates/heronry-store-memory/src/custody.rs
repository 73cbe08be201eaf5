//! Seals and reservations in memory.

use async_trait::async_trait;
use heronry_store::{Custody, Reservation, StoreError};

use crate::MemoryStore;

#[async_trait]
impl Custody for MemoryStore {
    async fn sealed(&self) -> Result<Option<String>, StoreError> {
        Ok(self.lock("look for a seal")?.moved_to.clone())
    }

    async fn seal(&self, moved_to: &str) -> Result<(), StoreError> {
        self.lock("seal the store")?.moved_to = Some(moved_to.to_owned());
        Ok(())
    }

    async fn unseal(&self) -> Result<(), StoreError> {
        self.lock("unseal the store")?.moved_to = None;
        Ok(())
    }

    async fn reserved(&self) -> Result<Option<Reservation>, StoreError> {
        Ok(self.lock("look for a reservation")?.reservation.clone())
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let mut state = self.lock_to_write("reserve pools")?;
        state.reservation = Some(reservation.clone());
        Ok(())
    }

    async fn unreserve(&self) -> Result<(), StoreError> {
        self.lock_to_write("reserve pools")?.reservation = None;
        Ok(())
    }
}
