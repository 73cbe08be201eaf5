//! A file that a test writes to through a store, watches, and cuts off.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use heronry_store::{Store, StoreError, StoreErrorKind};
use heronry_store_redb::{DiskHook, DiskOp, RedbStore};
use heronry_testkit::{
    embedded::{EmbeddedPlace, Image, check_refused},
    recovery::RecoveryWriter,
};

use crate::suite::{EmbeddedRedb, in_ports};

/// A directory for one store.
pub(crate) struct StoreDirectory {
    place: EmbeddedPlace<EmbeddedRedb>,
}

impl StoreDirectory {
    pub(crate) fn new() -> Self {
        let place = EmbeddedPlace::new().unwrap();
        Self { place }
    }

    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
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

    pub(crate) fn open_watched(&self, hook: Arc<dyn DiskHook>) -> Result<Store, StoreError> {
        RedbStore::open_or_create_watched(self.file(), hook).map(in_ports)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }

    /// Makes the file what a crash or a stranger left there.
    pub(crate) fn put(bytes: &[u8]) -> Self {
        let place = EmbeddedPlace::put(&Image::of_file(bytes)).unwrap();
        Self { place }
    }

    /// Checks that the file is refused as this, and not a byte of it changes.
    pub(crate) fn check_refused(&self, kind: StoreErrorKind) {
        check_refused::<EmbeddedRedb>(&self.file(), kind).unwrap();
    }
}

/// A change of the file.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// Writes down every change of the file.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    changes: Mutex<Vec<Change>>,
}

impl Recorder {
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.changes.lock().unwrap().clone()
    }

    /// Returns how many changes there were so far.
    pub(crate) fn count(&self) -> usize {
        self.changes.lock().unwrap().len()
    }
}

impl DiskHook for Recorder {
    fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
        let change = match op {
            DiskOp::Write { offset, bytes } => Some(Change::Write(offset, bytes.to_vec())),
            DiskOp::SetLen(len) => Some(Change::SetLen(len)),
            DiskOp::Sync => Some(Change::Sync),
            DiskOp::Read { .. } => None,
        };
        self.changes.lock().unwrap().extend(change);
        Ok(())
    }
}

/// Makes changes to the bytes of a file.
pub(crate) fn apply<'a>(file: &mut Vec<u8>, changes: impl IntoIterator<Item = &'a Change>) {
    for change in changes {
        match change {
            Change::Write(offset, bytes) => {
                let begin = usize::try_from(*offset).unwrap();
                let end = begin + bytes.len();
                file.resize(file.len().max(end), 0);
                file[begin..end].copy_from_slice(bytes);
            }
            Change::SetLen(len) => file.resize(usize::try_from(*len).unwrap(), 0),
            Change::Sync => {}
        }
    }
}
