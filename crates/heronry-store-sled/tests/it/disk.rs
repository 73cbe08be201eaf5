//! A directory that a test writes to through a store, watches, and cuts off.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use heronry_store::{Store, StoreError, StoreErrorKind};
use heronry_testkit::{
    embedded::{Device, EmbeddedPlace, Image, check_refused},
    recovery::RecoveryWriter,
};

use crate::suite::EmbeddedSled;

/// A directory for one store.
pub(crate) struct StoreDirectory {
    place: EmbeddedPlace<EmbeddedSled>,
}

impl StoreDirectory {
    pub(crate) fn new() -> Self {
        let place = EmbeddedPlace::new().unwrap();
        Self { place }
    }

    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.place.store()
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        self.place.open()
    }

    pub(crate) fn open_or_create(&self) -> Result<Store, StoreError> {
        self.place.open_or_create()
    }

    /// Opens or creates the store, and owns its first pool.
    pub(crate) fn writer(&self) -> RecoveryWriter {
        self.place.writer().unwrap()
    }

    pub(crate) fn open_watched(&self, device: Arc<dyn Device>) -> Result<Store, StoreError> {
        self.place.open_watched(device)
    }

    pub(crate) fn image(&self) -> Image {
        self.place.image().unwrap()
    }

    /// Makes the directory what a crash or a stranger left there.
    pub(crate) fn put(image: &Image) -> Self {
        let place = EmbeddedPlace::put(image).unwrap();
        Self { place }
    }

    pub(crate) fn blobs(&self) -> usize {
        fs::read_dir(self.store().join("blobs")).unwrap().count()
    }

    /// Checks that the directory is refused as this, and not a byte in it changes.
    pub(crate) fn check_refused(&self, kind: StoreErrorKind) {
        check_refused::<EmbeddedSled>(&self.store(), kind).unwrap();
    }
}
