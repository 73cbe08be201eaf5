//! The place of a store: its directory, the files in it, the temporary directory of its creation.

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

use crate::format::{self, Unreadable};

/// The file that says what the directory is. Whoever uses the store holds its lock.
const RECORD: &str = "heronry";
const MARK: &str = "mark";
/// The names of the files and folders that sled makes.
const DB: &str = "db";
const CONF: &str = "conf";
const BLOBS: &str = "blobs";

/// The place of a store: its directory.
#[derive(Clone, Debug)]
pub(crate) struct SledDirectory {
    directory: PathBuf,
}

impl SledDirectory {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.directory.join(DB)
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.directory.join(CONF)
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.directory.join(BLOBS)
    }

    pub(crate) fn mark(&self) -> PathBuf {
        self.directory.join(MARK)
    }

    fn record(&self) -> PathBuf {
        self.directory.join(RECORD)
    }

    /// Returns the temporary directory in which the store is created.
    pub(crate) fn creating(&self) -> Self {
        self.beside(".creating")
    }

    /// Returns the directory in which a copy is looked at, where it can stand beside the store.
    pub(crate) fn looking(&self) -> Self {
        self.beside(".looking")
    }

    /// Returns true when the mode of the folder that the store stands in lets something be made there. The
    /// superuser could make it anyway, and takes the mode at its word.
    pub(crate) fn may_have_something_beside(&self) -> bool {
        let above = fs::metadata(directory_of(&self.directory));
        above.is_ok_and(|found| !found.permissions().readonly())
    }

    fn beside(&self, ending: &str) -> Self {
        let mut name = OsString::from(self.directory.as_os_str());
        name.push(ending);
        Self::new(name)
    }

    /// Returns true when nothing is there, or an empty directory, which is as good.
    pub(crate) fn is_free(&self) -> io::Result<bool> {
        match fs::read_dir(&self.directory) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Enters the directory of a store that is there: checks what it is, and keeps others out as
    /// long as the file that is returned stays open. Not a byte is written; to be looked at, a store
    /// that may only be read is as good.
    pub(crate) fn enter(&self, op: &'static str, access: FileAccess) -> Result<File, StoreError> {
        let found = fs::metadata(&self.directory).map_err(|error| self.failed(op, error))?;
        if !found.is_dir() {
            return Err(self.refused(
                op,
                Unreadable::new(StoreErrorKind::NotAStore, "this is not a directory"),
            ));
        }
        if self.is_free().map_err(|error| self.failed(op, error))? {
            let what = "the directory is empty; create a store in it first";
            return Err(self.refused(op, Unreadable::new(StoreErrorKind::NotFound, what)));
        }
        match access {
            FileAccess::Read => {}
            FileAccess::ReadWrite => self.check_writable(op)?,
        }
        let file = access.options().open(self.record());
        let file = file.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                return self.refused(op, format::not_a_store());
            }
            self.failed(op, error)
        })?;
        if !lock(&file).map_err(|error| self.failed(op, error))? {
            return Err(self.locked(op));
        }
        let read = |path| fs::read(path).map_err(|error| self.failed(op, error));
        let conf = if self.conf().exists() {
            read(self.conf())?
        } else {
            Vec::new()
        };
        format::check(&read(self.record())?, &conf).map_err(|what| self.refused(op, what))?;
        self.check_whole(op)?;
        Ok(file)
    }

    fn check_writable(&self, op: &'static str) -> Result<(), StoreError> {
        for path in [self.record(), self.db(), self.directory.clone()] {
            if fs::metadata(&path).is_ok_and(|found| found.permissions().readonly()) {
                let what = format!("{} may not be written", path.display());
                return Err(self.refused(op, Unreadable::new(StoreErrorKind::ReadOnly, what)));
            }
        }
        Ok(())
    }

    /// Checks that nothing is missing that sled would make anew without a word.
    fn check_whole(&self, op: &'static str) -> Result<(), StoreError> {
        let is_log_there = fs::metadata(self.db()).is_ok_and(|found| found.len() > 0);
        if is_log_there && self.blobs().is_dir() {
            return Ok(());
        }
        let what = "the file db or the directory blobs is missing";
        Err(self.refused(op, Unreadable::new(StoreErrorKind::Corrupt, what)))
    }

    /// Takes the temporary directory and the right to create the store, and empties it.
    pub(crate) fn begin_creation(&self, op: &'static str) -> Result<File, StoreError> {
        let creating = self.creating();
        let file = refuse_dangling(&self.directory)
            .and_then(|()| make_directories(&creating.directory))
            .and_then(|()| {
                private(OpenOptions::new().read(true).write(true).create(true))
                    .truncate(false)
                    .open(creating.record())
            })
            .map_err(|error| self.failed(op, error))?;
        // Whoever held the lock before may have renamed the directory in the meantime.
        let is_ours = lock(&file)
            .and_then(|is_locked| Ok(is_locked && leads_to(&creating.record(), &file)?))
            .map_err(|error| self.failed(op, error))?;
        if !is_ours {
            let detail = format!("{}: another process creates it", self.directory.display());
            return Err(StoreError::new(StoreErrorKind::Locked, op, detail));
        }
        let is_free = self.is_free().map_err(|error| self.failed(op, error));
        if !is_free? {
            // The store is there, so nothing is to be created under the other name.
            let _ = fs::remove_dir_all(&creating.directory);
            let what = "something is there already; open it, or choose another place";
            let error = io::Error::new(ErrorKind::AlreadyExists, what);
            return Err(self.failed(op, error));
        }
        creating
            .empty()
            .and_then(|()| file.set_len(0))
            .map_err(|error| self.failed(op, error))?;
        Ok(file)
    }

    /// Says what the directory is, from here on.
    pub(crate) fn write_record(&self, record: &[u8]) -> io::Result<()> {
        fs::write(self.record(), record)
    }

    /// Removes everything but the record.
    fn empty(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.file_name() == RECORD {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Makes everything in the directory last, and the directory, and what it stands in.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.is_dir() {
                sync_directory(&path)?;
            } else {
                OpenOptions::new().write(true).open(path)?.sync_all()?;
            }
        }
        sync_directory(&self.directory)?;
        sync_directory(directory_of(&self.directory))
    }

    /// Gives the created store its name, so that it is there whole from here on.
    pub(crate) fn finish_creation(&self) -> io::Result<()> {
        let creating = self.creating();
        creating.sync_all()?;
        fs::rename(&creating.directory, &self.directory)?;
        sync_directory(directory_of(&self.directory))
    }

    /// Makes everything in the directory its owner's alone; sled does not.
    #[cfg(unix)]
    pub(crate) fn restrict(&self) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let mode = if entry.file_type()?.is_dir() {
                0o700
            } else {
                0o600
            };
            set(&entry.path(), mode)?;
        }
        set(&self.directory, 0o700)
    }

    /// Elsewhere a file has no mode.
    #[cfg(not(unix))]
    pub(crate) fn restrict(&self) -> io::Result<()> {
        Ok(())
    }

    /// Removes what a creation left behind that did not come to its end.
    pub(crate) fn remove_leftover(&self) -> io::Result<()> {
        let creating = self.creating();
        let file = match File::open(creating.record()) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return creating.remove_empty(),
            // What stands there is nobody's leftover.
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(()),
            Err(error) => return Err(error),
        };
        if lock(&file)? && leads_to(&creating.record(), &file)? {
            fs::remove_dir_all(&creating.directory)?;
        }
        Ok(())
    }

    /// Removes the directory when nothing is in it; a creation may just have begun in it.
    fn remove_empty(&self) -> io::Result<()> {
        match fs::remove_dir(&self.directory) {
            Err(error)
                if !matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Err(error)
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(crate) fn locked(&self, op: &'static str) -> StoreError {
        let what = "another process has it open; stop that process, or choose another place";
        self.refused(op, Unreadable::new(StoreErrorKind::Locked, what))
    }

    pub(crate) fn refused(&self, op: &'static str, unreadable: Unreadable) -> StoreError {
        let Unreadable { kind, what } = unreadable;
        StoreError::new(kind, op, format!("{}: {what}", self.directory.display()))
    }

    pub(crate) fn failed(&self, op: &'static str, error: io::Error) -> StoreError {
        failed_io(op, self.directory.display(), error)
    }
}

/// Takes the lock of a file; false when another has it.
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
