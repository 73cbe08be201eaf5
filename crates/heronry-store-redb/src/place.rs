//! The place of a store: its file, the temporary file of its creation, its directory.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::files::{
    FileAccess, directory_of, failed_io, leads_to, make_directories, private, refuse_dangling,
    sync_directory,
};

/// The place of a store: its file.
#[derive(Clone, Debug)]
pub(crate) struct RedbPath {
    file: PathBuf,
}

impl RedbPath {
    pub(crate) fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Returns the path of the temporary file under which the store is created.
    pub(crate) fn creating(&self) -> PathBuf {
        let mut name = OsString::from(self.file.as_os_str());
        name.push(".creating");
        PathBuf::from(name)
    }

    /// Opens the file of a store that is there: to be looked at, one that may only be read is as good.
    pub(crate) fn open_file(
        &self,
        op: &'static str,
        access: FileAccess,
    ) -> Result<File, StoreError> {
        let found = fs::metadata(&self.file).map_err(|error| self.failed(op, error))?;
        let refuse = |kind, what: &str| {
            let detail = format!("{}: {what}", self.file.display());
            Err(StoreError::new(kind, op, detail))
        };
        if !found.is_file() {
            return refuse(StoreErrorKind::NotAStore, "this is not a file");
        }
        if found.len() == 0 {
            return refuse(StoreErrorKind::NotAStore, "the file is empty");
        }
        if access == FileAccess::ReadWrite && found.permissions().readonly() {
            return refuse(StoreErrorKind::ReadOnly, "the file may not be written");
        }
        let options = access.options();
        options
            .open(&self.file)
            .map_err(|error| self.failed(op, error))
    }

    /// Takes the temporary file and the right to create the store, and empties it.
    pub(crate) fn begin_creation(&self, op: &'static str) -> Result<File, StoreError> {
        refuse_dangling(&self.file)
            .and_then(|()| make_directories(directory_of(&self.file)))
            .map_err(|error| self.failed(op, error))?;
        let creating = self.creating();
        let file = private(OpenOptions::new().read(true).write(true).create(true))
            .truncate(false)
            .open(&creating)
            .map_err(|error| self.failed(op, error))?;
        let locked = match file.try_lock() {
            // Whoever held the lock before may have renamed the file in the meantime.
            Ok(()) => leads_to(&creating, &file).map_err(|error| self.failed(op, error))?,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => return Err(self.failed(op, error)),
        };
        if !locked {
            let detail = format!("{}: another process creates it", self.file.display());
            return Err(StoreError::new(StoreErrorKind::Locked, op, detail));
        }
        if let Err(error) = self.check_free() {
            // The store is there, so nothing is to be created under the other name.
            let _ = fs::remove_file(&creating);
            return Err(self.failed(op, error));
        }
        file.set_len(0).map_err(|error| self.failed(op, error))?;
        Ok(file)
    }

    fn check_free(&self) -> io::Result<()> {
        if fs::exists(&self.file)? {
            let what = "something is there already; open it, or choose another place";
            return Err(io::Error::new(ErrorKind::AlreadyExists, what));
        }
        Ok(())
    }

    /// Gives the created store its name, so that it is there whole from here on.
    pub(crate) fn finish_creation(&self, file: &File, op: &'static str) -> Result<(), StoreError> {
        file.sync_all()
            .and_then(|()| fs::rename(self.creating(), &self.file))
            .and_then(|()| sync_directory(directory_of(&self.file)))
            .map_err(|error| self.failed(op, error))
    }

    /// Removes what a creation left behind that did not come to its end.
    pub(crate) fn remove_leftover(&self) -> io::Result<()> {
        let creating = self.creating();
        let file = match File::open(&creating) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) if leads_to(&creating, &file)? => fs::remove_file(&creating),
            // Another process is at it.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(crate) fn failed(&self, op: &'static str, error: io::Error) -> StoreError {
        failed_io(op, self.file.display(), error)
    }
}
