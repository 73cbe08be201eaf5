//! The ports of one store, held together.

use std::{fmt, sync::Arc};

use crate::{Claims, Contents, Journal, Leases};

/// The ports of one store. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    /// The journals.
    pub journal: Arc<dyn Journal>,
    /// The bodies.
    pub contents: Arc<dyn Contents>,
    /// Who owns which pool.
    pub leases: Arc<dyn Leases>,
    /// Which requests were decided before.
    pub claims: Arc<dyn Claims>,
}

impl Store {
    /// Returns the ports of an adapter that implements them all.
    pub fn of<A: Journal + Contents + Leases + Claims + 'static>(adapter: Arc<A>) -> Self {
        Self {
            journal: Arc::clone(&adapter) as Arc<dyn Journal>,
            contents: Arc::clone(&adapter) as Arc<dyn Contents>,
            leases: Arc::clone(&adapter) as Arc<dyn Leases>,
            claims: adapter,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.journal.capabilities().name)
    }
}
