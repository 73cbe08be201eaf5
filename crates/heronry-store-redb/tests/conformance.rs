//! The redb store passes the conformance suite.

use std::{io, process::ExitCode, sync::Arc};

use heronry_store::{Store, StoreError};
use heronry_store_redb::{DiskHook, DiskOp, RedbStore};
use heronry_testkit::{
    SyncGate,
    conformance::{self, Capability, Failure, StorePlace, Subject},
    flip_copies,
};
use tempfile::TempDir;

struct Redb;

impl Subject for Redb {
    fn offers(&self, capability: Capability) -> bool {
        // It serves one process.
        capability != Capability::Shared
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn place(&self) -> Result<Box<dyn StorePlace>, Failure> {
        let directory = tempfile::tempdir().map_err(|error| Failure::new(error.to_string()))?;
        let gate = GatedSyncs(SyncGate::default());
        Ok(Box::new(RedbPlace { directory, gate }))
    }
}

struct RedbPlace {
    directory: TempDir,
    gate: GatedSyncs,
}

impl StorePlace for RedbPlace {
    fn open(&self) -> Result<Store, StoreError> {
        let file = self.directory.path().join("heronry.redb");
        let store = RedbStore::open_or_create_watched(file, Arc::new(self.gate.clone()))?;
        Ok(Store::of(Arc::new(store)))
    }

    fn syncs(&self) -> Option<&SyncGate> {
        Some(&self.gate.0)
    }

    fn damage(&self, stored: &[u8]) -> Result<usize, Failure> {
        let file = self.directory.path().join("heronry.redb");
        flip_copies(&file, stored).map_err(|error| Failure::new(error.to_string()))
    }
}

#[derive(Clone, Debug)]
struct GatedSyncs(SyncGate);

impl DiskHook for GatedSyncs {
    fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
        if let DiskOp::Sync = op {
            return self.0.before_sync();
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let run = conformance::run(Redb);
    // What was left out by a filter has no certificate.
    if let Some(certificate) = run.passed() {
        let pinned = certificate.without_versions();
        insta::assert_json_snapshot!("certificate", pinned);
    }
    run.exit_code()
}
