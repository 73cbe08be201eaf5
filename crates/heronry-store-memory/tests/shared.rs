//! A store that several processes share, shown over the memory store.

#![cfg(test)]

use std::sync::Arc;

use heronry_store::{Store, StoreError};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{
    ManualClock, SharedHub,
    conformance::{self, Capability, Failure, StorePlace, Subject, Verdict},
};
use heronry_types::Millis;

struct Shared;

impl Subject for Shared {
    fn offers(&self, capability: Capability) -> bool {
        capability == Capability::Shared
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn place(&self) -> Result<Box<dyn StorePlace>, Failure> {
        let clock = ManualClock::default();
        let memory = Store::of(Arc::new(MemoryStore::new()));
        let hub = SharedHub::over(memory, clock.clone());
        Ok(Box::new(SharedPlace { hub, clock }))
    }
}

struct SharedPlace {
    hub: Arc<SharedHub>,
    clock: ManualClock,
}

impl StorePlace for SharedPlace {
    fn open(&self) -> Result<Store, StoreError> {
        Ok(self.hub.open())
    }

    fn let_pass(&self, span: Millis) -> Result<(), Failure> {
        self.clock.advance(span);
        Ok(())
    }
}

#[test]
fn a_store_that_is_shared_passes_the_suite_with_its_terms() {
    let certificate = conformance::certificate(&Shared).unwrap();
    assert_eq!(certificate.verdict, Verdict::Passed, "{certificate:?}");
    for (port, rule) in [
        ("journal", "open_to_several"),
        ("leases", "an_owner_of_before_is_fenced"),
    ] {
        let passed = &certificate.passed[port];
        assert!(passed.iter().any(|passed| passed == rule), "{passed:?}");
    }
}
