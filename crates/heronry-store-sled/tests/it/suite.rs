//! The sled store passes the suite of embedded adapters.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use heronry_store::{Store, StoreError};
use heronry_store_sled::{DiskHook, DiskOp, SledStore};
use heronry_testkit::embedded::{Device, DeviceOp, EmbeddedAdapter, Image};

use crate::image::LogImage;

pub(crate) struct EmbeddedSled;

impl EmbeddedAdapter for EmbeddedSled {
    const NAME: &'static str = "heronry.sled";

    fn create(path: &Path) -> Result<Store, StoreError> {
        SledStore::create(path).map(in_ports)
    }

    fn open(path: &Path) -> Result<Store, StoreError> {
        SledStore::open(path).map(in_ports)
    }

    fn open_to_read(path: &Path) -> Result<Store, StoreError> {
        SledStore::open_to_read(path).map(in_ports)
    }

    fn open_or_create(path: &Path) -> Result<Store, StoreError> {
        SledStore::open_or_create(path).map(in_ports)
    }

    fn open_watched(path: &Path, device: Arc<dyn Device>) -> Result<Store, StoreError> {
        SledStore::open_or_create_watched(path, Arc::new(WatchedLog(device))).map(in_ports)
    }

    fn written_paths(path: &Path) -> Vec<PathBuf> {
        vec![path.join("heronry"), path.join("db"), path.to_owned()]
    }

    fn creation_lock(creating: &Path) -> PathBuf {
        creating.join("heronry")
    }

    /// Files may be there in part, and those that came last not at all.
    fn partial_leftovers(whole: &Image) -> Vec<Image> {
        let mut leftovers = vec![Image::of_empty_directory()];
        let names = whole.files.keys();
        for name in names.filter(|name| !matches!(name.as_str(), "" | "heronry")) {
            let mut part = whole.clone();
            part.files.remove(name);
            leftovers.push(part);
        }
        for file in ["db", "conf", "heronry", "mark"] {
            let mut part = whole.clone();
            part.file(file).truncate(3);
            leftovers.push(part);
        }
        leftovers
    }
}

pub(crate) fn in_ports(store: SledStore) -> Store {
    Store::of(Arc::new(store))
}

/// Asks a device of the kit before each operation.
#[derive(Debug)]
struct WatchedLog(Arc<dyn Device>);

impl DiskHook for WatchedLog {
    fn before(&self, op: DiskOp) -> io::Result<()> {
        self.0.before(match op {
            DiskOp::Read | DiskOp::Write => DeviceOp::Transfer,
            DiskOp::Sync => DeviceOp::Sync,
        })
    }
}

heronry_testkit::embedded_cases!(crate::suite::EmbeddedSled);
