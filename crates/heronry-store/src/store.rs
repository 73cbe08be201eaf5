//! The ports of one store, held together.

use std::{fmt, sync::Arc};

use crate::{Contents, Cursors, Custody, Journal, Keys, Leases, Projections, Snapshots};

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
    pub keys: Arc<dyn Keys>,
    /// The states of engines.
    pub snapshots: Arc<dyn Snapshots>,
    /// The cursors of consumers.
    pub cursors: Arc<dyn Cursors>,
    /// The rows that consumers make of events.
    pub projections: Arc<dyn Projections>,
}

impl Store {
    /// Returns the ports of an adapter.
    pub fn of<A: Adapter>(adapter: Arc<A>) -> Self {
        adapter.ports()
    }
}

/// The owner of a place that has all ports over it: a type that implements each of them, or one that
/// holds such a type.
pub trait Adapter {
    /// Returns the ports.
    fn ports(self: Arc<Self>) -> Store;
}

impl<A> Adapter for A
where
    A: Journal + Custody + Contents + Leases + Keys + Snapshots + Cursors + Projections + 'static,
{
    fn ports(self: Arc<Self>) -> Store {
        Store {
            journal: Arc::clone(&self) as Arc<dyn Journal>,
            custody: Arc::clone(&self) as Arc<dyn Custody>,
            contents: Arc::clone(&self) as Arc<dyn Contents>,
            leases: Arc::clone(&self) as Arc<dyn Leases>,
            keys: Arc::clone(&self) as Arc<dyn Keys>,
            snapshots: Arc::clone(&self) as Arc<dyn Snapshots>,
            cursors: Arc::clone(&self) as Arc<dyn Cursors>,
            projections: self,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.journal.capabilities().name)
    }
}
