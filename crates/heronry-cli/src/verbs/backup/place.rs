//! The folder of a backup that is being made: it gets its name when all of it is there.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use rustix::fs::Mode;

use super::manifest::STORE_FILE;
use crate::{failure::Failure, files::Folder, host::StoreChoice, secrets::random_name};

/// A folder of this user alone, under another name than the one that it will have. It is removed unless it is
/// finished.
#[derive(Debug)]
pub(super) struct BackupPlace {
    folder: Folder,
    /// The folder that it lies in.
    above: Folder,
    temporary: String,
    name: OsString,
    is_finished: bool,
}

impl BackupPlace {
    /// Makes the folder, beside the place that is named.
    pub(super) fn begin(dir: &Path) -> Result<Self, Failure> {
        check_free(dir)?;
        let (above, name) = Folder::of(dir)?;
        let temporary = temporary_name(name)?;
        let folder = above.inner(&temporary)?;
        Ok(Self {
            folder,
            temporary,
            name: name.to_owned(),
            above,
            is_finished: false,
        })
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns the store in the folder.
    pub(super) fn store(&self) -> StoreChoice {
        StoreChoice::Redb(self.folder.path().join(STORE_FILE))
    }

    /// Makes a file that was not there, for its owner alone.
    pub(super) fn create_new(&self, name: &str) -> Result<File, Failure> {
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(self.folder.create_new(name, mode)?)
    }

    /// Gives the folder its name, and makes all of it last.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.folder.sync()?;
        self.above.rename_folder(&self.temporary, &self.name)?;
        self.is_finished = true;
        Ok(self.above.sync()?)
    }
}

impl Drop for BackupPlace {
    fn drop(&mut self) {
        if !self.is_finished {
            // What failed matters more than what is left of it.
            let _ = fs::remove_dir_all(self.folder.path());
        }
    }
}

/// Returns a name that nobody uses, which says what it will be.
pub(in crate::verbs) fn temporary_name(name: &OsStr) -> Result<String, Failure> {
    let random = random_name()?;
    let random = random.get(..16).unwrap_or_default();
    Ok(format!("{}.{random}.new", name.to_string_lossy()))
}

/// Checks that nothing is at a place, or an empty folder.
fn check_free(dir: &Path) -> Result<(), Failure> {
    let refuse = |what: &str| {
        Err(Failure::failed(format_args!(
            "{} {what}; name a new folder",
            dir.display()
        )))
    };
    match fs::symlink_metadata(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::file("look at", dir, &error)),
        Ok(found) if !found.is_dir() => refuse("is there and no folder"),
        Ok(_) => {
            let mut entries = fs::read_dir(dir).map_err(|e| Failure::file("list", dir, &e))?;
            match entries.next() {
                None => Ok(()),
                Some(_) => refuse("is not empty"),
            }
        }
    }
}

/// Returns the path of a name beside another path.
pub(in crate::verbs) fn beside(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}
