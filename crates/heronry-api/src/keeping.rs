//! Trimming journals and taking snapshots.

use heronry_runtime::{Holding, TrimTo};
use heronry_wire::{JournalTrimmed, SnapshotTaken, Trim};

use crate::{Access, Refusal};

/// Drops records at the start of a pool's journal, for an operator.
///
/// # Errors
/// [`Refusal`], `trim-held` when something still needs the records.
pub async fn trim(access: &Access, body: Trim) -> Result<JournalTrimmed, Refusal> {
    access.identity().check_operator()?;
    let to = match (body.upto, body.age_ms) {
        (Some(cursor), None) => TrimTo::Upto(cursor),
        (None, Some(age)) => TrimTo::Older(age),
        (None, None) | (Some(_), Some(_)) => {
            let why = "name either upto or age_ms";
            return Err(Refusal::invalid("upto", why));
        }
    };
    let holding = if body.force {
        Holding::Overridden
    } else {
        Holding::Heeded
    };
    let trimmed = access.pool().trim(to, holding).await?;
    Ok(JournalTrimmed {
        floor: trimmed.floor,
        head: trimmed.head,
    })
}

/// Takes a snapshot of a pool at its head, for an operator.
///
/// # Errors
/// [`Refusal`], `too-large` when the store takes none of this size.
pub async fn snapshot(access: &Access) -> Result<SnapshotTaken, Refusal> {
    access.identity().check_operator()?;
    let taken = access.pool().snapshot().await?;
    Ok(SnapshotTaken {
        at: taken.at,
        bytes: taken.bytes,
    })
}
