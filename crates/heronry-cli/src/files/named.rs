//! Files that a person named, in folders that may be anybody's.

use std::{fs::File, io::ErrorKind, path::Path};

use rustix::fs::Mode;

use super::{
    FileError, Folder,
    folder::{read_text, stat_of},
    trust::{check_named_secret, is_handed_over},
};

/// Whether a secret can be read again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pipe {
    /// It came by a pipe or a terminal: what was read is gone from there.
    Yes,
    /// It is in a file.
    No,
}

/// Reads a secret from a file that a person named, wherever its name leads; nothing when there is none.
///
/// # Errors
/// [`FileError`], when it is another user's, or others can read or change it.
pub(crate) fn read_secret(path: &Path) -> Result<Option<(String, Pipe)>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::at("read", path)(error)),
    };
    let found = stat_of(&file, path)?;
    check_named_secret(&found, path)?;
    let pipe = if is_handed_over(&found) {
        Pipe::Yes
    } else {
        Pipe::No
    };
    Ok(Some((read_text(file, path)?, pipe)))
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
