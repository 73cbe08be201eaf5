//! A directory that a test writes to through a store, watches, and cuts off.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use futures::executor::block_on;
use heronry_store::{FencingToken, Guard, Head, Store, StoreError};
use heronry_store_sled::{DiskHook, DiskOp, SledStore};
use heronry_testkit::sample;
use heronry_types::{Body, Position};
use tempfile::TempDir;

use crate::image::Image;

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
        let number = self.position().0;
        self.append(records, sample::body(number))
    }

    /// Appends one chunk with these many records, and a content of this size.
    pub(crate) fn write_large(
        &mut self,
        records: u64,
        bytes: usize,
    ) -> Result<Head, heronry_store::AppendError> {
        self.append(records, large(bytes, self.position()))
    }

    fn position(&self) -> Position {
        self.head.map_or(Position::ZERO, |head| head.head)
    }

    fn append(&mut self, records: u64, body: Body) -> Result<Head, heronry_store::AppendError> {
        let expected_head = self.position();
        let guard = Guard {
            expected_head,
            token: self.token,
        };
        let mut commit = sample::commit(self.head, records);
        commit.contents = vec![sample::content(expected_head.0)];
        commit.contents[0].body = body;
        let pool = sample::pool(1);
        let append = self.store.journal.append(&pool, commit, guard);
        let head = block_on(append)?;
        self.head = Some(head);
        Ok(head)
    }
}

/// Returns a body of this size that no other position has.
pub(crate) fn large(bytes: usize, position: Position) -> Body {
    let byte = |n: usize| (n * 7 + n / 251).to_le_bytes()[0] ^ position.0.to_le_bytes()[0];
    Body::new(Body::BINARY, (0..bytes).map(byte).collect::<Vec<u8>>())
}

/// Fails the operation with this number, counted from 0.
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
    fn before(&self, _: DiskOp) -> io::Result<()> {
        let mut left = self.left.lock().unwrap();
        match *left {
            None => Ok(()),
            Some(0) => {
                *left = None;
                Err(io::Error::other("the test failed this operation"))
            }
            Some(number) => {
                *left = Some(number - 1);
                Ok(())
            }
        }
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
