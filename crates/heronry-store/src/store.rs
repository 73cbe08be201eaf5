//! The ports of one store, held together.

use std::{fmt, sync::Arc};

use crate::{Claims, Contents, Cursors, Custody, Journal, Leases, Snapshots};

/// The ports of one store. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    /// The journals.
    pub journal: Arc<dyn Journal>,
    /// The seal, and the pools that are reserved for a move.
    pub custody: Arc<dyn Custody>,
    /// The bodies.
    pub contents: Arc<dyn Contents>,
    /// The ownership of pools.
    pub leases: Arc<dyn Leases>,
    /// The requests that were decided before.
    pub claims: Arc<dyn Claims>,
    /// The states of engines.
    pub snapshots: Arc<dyn Snapshots>,
    /// The cursors of consumers.
    pub cursors: Arc<dyn Cursors>,
}

impl Store {
    /// Returns the ports of an adapter that implements them all.
    pub fn of<A>(adapter: Arc<A>) -> Self
    where
        A: Journal + Custody + Contents + Leases + Claims + Snapshots + Cursors + 'static,
    {
        Self {
            journal: Arc::clone(&adapter) as Arc<dyn Journal>,
            custody: Arc::clone(&adapter) as Arc<dyn Custody>,
            contents: Arc::clone(&adapter) as Arc<dyn Contents>,
            leases: Arc::clone(&adapter) as Arc<dyn Leases>,
            claims: Arc::clone(&adapter) as Arc<dyn Claims>,
            snapshots: Arc::clone(&adapter) as Arc<dyn Snapshots>,
            cursors: adapter,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.journal.capabilities().name)
    }
}
