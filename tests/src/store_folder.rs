//! The place where a store under test keeps its files, and copies of them as a crash would leave
//! them.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "a helper of a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crate::StoreKind;
use heronry_store::{Store, StoreError};
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use tempfile::TempDir;

/// A folder for one store.
#[derive(Debug)]
pub struct StoreFolder {
    /// The kind of the store.
    pub kind: StoreKind,
    folder: TempDir,
    camera: Arc<Camera>,
}

impl StoreFolder {
    /// Makes an empty folder.
    pub fn new(kind: StoreKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let camera = Arc::new(Camera {
            folder: folder.path().to_owned(),
            plan: Mutex::default(),
        });
        Self {
            kind,
            folder,
            camera,
        }
    }

    /// Returns a folder with these files.
    pub fn of(kind: StoreKind, image: &Image) -> Self {
        let place = Self::new(kind);
        image.put(place.folder.path());
        place
    }

    /// Makes the folder what it was when an image was taken.
    pub fn put_back(&self, image: &Image) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        image.put(self.folder.path());
    }

    /// Returns where the store is.
    pub fn path(&self) -> PathBuf {
        let name = match self.kind {
            StoreKind::Memory => "",
            StoreKind::Redb => "store.redb",
            StoreKind::Sled => "store.sled",
        };
        self.folder.path().join(name)
    }

    /// Opens the store, and creates it when there is none.
    pub fn open(&self) -> Result<Store, StoreError> {
        let (path, camera) = (self.path(), Arc::clone(&self.camera));
        Ok(match self.kind {
            StoreKind::Memory => Store::of(Arc::new(MemoryStore::new())),
            StoreKind::Redb => {
                Store::of(Arc::new(RedbStore::open_or_create_watched(path, camera)?))
            }
            StoreKind::Sled => {
                Store::of(Arc::new(SledStore::open_or_create_watched(path, camera)?))
            }
        })
    }

    /// Opens the store to look at it, whether it is sealed or not.
    pub fn open_to_read(&self) -> Result<Store, StoreError> {
        let path = self.path();
        Ok(match self.kind {
            StoreKind::Memory => Store::of(Arc::new(MemoryStore::new())),
            StoreKind::Redb => Store::of(Arc::new(RedbStore::open_to_read(path)?)),
            StoreKind::Sled => Store::of(Arc::new(SledStore::open_to_read(path)?)),
        })
    }

    /// Returns the files as they are.
    pub fn image(&self) -> Image {
        Image::take(self.folder.path())
    }

    /// Takes an image of the files after this many more operations on them.
    pub fn take_image_after(&self, operations: u8) {
        let waiting = Plan::After(operations);
        *self.camera.plan.lock().unwrap() = waiting;
    }

    /// Returns the image that was taken, and true; the files as they are now, when it was not.
    pub fn taken(&self) -> (Image, bool) {
        let plan = std::mem::take(&mut *self.camera.plan.lock().unwrap());
        match plan {
            Plan::Taken(image) => (image, true),
            Plan::Idle | Plan::After(_) => (self.image(), false),
        }
    }
}

/// Looks on while a store writes, and takes an image when it was asked to.
#[derive(Debug)]
struct Camera {
    folder: PathBuf,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
enum Plan {
    #[default]
    Idle,
    After(u8),
    Taken(Image),
}

impl Camera {
    fn look(&self) {
        let mut plan = self.plan.lock().unwrap();
        let next = match std::mem::take(&mut *plan) {
            Plan::After(0) => Plan::Taken(Image::take(&self.folder)),
            Plan::After(operations) => Plan::After(operations - 1),
            other @ (Plan::Idle | Plan::Taken(_)) => other,
        };
        *plan = next;
    }
}

impl heronry_store_redb::DiskHook for Camera {
    fn before(&self, op: heronry_store_redb::DiskOp<'_>) -> io::Result<()> {
        if !matches!(op, heronry_store_redb::DiskOp::Read { .. }) {
            self.look();
        }
        Ok(())
    }
}

impl heronry_store_sled::DiskHook for Camera {
    fn before(&self, _: heronry_store_sled::DiskOp) -> io::Result<()> {
        self.look();
        Ok(())
    }
}

/// The files of a store, by their paths below a folder; nothing for a folder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Image(pub BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Image {
    /// Returns the names of the files that are not as they were.
    pub fn changed(&self, before: &Self) -> Vec<String> {
        let names = self.0.keys().chain(before.0.keys());
        let changed = names.filter(|name| self.0.get(*name) != before.0.get(*name));
        let mut changed: Vec<_> = changed.map(|name| name.display().to_string()).collect();
        changed.sort();
        changed.dedup();
        changed
    }

    fn take(folder: &Path) -> Self {
        let mut image = Self::default();
        image.add(folder, Path::new(""));
        image
    }

    fn add(&mut self, folder: &Path, below: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.add(&entry.path(), &name);
                self.0.insert(name, None);
            } else {
                self.0.insert(name, Some(fs::read(entry.path()).unwrap()));
            }
        }
    }

    fn put(&self, folder: &Path) {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            match bytes {
                None => fs::create_dir_all(path).unwrap(),
                Some(bytes) => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, bytes).unwrap();
                }
            }
        }
    }
}
