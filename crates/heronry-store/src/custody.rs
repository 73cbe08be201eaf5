//! The custody port: the store that the pools are at home in while they move.

use async_trait::async_trait;

use crate::{Reservation, StoreError};

/// The custody of a store's pools: sealed once they have left, reserved while they arrive.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`, which stands
/// among those of the journal:
/// 1. *sealed*: a sealed store is read as before, and every write to it is refused with
///    [`StoreErrorKind::Sealed`](crate::StoreErrorKind::Sealed), in this process and in later ones.
/// 2. *reserved*: who acquires a pool that a move brings is told of the move, in this process and in
///    later ones, until the reservation comes off.
#[async_trait]
pub trait Custody: Send + Sync {
    /// Returns where the pools of a sealed store went; nothing while it is not sealed.
    ///
    /// # Errors
    /// The store's failure.
    async fn sealed(&self) -> Result<Option<String>, StoreError>;

    /// Seals the whole store: its pools live on at another place, which `moved_to` names.
    ///
    /// The caller has seen to it that nobody owns a pool. A repeat replaces the name. After a crash
    /// the store is sealed or as it was.
    ///
    /// # Errors
    /// The store's failure.
    async fn seal(&self, moved_to: &str) -> Result<(), StoreError>;

    /// Takes the seal off, because the pools did not get to the other place. A repeat changes nothing.
    ///
    /// # Errors
    /// The store's failure.
    async fn unseal(&self) -> Result<(), StoreError>;

    /// Returns the pools that a move brings here, while it is not complete; nothing otherwise.
    ///
    /// # Errors
    /// The store's failure.
    async fn reserved(&self) -> Result<Option<Reservation>, StoreError>;

    /// Reserves pools for a move: from here on [`acquire`](crate::Leases::acquire) gives nobody any of
    /// them, whether it is there or not, and the move itself seizes them.
    ///
    /// A repeat replaces the reservation. After a crash all of it is there or the one before.
    ///
    /// # Errors
    /// The store's failure; a sealed store takes no reservation.
    async fn reserve(&self, reservation: &Reservation) -> Result<(), StoreError>;

    /// Takes the reservation off: the move is complete, or was taken back. A repeat changes nothing.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    async fn unreserve(&self) -> Result<(), StoreError>;
}
