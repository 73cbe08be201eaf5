//! A directory that a test writes to through a store, watches, and cuts off.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use heronry_store::{Store, StoreError};
use heronry_store_sled::{DiskHook, DiskOp, SledStore};
use heronry_testkit::recovery::{Countdown, RecoveryWriter};
use tempfile::TempDir;

use crate::image::Image;

/// A directory for one store.
pub(crate) struct StoreDirectory {
    directory: TempDir,
}

impl StoreDirectory {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("heronry.sled")
    }

    pub(crate) fn creating(&self) -> PathBuf {
        self.path().join("heronry.sled.creating")
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        SledStore::open(self.store()).map(in_ports)
    }

    pub(crate) fn open_or_create(&self) -> Result<Store, StoreError> {
        SledStore::open_or_create(self.store()).map(in_ports)
    }

    /// Opens or creates the store so that one operation fails.
    pub(crate) fn open_failing(&self, countdown: Countdown) -> Result<Store, StoreError> {
        self.open_watched(Arc::new(FailAt(countdown)))
    }

    /// Opens or creates the store, and owns its first pool.
    pub(crate) fn writer(&self) -> RecoveryWriter {
        RecoveryWriter::of(self.open_or_create().unwrap()).unwrap()
    }

    pub(crate) fn open_watched(&self, hook: Arc<dyn DiskHook>) -> Result<Store, StoreError> {
        SledStore::open_or_create_watched(self.store(), hook).map(in_ports)
    }

    pub(crate) fn image(&self) -> Image {
        Image::take(&self.store())
    }

    /// Makes the directory what a crash or a stranger left there.
    pub(crate) fn put(image: &Image) -> Self {
        let folder = Self::new();
        image.put(&folder.store());
        folder
    }

    pub(crate) fn blobs(&self) -> usize {
        fs::read_dir(self.store().join("blobs")).unwrap().count()
    }
}

fn in_ports(store: SledStore) -> Store {
    Store::of(Arc::new(store))
}

/// Fails the operation with a number.
#[derive(Debug)]
pub(crate) struct FailAt(pub(crate) Countdown);

impl DiskHook for FailAt {
    fn before(&self, _: DiskOp) -> io::Result<()> {
        self.0.count()
    }
}

/// Takes an image of a directory before each operation.
#[derive(Debug)]
pub(crate) struct Recorder {
    directory: PathBuf,
    moments: Mutex<Vec<(DiskOp, Image)>>,
}

impl Recorder {
    pub(crate) fn of(directory: PathBuf) -> Arc<Self> {
        let moments = Mutex::default();
        Arc::new(Self { directory, moments })
    }

    pub(crate) fn moments(&self) -> Vec<(DiskOp, Image)> {
        self.moments.lock().unwrap().clone()
    }

    /// Returns how many operations there were so far.
    pub(crate) fn count(&self) -> usize {
        self.moments.lock().unwrap().len()
    }
}

impl DiskHook for Recorder {
    fn before(&self, op: DiskOp) -> io::Result<()> {
        let image = Image::take(&self.directory);
        self.moments.lock().unwrap().push((op, image));
        Ok(())
    }
}
