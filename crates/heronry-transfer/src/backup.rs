//! Backups: the pools of a store as they are, kept in another store at which nobody works, and put back.

use heronry_store::{Reservation, Store};
use heronry_types::EpochReason;

use super::{Carried, Carrier, Pools, TransferError, copy::bring, landing::GoesOn};

/// The timeline on which restored pools go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RestoredTimeline {
    /// On a new one: what the source recorded after the backup means nothing here.
    New,
    /// On the same one. Right only where the source recorded nothing after the backup, and is never
    /// used again; else one cursor means two records.
    AsBefore,
}

/// Copies every pool of a store as it is, with bodies and those consumers that have no projection, into a store for keeping. No timeline
/// starts, so nobody may work with the pools there; [`restore`] brings them to where somebody does.
///
/// # Errors
/// As [`copy`](super::copy()); [`TransferError::Sealed`] when the pools went elsewhere, and
/// [`TransferError::OtherMove`] while a move to the source is not complete.
pub async fn back_up(
    from: &Store,
    to: &Store,
    carrier: &Carrier,
) -> Result<Vec<Carried>, TransferError> {
    check_at_home(from).await?;
    bring(from, to, &Pools::All, carrier, GoesOn::AsBefore).await
}

/// Brings every pool of a backup to a store, with bodies and the consumers that the backup has.
///
/// Everything is read and checked before anything is written, and no pool is seen before all of them
/// are there. Consumers go on where they stood, and tokens of members that had joined are those of
/// before, where the key is.
///
/// # Errors
/// As [`copy`](super::copy()).
pub async fn restore(
    from: &Store,
    to: &Store,
    carrier: &Carrier,
    timeline: RestoredTimeline,
) -> Result<Vec<Carried>, TransferError> {
    let goes_on = match timeline {
        RestoredTimeline::New => GoesOn::On(EpochReason::Restore),
        RestoredTimeline::AsBefore => GoesOn::AsBefore,
    };
    bring(from, to, &Pools::All, carrier, goes_on).await
}

/// Checks that the pools of a store are used there and nowhere else.
async fn check_at_home(from: &Store) -> Result<(), TransferError> {
    if let Some(moved_to) = from.custody.sealed().await? {
        return Err(TransferError::Sealed { moved_to });
    }
    match from.custody.reserved().await? {
        Some(Reservation { route, .. }) => Err(TransferError::OtherMove { route }),
        None => Ok(()),
    }
}
