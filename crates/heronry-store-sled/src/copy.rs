//! A store that is only looked at: a copy of it, because sled writes when it opens.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use tempfile::TempDir;

use crate::{place::SledDirectory, settle::is_unfinished};

/// A copy of a store, which lasts as long as this. The store's lock is held meanwhile, so that
/// nobody writes to the one, or removes the other.
#[derive(Debug)]
pub(crate) struct StoreCopy {
    place: SledDirectory,
    /// The folder for the copy alone, where it cannot stand beside the store. It is removed with it.
    _apart: Option<TempDir>,
}

impl StoreCopy {
    /// Copies a store, where the file system can without taking space for it. Where nothing may be
    /// written beside the store, the copy is made among temporary files.
    pub(crate) fn of(store: &SledDirectory) -> io::Result<Self> {
        if !store.may_have_something_beside() {
            return Self::apart(store);
        }
        match Self::beside(store) {
            Err(error) if may_not_write(&error) => Self::apart(store),
            copied => copied,
        }
    }

    fn beside(store: &SledDirectory) -> io::Result<Self> {
        remove_leftover(store)?;
        let copy = Self {
            place: store.looking(),
            _apart: None,
        };
        copy.fill(store)?;
        Ok(copy)
    }

    /// Makes the copy in a folder that nobody else can enter.
    fn apart(store: &SledDirectory) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("heronry-look-").tempdir()?;
        let copy = Self {
            place: SledDirectory::new(folder.path().join("store")),
            _apart: Some(folder),
        };
        copy.fill(store)?;
        Ok(copy)
    }

    pub(crate) fn place(&self) -> &SledDirectory {
        &self.place
    }

    fn fill(&self, store: &SledDirectory) -> io::Result<()> {
        let mut directory = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
        directory.create(self.place.path())?;
        directory.create(self.place.blobs())?;
        copy_files(store.path(), self.place.path())?;
        copy_files(&store.blobs(), &self.place.blobs())?;
        // The files of a store that may only be read have its mode, too.
        self.place.restrict()
    }
}

fn may_not_write(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

/// Copies the files of a directory, but not those that were not written to their end.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && !is_unfinished(&entry.file_name()) {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl Drop for StoreCopy {
    fn drop(&mut self) {
        // Whoever opens the store next removes what is left of it.
        let _ = fs::remove_dir_all(self.place.path());
    }
}

/// Removes a copy whose process ended before it was removed.
pub(crate) fn remove_leftover(store: &SledDirectory) -> io::Result<()> {
    match fs::remove_dir_all(store.looking().path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
