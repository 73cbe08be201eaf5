//! The store.

use std::{path::PathBuf, sync::Arc};

use heronry_store::{Adapter, Store, StoreError};
use heronry_store_embedded::{Embedded, Purpose, files::failed_io};

use crate::{
    DiskHook,
    file::RedbFile,
    open::{self, Hook},
    place::RedbPath,
};

/// A store in one file.
///
/// Dropping it waits for the commit that is under way and frees the file.
#[derive(Debug)]
pub struct RedbStore {
    embedded: Arc<Embedded<RedbFile>>,
}

impl RedbStore {
    /// Creates an empty store in a new file, and opens it. Directories above it are made.
    ///
    /// A crash leaves no store or an empty one; a file that is there already is left as it is.
    ///
    /// # Errors
    /// [`Locked`](heronry_store::StoreErrorKind::Locked) while another process creates it, [`Io`](heronry_store::StoreErrorKind::Io) when
    /// something is there already, and the file system's other failures.
    pub fn create(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let place = RedbPath::new(file);
        open::create(&place, &None)?;
        Self::open_place(&place, &None, Purpose::Use)
    }

    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`Sealed`](heronry_store::StoreErrorKind::Sealed) when its pools were moved elsewhere,
    /// [`NotFound`](heronry_store::StoreErrorKind::NotFound), [`Locked`](heronry_store::StoreErrorKind::Locked),
    /// [`NotAStore`](heronry_store::StoreErrorKind::NotAStore), [`NewerSchema`](heronry_store::StoreErrorKind::NewerSchema) with
    /// not a byte written, [`Corrupt`](heronry_store::StoreErrorKind::Corrupt),
    /// [`ReadOnly`](heronry_store::StoreErrorKind::ReadOnly).
    pub fn open(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&RedbPath::new(file), &None, Purpose::Use)
    }

    /// Opens an existing store to look at it, sealed or not. Its file is left byte for byte as it
    /// is: the writes of redb at opening stay in memory, and so do all later ones. A file that may not
    /// be written is as good, and so is a copy of one that was in use. Several may look at once, and
    /// nobody can use the store meanwhile.
    ///
    /// # Errors
    /// As [`open`](Self::open), but never because it is sealed or may not be written.
    pub fn open_to_read(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&RedbPath::new(file), &None, Purpose::Read)
    }

    /// Opens an existing store to move its pools elsewhere, sealed or not.
    ///
    /// # Errors
    /// As [`open`](Self::open), but never because it is sealed.
    pub fn open_to_move(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&RedbPath::new(file), &None, Purpose::Move)
    }

    /// Opens the store, or creates it when nothing is there.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_or_create_place(&RedbPath::new(file), &None)
    }

    /// Opens or creates a store whose file a [`DiskHook`] watches, for fault tests.
    ///
    /// # Errors
    /// As [`open_or_create`](Self::open_or_create).
    pub fn open_or_create_watched(
        file: impl Into<PathBuf>,
        hook: Arc<dyn DiskHook>,
    ) -> Result<Self, StoreError> {
        Self::open_or_create_place(&RedbPath::new(file), &Some(hook))
    }

    fn open_or_create_place(place: &RedbPath, hook: &Hook) -> Result<Self, StoreError> {
        match std::fs::exists(place.path()) {
            Ok(false) => open::create(place, hook)?,
            Ok(true) => {}
            Err(error) => return Err(place.failed("open the store", error)),
        }
        Self::open_place(place, hook, Purpose::Use)
    }

    fn open_place(place: &RedbPath, hook: &Hook, purpose: Purpose) -> Result<Self, StoreError> {
        let (file, pools) = open::open(place, hook, purpose)?;
        let embedded = Embedded::start(file, pools)
            .map_err(|error| failed_io("open the store", "the writer thread", error))?;
        Ok(Self {
            embedded: Arc::new(embedded),
        })
    }
}

impl Adapter for RedbStore {
    fn ports(self: Arc<Self>) -> Store {
        Store::of(Arc::clone(&self.embedded))
    }
}
