//! Files that a person named, in folders that may be anybody's.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::Path,
};

use heronry_store_embedded::files::directory_of;
use rustix::{
    fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, lstat, open},
    io::Errno,
};

use super::{
    FileError, Folder,
    folder::{read_text, stat_of},
    trust::{
        Others, check_file, check_folder, check_folder_of_store, check_named_secret, file_type,
        is_handed_over,
    },
};

/// The source of a secret: says if it can be read again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pipe {
    /// A pipe or a terminal: the secret is gone from there once it was read.
    Yes,
    /// A file, which can be read again.
    No,
}

/// Reads a secret from a file that a person named, wherever its name leads; nothing when there is none.
/// A pipe has to be one that the caller handed over (`/dev/stdin`, `/dev/fd/3`): one that has a name of
/// its own may have nobody who writes to it.
///
/// # Errors
/// [`FileError`], when it is another user's, or others can read or change it, or when it is no file.
pub(crate) fn read_secret(path: &Path) -> Result<Option<(String, Pipe)>, FileError> {
    if lstat(path).is_ok_and(|found| file_type(&found) == FileType::Fifo) {
        let place = path.to_owned();
        let expected = "file";
        return Err(FileError::Other { place, expected });
    }
    // No other end is waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match open(path, flags, Mode::empty()) {
        Ok(opened) => File::from(opened),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(FileError::at("read", path)(error)),
    };
    let found = stat_of(&file, path)?;
    check_named_secret(&found, path)?;
    let pipe = if is_handed_over(&found) {
        // Whoever has the other end takes its time; without anybody there it ends at once.
        let waits = fcntl_getfl(&file).and_then(|now| fcntl_setfl(&file, now - OFlags::NONBLOCK));
        waits.map_err(FileError::at("read", path))?;
        Pipe::Yes
    } else {
        Pipe::No
    };
    Ok(Some((read_text(file, path)?, pipe)))
}

/// Checks the place of a store that a person named, wherever its name leads: nobody else changes what is
/// in its folders, and what is there is this user's. What is not there is said by who opens it.
pub(crate) fn check_store(path: &Path) -> Result<(), FileError> {
    check_folder_above(path)?;
    let place = match fs::canonicalize(path) {
        Ok(place) => place,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::at("look at", path)(error)),
    };
    check_folder_above(&place)?;
    let found = rustix::fs::stat(&place).map_err(FileError::at("look at", path))?;
    if file_type(&found) == FileType::Directory {
        return check_folder(&found, path, Others::Read);
    }
    check_file(&found, path, Others::Read)
}

fn check_folder_above(path: &Path) -> Result<(), FileError> {
    let folder = directory_of(path);
    let found = rustix::fs::stat(folder).map_err(FileError::at("look at", folder))?;
    check_folder_of_store(&found, folder)
}

/// Makes a file that was not there, for its owner alone: it holds what only those may see who may
/// read the store.
pub(crate) fn create_new(path: &Path) -> Result<File, FileError> {
    let (folder, name) = Folder::of(path)?;
    folder.create_new(name, Mode::RUSR | Mode::WUSR)
}

/// Replaces a file that everybody may read, as far as the process lets them.
pub(crate) fn replace_shared(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let (folder, name) = Folder::of(path)?;
    folder.replace_with(name, (bytes, Mode::from_raw_mode(0o666)))
}
