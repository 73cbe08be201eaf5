//! A fresh path for one store.

use std::{
    io,
    marker::PhantomData,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::executor::block_on;
use heronry_store::{Store, StoreError, StoreErrorKind};
use tempfile::TempDir;

use super::{Device, EmbeddedAdapter, Image};
use crate::{
    conformance::{Failure, check_kind, refused, same},
    recovery::RecoveryWriter,
};

/// A directory of its own, with a path in it for one store of an adapter. Dropping it removes all of it.
#[derive(Debug)]
pub struct EmbeddedPlace<A> {
    directory: TempDir,
    adapter: PhantomData<A>,
}

impl<A: EmbeddedAdapter> EmbeddedPlace<A> {
    /// Returns a place with nothing in it.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            directory: tempfile::tempdir()?,
            adapter: PhantomData,
        })
    }

    /// Returns a place where a crash or a stranger left an image.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn put(image: &Image) -> io::Result<Self> {
        let place = Self::new()?;
        image.put(&place.store())?;
        Ok(place)
    }

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the path of the store.
    pub fn store(&self) -> PathBuf {
        self.path().join(A::NAME)
    }

    /// Returns the path at which a creation makes the store, before it gives it its name.
    pub fn creating(&self) -> PathBuf {
        creating(&self.store())
    }

    /// Takes an image of the store.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn image(&self) -> io::Result<Image> {
        Image::take(&self.store())
    }

    /// Opens the store that is there.
    ///
    /// # Errors
    /// The store's failure.
    pub fn open(&self) -> Result<Store, StoreError> {
        A::open(&self.store())
    }

    /// Opens the store, and creates it when there is none.
    ///
    /// # Errors
    /// The store's failure.
    pub fn open_or_create(&self) -> Result<Store, StoreError> {
        A::open_or_create(&self.store())
    }

    /// Opens or creates the store on a device.
    ///
    /// # Errors
    /// The store's failure.
    pub fn open_watched(&self, device: Arc<dyn Device>) -> Result<Store, StoreError> {
        A::open_watched(&self.store(), device)
    }

    /// Opens or creates the store, and owns its first pool.
    ///
    /// # Errors
    /// [`Failure`], as the opening and the acquiring.
    pub fn writer(&self) -> Result<RecoveryWriter, Failure> {
        RecoveryWriter::of(self.open_or_create()?)
    }
}

/// Returns the path at which a creation makes a store.
fn creating(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".creating");
    name.into()
}

/// Checks that nothing of a creation is left.
pub(super) fn check_nothing_is_left<A: EmbeddedAdapter>(
    place: &EmbeddedPlace<A>,
) -> Result<(), Failure> {
    let is_left = place.creating().exists();
    same("a leftover of a creation", &is_left, &false)
}

/// Checks that an empty store is found or made.
pub(super) fn check_empty_store_can_be_had<A: EmbeddedAdapter>(
    place: &EmbeddedPlace<A>,
) -> Result<(), Failure> {
    let store = place.open_or_create()?;
    same("its pools", &block_on(store.journal.pools())?, &vec![])?;
    drop(store);
    check_nothing_is_left(place)?;
    drop(place.open()?);
    Ok(())
}

/// Checks that the store is refused as this, each time, and not a byte of it changes. The error must name
/// the store, or the pool that is damaged.
///
/// # Errors
/// [`Failure`] when it is opened, refused otherwise, or changed.
pub fn check_refused<A: EmbeddedAdapter>(path: &Path, kind: StoreErrorKind) -> Result<(), Failure> {
    let before = Image::take(path)?;
    for _ in 0..2 {
        let error = refused("opening", A::open(path))?;
        same(&format!("the kind of \"{error}\""), &error.kind(), &kind)?;
        let said = error.to_string();
        if !said.contains(A::NAME) && !said.contains("pool ") {
            return Err(Failure::new(format!("it does not name the store: {error}")));
        }
        check_kind("opening or creating", A::open_or_create(path), kind)?;
    }
    let is_kept = Image::take(path)? == before;
    same("the store is left as it is", &is_kept, &true)?;
    same("a creation", &creating(path).exists(), &false)
}
