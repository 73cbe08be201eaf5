//! The redb store passes the suite of embedded adapters.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use heronry_store::{Store, StoreError};
use heronry_store_redb::{DiskHook, DiskOp, RedbStore};
use heronry_testkit::embedded::{Device, DeviceOp, EmbeddedAdapter};

pub(crate) struct EmbeddedRedb;

impl EmbeddedAdapter for EmbeddedRedb {
    const NAME: &'static str = "heronry.redb";

    fn create(path: &Path) -> Result<Store, StoreError> {
        RedbStore::create(path).map(in_ports)
    }

    fn open(path: &Path) -> Result<Store, StoreError> {
        RedbStore::open(path).map(in_ports)
    }

    fn open_to_read(path: &Path) -> Result<Store, StoreError> {
        RedbStore::open_to_read(path).map(in_ports)
    }

    fn open_or_create(path: &Path) -> Result<Store, StoreError> {
        RedbStore::open_or_create(path).map(in_ports)
    }

    fn open_watched(path: &Path, device: Arc<dyn Device>) -> Result<Store, StoreError> {
        RedbStore::open_or_create_watched(path, Arc::new(WatchedFile(device))).map(in_ports)
    }

    fn written_paths(path: &Path) -> Vec<PathBuf> {
        vec![path.to_owned()]
    }

    fn creation_lock(creating: &Path) -> PathBuf {
        creating.to_owned()
    }
}

pub(crate) fn in_ports(store: RedbStore) -> Store {
    Store::of(Arc::new(store))
}

/// Asks a device of the kit before each operation that changes the file.
#[derive(Debug)]
struct WatchedFile(Arc<dyn Device>);

impl DiskHook for WatchedFile {
    fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
        match op {
            DiskOp::Read { .. } => Ok(()),
            DiskOp::Write { .. } | DiskOp::SetLen(_) => self.0.before(DeviceOp::Transfer),
            DiskOp::Sync => self.0.before(DeviceOp::Sync),
        }
    }
}

heronry_testkit::embedded_cases!(crate::suite::EmbeddedRedb);
