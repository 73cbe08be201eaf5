//! Consumers stand still while a trim has its last look at them.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard};

/// Consumers of a pool either move, many at once, or all of them stand still: from the last look of a trim at them
/// to its commit. So no trim goes past one that was claimed or renewed its time meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standstill(Arc<RwLock<()>>);

/// Consumers stand still until this is dropped.
#[derive(Debug)]
pub(crate) struct StoodStill {
    _guard: OwnedRwLockWriteGuard<()>,
}

impl Standstill {
    /// Waits until consumers may move. They may until the answer is dropped.
    pub(super) async fn moving(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().await
    }

    /// Waits until no consumer moves.
    pub(crate) async fn stood_still(&self) -> StoodStill {
        StoodStill {
            _guard: Arc::clone(&self.0).write_owned().await,
        }
    }
}
