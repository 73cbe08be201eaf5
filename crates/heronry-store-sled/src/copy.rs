//! A store that is only looked at: a copy beside it, because sled writes when it opens.

use std::{fs, io, path::Path};

use crate::{place::SledDirectory, settle::is_unfinished};

/// A copy of a store, which lasts as long as this. The store's lock is held meanwhile, so that
/// nobody writes to the one, or removes the other.
#[derive(Debug)]
pub(crate) struct StoreCopy {
    place: SledDirectory,
}

impl StoreCopy {
    /// Copies a store, where the file system can without taking space for it.
    pub(crate) fn of(store: &SledDirectory) -> io::Result<Self> {
        remove_leftover(store)?;
        let copy = Self {
            place: store.looking(),
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
        copy_files(&store.blobs(), &self.place.blobs())
    }
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
