use std::process::ExitCode;
use std::sync::Arc;

use heronry_store::{Store, StoreError};
use heronry_testkit::conformance::{self, Capability, Failure, StorePlace, Subject};
use heronry_testkit::{SyncGate, flip_copies};
use toy_store::ToyStore;

struct Toy;

impl Subject for Toy {
    fn offers(&self, capability: Capability) -> bool {
        // It serves one process.
        capability != Capability::Shared
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn place(&self) -> Result<Box<dyn StorePlace>, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::new(error.to_string()))?;
        Ok(Box::new(ToyPlace {
            folder,
            syncs: SyncGate::default(),
        }))
    }
}

/// A fresh folder. Dropping it removes what is there.
struct ToyPlace {
    folder: tempfile::TempDir,
    syncs: SyncGate,
}

impl StorePlace for ToyPlace {
    fn open(&self) -> Result<Store, StoreError> {
        let syncs = self.syncs.clone();
        let before_sync = Arc::new(move || syncs.before_sync());
        let store = ToyStore::open_watched(&self.folder.path().join("toy"), before_sync)?;
        Ok(Store::of(Arc::new(store)))
    }

    fn syncs(&self) -> Option<&SyncGate> {
        Some(&self.syncs)
    }

    fn damage(&self, stored: &[u8]) -> Result<usize, Failure> {
        let file = self.folder.path().join("toy");
        flip_copies(&file, stored).map_err(|error| Failure::new(error.to_string()))
    }
}

fn main() -> ExitCode {
    conformance::main(Toy)
}
