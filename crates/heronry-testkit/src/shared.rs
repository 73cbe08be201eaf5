//! A store that several processes share, with a clock that a test moves.

use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use futures::lock::Mutex;
use heronry_store::{
    Capabilities, Clock, ContentsLayer, CursorsLayer, CustodyLayer, FencingToken, JournalLayer,
    KeysLayer, Layer, Layered, LeaseError, LeasesLayer, ProjectionsLayer, RenewError, Sharing,
    SnapshotsLayer, Store, StoreError,
};
use heronry_types::{Millis, PoolId, Timestamp};

use crate::ManualClock;

/// A store that several processes share: each [opens](Self::open) it by itself, and all of them see
/// what one of them wrote. The ownership of a pool ends with its term by the hub's clock.
///
/// It stands over a store of one process, such as one in memory, and shows that the ports suffice for
/// a store on a server.
pub struct SharedHub {
    inner: Store,
    clock: ManualClock,
    terms: Mutex<HashMap<PoolId, HeldTerm>>,
}

/// The end of the term of a pool's owner, by the hub's clock.
#[derive(Clone, Copy, Debug)]
struct HeldTerm {
    token: FencingToken,
    until: Millis,
}

impl fmt::Debug for SharedHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHub")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl SharedHub {
    /// Returns a hub over a store, whose clock is the store's clock.
    pub fn over(inner: Store, clock: ManualClock) -> Arc<Self> {
        Arc::new(Self {
            inner,
            clock,
            terms: Mutex::default(),
        })
    }

    /// Opens the store as one more process does. A process that dies drops it, and releases nothing.
    pub fn open(self: &Arc<Self>) -> Store {
        let hub = Arc::clone(self);
        Store::of(Arc::new(Layered(SharedHandle { hub })))
    }

    /// Notes that a token was given for a term that begins now.
    async fn note(&self, pool: &PoolId, token: FencingToken, term: Millis) {
        let until = Millis(self.now().0.saturating_add(term.0));
        let mut terms = self.terms.lock().await;
        terms.insert(pool.clone(), HeldTerm { token, until });
    }

    /// Frees a pool whose owner's term is over.
    async fn end_term(&self, pool: &PoolId) -> Result<(), StoreError> {
        let mut terms = self.terms.lock().await;
        let held = terms.get(pool).copied();
        let Some(over) = held.filter(|held| held.until <= self.now()) else {
            return Ok(());
        };
        self.inner.leases.release(pool, over.token).await?;
        terms.remove(pool);
        Ok(())
    }

    fn now(&self) -> Millis {
        self.clock.now().monotonic
    }
}

/// One process that has the store open.
struct SharedHandle {
    hub: Arc<SharedHub>,
}

impl Layer for SharedHandle {
    fn inner(&self) -> &Store {
        &self.hub.inner
    }
}

#[async_trait]
impl JournalLayer for SharedHandle {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            sharing: Sharing::Shared,
            ..self.hub.inner.journal.capabilities()
        }
    }
}

#[async_trait]
impl LeasesLayer for SharedHandle {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        self.hub.end_term(pool).await?;
        let leases = &self.hub.inner.leases;
        let token = leases.acquire(pool, owner, now, term).await?;
        self.hub.note(pool, token, term).await;
        Ok(token)
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let leases = &self.hub.inner.leases;
        let token = leases.seize(pool, owner, now, term).await?;
        self.hub.note(pool, token, term).await;
        Ok(token)
    }

    async fn renew(
        &self,
        pool: &PoolId,
        token: FencingToken,
        term: Millis,
    ) -> Result<(), RenewError> {
        self.hub.inner.leases.renew(pool, token, term).await?;
        self.hub.note(pool, token, term).await;
        Ok(())
    }
}

impl CustodyLayer for SharedHandle {}
impl ContentsLayer for SharedHandle {}
impl KeysLayer for SharedHandle {}
impl SnapshotsLayer for SharedHandle {}
impl CursorsLayer for SharedHandle {}
impl ProjectionsLayer for SharedHandle {}
