//! The data directory: the folder where a server keeps its files on this machine, and the search of
//! the CLI for it.

mod owner;
mod search;

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use heronry_store_embedded::files::refuse_dangling;
use serde::{Deserialize, Serialize};

pub(crate) use owner::{DataDirOwnership, OwnerNote, StoreNote, holder_of};

use self::search::{NAME, Search, upward};
use crate::{
    environment,
    failure::Failure,
    files::{FileError, Folder, Others, file_name},
    out::diagnose,
    secrets::SecretPlace,
};

/// The variable that names the data directory.
pub(crate) const VARIABLE: &str = "HERONRY_DATA_DIR";
/// The variable that names another file for the operator token.
const OPERATOR_TOKEN_FILE: &str = "HERONRY_OPERATOR_TOKEN_FILE";
/// The variable that names the folder where commands remember where they stand.
const STATE_DIR: &str = "HERONRY_STATE_DIR";
/// The name of the file that says where the server is.
const SERVER_NOTE: &str = "server.json";
/// The name of the folder of cursor files.
const CURSORS: &str = "cursors";
/// The name of the folder of logs.
const LOGS: &str = "logs";
/// The name of the folder of the files of incarnations.
const INCARNATIONS: &str = "incarnations";
/// The name of the usual store.
const STORE: &str = "store.redb";

/// A data directory that may not exist yet.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    origin: Origin,
}

/// The origin of the path of a data directory.
#[derive(Clone, Debug)]
enum Origin {
    /// A person named the path.
    Named,
    /// The path was looked for from the working directory upward.
    Searched(Search),
}

/// The content of `server.json`, the file that stands in the data directory while a server runs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ServerNote {
    /// The address where the server listens: a URL, or `unix:PATH`.
    pub(crate) url: String,
    /// The Unix socket where it listens, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) socket: Option<PathBuf>,
    /// Its process id.
    #[serde(default)]
    pub(crate) pid: u32,
}

/// Removes `server.json` when the server is gone.
#[derive(Debug)]
pub(crate) struct Announced {
    folder: Folder,
}

impl Drop for Announced {
    fn drop(&mut self) {
        // The data directory has one owner, so the file is this server's. One that stays behind
        // names a server that does not answer, and says so when used.
        let _ = self.folder.remove(SERVER_NOTE);
    }
}

impl DataDir {
    /// Returns the directory that is named by an option or a variable, else the nearest one of this
    /// user upward, else `.heronry` in the working directory.
    pub(crate) fn find(named: Option<&Path>) -> Self {
        let named = named
            .filter(|path| !path.as_os_str().is_empty())
            .map(Path::to_owned)
            .or_else(|| environment::path(VARIABLE));
        if let Some(path) = named {
            return Self::at(path);
        }
        let home = environment::home();
        let here = std::env::current_dir().unwrap_or_default();
        let search = upward(&here, home.as_deref());
        Self {
            path: search.found.clone().unwrap_or_else(|| here.join(NAME)),
            origin: Origin::Searched(search),
        }
    }

    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            origin: Origin::Named,
        }
    }

    /// Names on standard error the folders that were passed over for the one that was found. Says
    /// nothing when none was found: the verb that needs a folder says it then.
    pub(crate) fn say_passed_over(&self) {
        if let Origin::Searched(search) = &self.origin
            && search.found.is_some()
        {
            self.say_story(search);
        }
    }

    fn say_story(&self, search: &Search) {
        if let Some(story) = search.passed_over_story() {
            let path = self.path.display();
            diagnose(&format!("heronry: {story}; the data directory is {path}"));
        }
    }

    /// Creates the directory, for its owner alone, and makes its path absolute. One that is there has
    /// to be this user's alone. Git is told to leave it alone: it holds secrets.
    pub(crate) fn create(&mut self) -> Result<Made, Failure> {
        let failed = |error| Failure::file("create the data directory", &self.path, &error);
        let made = match fs::metadata(&self.path) {
            Ok(_) => Made::Before,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                refuse_dangling(&self.path).map_err(failed)?;
                Folder::make(&self.path)?;
                Made::Now
            }
            Err(error) => return Err(failed(error)),
        };
        self.path = fs::canonicalize(&self.path).map_err(failed)?;
        let folder = Folder::take(&self.path)?;
        if let Origin::Searched(search) = &self.origin
            && search.found.is_none()
        {
            self.say_story(search);
        }
        // Whether it was there does not matter.
        folder.create(".gitignore", b"*\n")?;
        Ok(made)
    }

    /// Checks the usual store, which is opened by its path: nobody else may have laid it, and it leads
    /// nowhere else.
    pub(crate) fn check_store(&self) -> Result<(), Failure> {
        let folder = Folder::private(&self.path);
        match folder.and_then(|folder| folder.check(STORE, Others::Read)) {
            Err(error) if !error.is_missing() => Err(error.into()),
            // What is not there is said by who opens it.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes a directory that was made for a server that did not start after all.
    pub(crate) fn unmake(&self) {
        for name in [".gitignore", owner::LOCK] {
            // What was put there meanwhile stays, and the directory with it.
            let _ = fs::remove_file(self.path.join(name));
        }
        let _ = fs::remove_dir(&self.path);
    }

    /// Returns true when an option or a variable names the directory.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.origin, Origin::Named)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says which directory is meant, and where it was looked for.
    pub(crate) fn story(&self) -> String {
        match &self.origin {
            Origin::Named => format!("the data directory is {}", self.path.display()),
            Origin::Searched(search) => match &search.found {
                Some(found) => format!("the data directory is {}", found.display()),
                None => search.story(),
            },
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }

    pub(crate) fn token_key(&self) -> SecretPlace {
        SecretPlace::Kept(self.path.clone(), "token.key")
    }

    pub(crate) fn operator_token(&self) -> SecretPlace {
        let kept = || SecretPlace::Kept(self.path.clone(), "operator.token");
        environment::path(OPERATOR_TOKEN_FILE).map_or_else(kept, SecretPlace::Named)
    }

    /// Returns where the server's Unix socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path.join("heronry.sock")
    }

    /// Returns the folder of cursor files, creating it when it is missing.
    pub(crate) fn cursors(&self) -> Result<Folder, Failure> {
        let (state, others) = self.state_place()?;
        if !state.is_dir() {
            Folder::make(&state)?;
        }
        Ok(Folder::checked(&state, others)?.inner(CURSORS)?)
    }

    /// Returns the folder of cursor files when there is one.
    pub(crate) fn cursors_kept(&self) -> Result<Option<Folder>, Failure> {
        let (state, _) = self.state_place()?;
        if !state.join(CURSORS).is_dir() {
            return Ok(None);
        }
        self.cursors().map(Some)
    }

    /// Returns the folder where commands remember their cursors, which may not exist, and the
    /// rights of others in it: they may read a folder that is not the data directory.
    ///
    /// That folder is the state directory when one is named, else the data directory when there is
    /// one, else the folder where programs of this user keep their state: only a server makes a
    /// data directory.
    fn state_place(&self) -> Result<(PathBuf, Others), Failure> {
        let is_found = match &self.origin {
            Origin::Named => self.path.is_dir(),
            Origin::Searched(search) => search.found.is_some(),
        };
        Ok(match environment::path(STATE_DIR) {
            Some(named) => (named, Others::Read),
            None if is_found => (self.path.clone(), Others::DoNothing),
            None => environment::state_home()
                .map(|folder| (folder.join("heronry"), Others::Read))
                .ok_or_else(|| {
                    Failure::usage(format_args!(
                        "there is no place for cursor files; set {STATE_DIR} or HOME"
                    ))
                })?,
        })
    }

    /// Returns the folder of a pool's logs, creating it when it is missing.
    pub(crate) fn logs(&self, pool: &str) -> Result<Folder, Failure> {
        self.inner(&[LOGS, &file_name(pool)])
    }

    /// Returns the folder that a member of a job has for itself, creating it when it is missing.
    pub(crate) fn member_state(&self, pool: &str, run: &str) -> Result<Folder, Failure> {
        self.inner(&["members", &file_name(pool), &file_name(run)])
    }

    /// Returns the folder of the files by which running members are found, creating it when it is
    /// missing.
    pub(crate) fn incarnations(&self, pool: &str) -> Result<Folder, Failure> {
        self.inner(&[INCARNATIONS, &file_name(pool)])
    }

    /// Returns the folder of logs, in which each pool has one of its own.
    pub(crate) fn all_logs(&self) -> PathBuf {
        self.path.join(LOGS)
    }

    /// Returns the folder of the files of incarnations, in which each pool has one of its own.
    pub(crate) fn all_incarnations(&self) -> PathBuf {
        self.path.join(INCARNATIONS)
    }

    fn inner(&self, names: &[&str]) -> Result<Folder, Failure> {
        let mut folder = Folder::private(&self.path)?;
        for name in names {
            folder = folder.inner(name)?;
        }
        Ok(folder)
    }

    /// Says where the server is, until the answer is dropped.
    pub(crate) fn announce(&self, note: &ServerNote) -> Result<Announced, Failure> {
        let text = serde_json::to_string(note).map_err(Failure::failed)? + "\n";
        let folder = Folder::private(&self.path)?;
        folder.replace(SERVER_NOTE, text.as_bytes())?;
        Ok(Announced { folder })
    }

    /// Returns the note of the server that runs on this directory; `None` when none does.
    ///
    /// # Errors
    /// [`FileError`], when another user may have laid the note.
    pub(crate) fn announced(&self) -> Result<Option<ServerNote>, FileError> {
        let read = Folder::private(&self.path)
            .and_then(|folder| folder.read(SERVER_NOTE, Others::DoNothing));
        let text = match read {
            Err(error) if error.is_missing() => None,
            read => read?,
        };
        // A file that was damaged names no server.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

/// The time when a directory was made: before a call, or in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Made {
    /// The directory was there before.
    Before,
    /// The directory was made now.
    Now,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_directory_and_its_files_are_private_and_git_leaves_them_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = DataDir::at(folder.path().join("a/b"));
        assert_eq!(data.create().unwrap(), Made::Now);
        assert_eq!(mode(data.path()), 0o700);
        let ignored = data.path().join(".gitignore");
        assert_eq!(fs::read_to_string(&ignored).unwrap(), "*\n");
        fs::write(&ignored, "mine\n").unwrap();
        assert_eq!(data.create().unwrap(), Made::Before);
        assert_eq!(fs::read_to_string(&ignored).unwrap(), "mine\n");
        let note = ServerNote {
            url: "http://127.0.0.1:1".to_owned(),
            socket: Some(data.socket()),
            pid: 7,
        };
        let announced = data.announce(&note).unwrap();
        assert_eq!(mode(&data.path().join("server.json")), 0o600);
        assert_eq!(data.announced().unwrap(), Some(note));
        drop(announced);
        assert_eq!(data.announced().unwrap(), None);
    }

    #[test]
    fn a_directory_that_was_made_for_nothing_goes_and_one_with_something_in_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = DataDir::at(folder.path().join("d"));
        data.create().unwrap();
        data.unmake();
        assert!(!data.path().exists());
        data.create().unwrap();
        fs::write(data.path().join("store.redb"), "x").unwrap();
        data.unmake();
        assert!(data.path().join("store.redb").exists());
    }
}
