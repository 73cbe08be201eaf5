//! The store.

use std::{path::PathBuf, sync::Arc};

use heronry_store::{Adapter, Store, StoreError};
use heronry_store_embedded::{Embedded, Purpose, files::failed_io};

use crate::{
    disk::{DiskHook, Hook},
    files::SledFiles,
    open,
    place::SledDirectory,
};

/// A store in one directory.
///
/// Dropping it waits for the commit that is under way and frees the directory.
#[derive(Debug)]
pub struct SledStore {
    embedded: Arc<Embedded<SledFiles>>,
}

impl SledStore {
    /// Creates an empty store in a new directory, or in an empty one, and opens it. Directories
    /// above it are made.
    ///
    /// A crash leaves no store or an empty one; what is there already is left as it is.
    ///
    /// # Errors
    /// [`Locked`](heronry_store::StoreErrorKind::Locked) while another process creates it,
    /// [`Io`](heronry_store::StoreErrorKind::Io) when something is there already, and the file
    /// system's other failures.
    pub fn create(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let place = SledDirectory::new(directory);
        open::create(&place, &None)?;
        Self::open_place(&place, &None, Purpose::Use)
    }

    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`Sealed`](heronry_store::StoreErrorKind::Sealed) when its pools were moved elsewhere,
    /// [`NotFound`](heronry_store::StoreErrorKind::NotFound),
    /// [`Locked`](heronry_store::StoreErrorKind::Locked),
    /// [`NotAStore`](heronry_store::StoreErrorKind::NotAStore) and
    /// [`NewerSchema`](heronry_store::StoreErrorKind::NewerSchema) with not a byte written,
    /// [`Corrupt`](heronry_store::StoreErrorKind::Corrupt),
    /// [`ReadOnly`](heronry_store::StoreErrorKind::ReadOnly).
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&SledDirectory::new(directory), &None, Purpose::Use)
    }

    /// Opens a copy of an existing store to look at it, sealed or not. Nothing that is written to
    /// the copy lasts.
    ///
    /// sled writes when it opens. So the copy stands beside the store, under its name and `.looking`,
    /// takes as much space unless the file system shares it, and is removed when it is dropped. Where
    /// the folder of the store may not be written, the copy is in a folder of its own in the system's
    /// folder for temporary files. The store itself may be one that can only be read.
    ///
    /// # Errors
    /// As [`open`](Self::open), but never because it is sealed or may not be written, and
    /// [`Full`](heronry_store::StoreErrorKind::Full) when there is no space for the copy.
    pub fn open_to_read(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&SledDirectory::new(directory), &None, Purpose::Read)
    }

    /// Opens an existing store to move its pools elsewhere, sealed or not.
    ///
    /// # Errors
    /// As [`open`](Self::open), but never because it is sealed.
    pub fn open_to_move(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&SledDirectory::new(directory), &None, Purpose::Move)
    }

    /// Opens the store, or creates it when nothing is there.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_or_create_place(&SledDirectory::new(directory), &None)
    }

    /// Opens or creates a store whose files a [`DiskHook`] watches, for fault tests.
    ///
    /// # Errors
    /// As [`open_or_create`](Self::open_or_create).
    pub fn open_or_create_watched(
        directory: impl Into<PathBuf>,
        hook: Arc<dyn DiskHook>,
    ) -> Result<Self, StoreError> {
        Self::open_or_create_place(&SledDirectory::new(directory), &Some(hook))
    }

    fn open_or_create_place(place: &SledDirectory, hook: &Hook) -> Result<Self, StoreError> {
        match place.is_free() {
            Ok(true) => open::create(place, hook)?,
            Ok(false) => {}
            Err(error) => return Err(place.failed("open the store", error)),
        }
        Self::open_place(place, hook, Purpose::Use)
    }

    fn open_place(
        place: &SledDirectory,
        hook: &Hook,
        purpose: Purpose,
    ) -> Result<Self, StoreError> {
        let (files, pools) = open::open(place, hook, purpose)?;
        let embedded = Embedded::start(files, pools)
            .map_err(|error| failed_io("open the store", "the writer thread", error))?;
        Ok(Self {
            embedded: Arc::new(embedded),
        })
    }
}

impl Adapter for SledStore {
    fn ports(self: Arc<Self>) -> Store {
        Store::of(Arc::clone(&self.embedded))
    }
}
