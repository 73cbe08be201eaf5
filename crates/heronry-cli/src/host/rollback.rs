//! A store that was rolled back, when a server starts on it.

use std::{path::Path, sync::Arc};

use heronry_runtime::{
    SystemIds,
    marks::{MarkKeeper, MarkedStore, Restored, RolledBack, begin_again, rolled_back},
};
use heronry_store::{Clock, Store};
use heronry_transfer::Carrier;
use heronry_types::counted;

use super::{MarkFile, Rollback, StoreChoice, store_failure};
use crate::{
    carry::transfer_failure,
    failure::{Exit, Failure},
};

/// Compares a store that was opened with the mark beside it, and goes on as a server is told to. Returns
/// the store with the keeper of its mark; nobody has worked with it yet.
pub(super) async fn take(
    store: Store,
    choice: &StoreChoice,
    (rollback, clock): (Rollback, &Arc<dyn Clock>),
) -> Result<(Store, Option<MarkKeeper>), Failure> {
    let Some(file) = MarkFile::of(choice) else {
        return Ok((store, None));
    };
    let MarkedStore { store, keeper } = file.keep(store);
    let restored = match rollback {
        Rollback::GoOn => Restored::NotSaid,
        Rollback::Declared => Restored::Declared,
        Rollback::Refuse => {
            let lost = rolled_back(&store, &keeper.marks()).await;
            let lost = lost.map_err(|error| store_failure(&error))?;
            if let Some(refused) = refusal(choice.path(), &lost) {
                return Err(Failure::new(
                    refused.exit(),
                    format_args!(
                        "{refused}; put the newer store back, or start without --strict to go on in a new epoch"
                    ),
                ));
            }
            Restored::NotSaid
        }
    };
    let by = Carrier {
        clock: Arc::clone(clock),
        ids: Arc::new(SystemIds),
        owner: format!("heronry process {}", std::process::id()),
    };
    let begun = begin_again(&store, &keeper, restored, &by).await;
    let begun = begun.map_err(|error| transfer_failure(&error))?;
    if restored == Restored::Declared {
        let pools = counted(begun.len() as u64, "pool");
        tracing::warn!(%pools, "the store was declared to be restored: its pools go on in a new epoch");
    }
    Ok((store, Some(keeper)))
}

/// Returns why a store that was rolled back is refused; nothing when it was not.
pub(crate) fn refusal(store: &Path, lost: &[RolledBack]) -> Option<Failure> {
    let first = lost.first()?;
    let others = match lost.len() - 1 {
        0 => String::new(),
        others => format!(" (and {others} more of its pools)"),
    };
    let place = store.display();
    let line = format!("{place}, pool {}: {first}{others}", first.pool);
    Some(Failure::new(Exit::Damaged, line))
}
