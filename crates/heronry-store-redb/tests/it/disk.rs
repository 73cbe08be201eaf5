//! A file that a test writes to through a store, watches, and cuts off.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use futures::executor::block_on;
use heronry_store::{FencingToken, Guard, Head, Store, StoreError};
use heronry_store_redb::{DiskHook, DiskOp, RedbStore};
use heronry_testkit::sample;
use heronry_types::Position;
use tempfile::TempDir;

/// A directory for one store.
pub(crate) struct Folder {
    directory: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("heronry.redb")
    }

    pub(crate) fn creating(&self) -> PathBuf {
        self.path().join("heronry.redb.creating")
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        RedbStore::open(self.file()).map(in_ports)
    }

    pub(crate) fn open_or_create(&self) -> Result<Store, StoreError> {
        RedbStore::open_or_create(self.file()).map(in_ports)
    }

    pub(crate) fn open_watched(&self, hook: Arc<dyn DiskHook>) -> Result<Store, StoreError> {
        RedbStore::open_or_create_watched(self.file(), hook).map(in_ports)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }

    /// Makes the file what a crash or a stranger left there.
    pub(crate) fn put(bytes: &[u8]) -> Self {
        let folder = Self::new();
        fs::write(folder.file(), bytes).unwrap();
        folder
    }
}

fn in_ports(store: RedbStore) -> Store {
    Store::of(Arc::new(store))
}

/// Owns the first pool of a store and writes to it.
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) token: FencingToken,
    pub(crate) head: Option<Head>,
}

impl Writer {
    pub(crate) fn of(store: Store) -> Self {
        let pool = sample::pool(1);
        let acquire = store.leases.acquire(&pool, "a test", sample::time(0));
        let token = block_on(acquire).unwrap();
        let head = block_on(store.journal.head(&pool)).unwrap();
        Self { store, token, head }
    }

    /// Appends one chunk with these many records, and one content.
    pub(crate) fn write(&mut self, records: u64) -> Result<Head, heronry_store::AppendError> {
        let expected_head = self.head.map_or(Position::ZERO, |head| head.head);
        let guard = Guard {
            expected_head,
            token: self.token,
        };
        let mut commit = sample::commit(self.head, records);
        commit.contents = vec![sample::content(expected_head.0)];
        let pool = sample::pool(1);
        let append = self.store.journal.append(&pool, commit, guard);
        let head = block_on(append)?;
        self.head = Some(head);
        Ok(head)
    }
}

/// Fails the operation with this number, counted from 0, that changes the file.
#[derive(Debug)]
pub(crate) struct FailAt {
    left: Mutex<Option<usize>>,
}

impl FailAt {
    pub(crate) fn new(number: usize) -> Arc<Self> {
        let left = Mutex::new(Some(number));
        Arc::new(Self { left })
    }

    /// Returns true when the operation that was to fail came.
    pub(crate) fn has_failed(&self) -> bool {
        self.left.lock().unwrap().is_none()
    }
}

impl DiskHook for FailAt {
    fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
        let mut left = self.left.lock().unwrap();
        match (op, *left) {
            (DiskOp::Read { .. }, _) | (_, None) => Ok(()),
            (_, Some(0)) => {
                *left = None;
                Err(io::Error::other("the test failed this operation"))
            }
            (_, Some(number)) => {
                *left = Some(number - 1);
                Ok(())
            }
        }
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
            DiskOp::Read { .. } | _ => None,
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
