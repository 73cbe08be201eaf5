//! Layers over a store, shown over the memory store.

#![cfg(test)]

use std::sync::Arc;

use futures::executor::block_on;
use heronry_store::{
    AppendError, CommitOutcome, ContentsLayer, CursorsLayer, CustodyLayer, FencingToken, Guard,
    JournalLayer, KeysLayer, Layer, Layered, LeasesLayer, ProjectionsLayer, SnapshotsLayer, Store,
    StoreError, StoreErrorKind,
};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{
    conformance::{self, Capability, Failure, StorePlace, Subject, Verdict},
    sample,
};
use heronry_types::Position;

fn memory() -> Store {
    Store::of(Arc::new(MemoryStore::new()))
}

/// A layer that does nothing otherwise, and refuses every call to an operation.
struct Plain {
    inner: Store,
    refuses: Option<&'static str>,
}

impl Layer for Plain {
    fn inner(&self) -> &Store {
        &self.inner
    }

    fn admit(&self, op: &'static str) -> Result<(), StoreError> {
        match self.refuses {
            Some(refused) if refused == op => Err(StoreError::new(StoreErrorKind::Closed, op, "")),
            Some(_) | None => Ok(()),
        }
    }
}

impl JournalLayer for Plain {}
impl CustodyLayer for Plain {}
impl ContentsLayer for Plain {}
impl LeasesLayer for Plain {}
impl KeysLayer for Plain {}
impl SnapshotsLayer for Plain {}
impl CursorsLayer for Plain {}
impl ProjectionsLayer for Plain {}

fn plain(inner: Store, refuses: Option<&'static str>) -> Store {
    Store::of(Arc::new(Layered(Plain { inner, refuses })))
}

struct Beneath;

impl Subject for Beneath {
    fn offers(&self, _: Capability) -> bool {
        false
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn place(&self) -> Result<Box<dyn StorePlace>, Failure> {
        Ok(Box::new(Self))
    }
}

impl StorePlace for Beneath {
    fn open(&self) -> Result<Store, StoreError> {
        Ok(plain(memory(), None))
    }
}

#[test]
fn a_layer_that_does_nothing_otherwise_passes_the_suite_of_the_store_beneath() {
    let certificate = conformance::certificate(&Beneath).unwrap();
    assert_eq!(certificate.verdict, Verdict::Passed);
}

#[test]
fn a_call_that_is_not_admitted_never_reaches_the_store_beneath() {
    let inner = memory();
    let pool = sample::pool(1);
    let token = block_on(inner.leases.acquire(
        &pool,
        "a test",
        sample::time(0),
        heronry_store::LEASE_TERM,
    ))
    .unwrap();
    let guard = Guard {
        expected_head: Position::ZERO,
        token,
    };
    let store = plain(inner.clone(), Some("append"));
    let append = store.journal.append(&pool, sample::commit(None, 1), guard);
    let AppendError::Store { outcome, error } = block_on(append).unwrap_err() else {
        panic!("the refusal of the layer");
    };
    assert_eq!(
        (outcome, error.kind()),
        (CommitOutcome::None, StoreErrorKind::Closed)
    );
    assert_eq!(block_on(inner.journal.head(&pool)).unwrap(), None);

    // Another operation goes on, and what it finds is the store's.
    let stale = FencingToken(token.0 + 1);
    block_on(store.leases.release(&pool, stale)).unwrap();
    let append = inner.journal.append(&pool, sample::commit(None, 1), guard);
    let head = block_on(append).unwrap();
    assert_eq!(block_on(store.journal.head(&pool)).unwrap(), Some(head));
}
