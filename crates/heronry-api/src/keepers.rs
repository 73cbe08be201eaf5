//! The runtimes that keep pools as they were declared, by their pools.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use heronry_types::PoolId;
use heronry_unified::{RuntimePhase, UnifiedRuntime};
use heronry_wire::ProblemKind;

use crate::Refusal;

/// The runtimes of this process that keep pools. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Keepers(Arc<RwLock<BTreeMap<PoolId, UnifiedRuntime>>>);

impl Keepers {
    /// Makes the runtime known that keeps its pool. It takes the place of an earlier one of the same pool.
    pub fn add(&self, keeper: &UnifiedRuntime) {
        let pool = keeper.pool().id().clone();
        let mut keepers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keepers.insert(pool, keeper.clone());
    }

    /// Forgets the runtime that keeps a pool.
    pub fn remove(&self, pool: &PoolId) {
        let mut keepers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keepers.remove(pool);
    }

    /// Returns the runtime that keeps a pool.
    ///
    /// # Errors
    /// [`Refusal`] `not-kept` when there is none, or it has stopped.
    pub(crate) fn of(&self, pool: &PoolId) -> Result<UnifiedRuntime, Refusal> {
        let keepers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let keeper = keepers.get(pool);
        let keeper = keeper.filter(|keeper| keeper.phase() <= RuntimePhase::Serve);
        keeper.cloned().ok_or_else(|| {
            let why = "no runtime of this server keeps the pool; run it with `heronry up`";
            Refusal::of(ProblemKind::NotKept, why)
        })
    }
}
