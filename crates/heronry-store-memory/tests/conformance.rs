//! The memory store passes the conformance suite.

use std::{process::ExitCode, sync::Arc};

use heronry_store::{Store, StoreError};
use heronry_store_memory::MemoryStore;
use heronry_testkit::conformance::{self, Capability, Failure, StorePlace, Subject};

struct Memory;

impl Subject for Memory {
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

impl StorePlace for Memory {
    fn open(&self) -> Result<Store, StoreError> {
        Ok(Store::of(Arc::new(MemoryStore::new())))
    }
}

fn main() -> ExitCode {
    let run = conformance::run(Memory);
    // What was left out by a filter has no certificate.
    if let Some(certificate) = run.passed() {
        let pinned = certificate.without_versions();
        insta::assert_json_snapshot!("certificate", pinned);
    }
    run.exit_code()
}
