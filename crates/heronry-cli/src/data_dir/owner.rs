//! The one process that owns a data directory, or has a store open: a lock, and a note for people.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use heronry_types::Timestamp;
use rustix::process::{Pid, test_kill_process};

use crate::{
    failure::Failure,
    files::{FileError, Folder, Others},
};

/// The name of the lock in a data directory.
pub(crate) const LOCK: &str = "server.lock";

/// The description that the owner gives of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OwnerNote {
    /// Its process id.
    pub(crate) pid: u32,
    /// The address where it listens, once it does.
    pub(crate) url: Option<String>,
    /// Its store.
    pub(crate) store: String,
    /// The time of its start.
    pub(crate) started: Timestamp,
}

/// The right to a data directory, held until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDirOwnership {
    file: File,
    path: PathBuf,
}

/// A note beside a store that this process has open; it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct StoreNote {
    path: PathBuf,
}

impl fmt::Display for OwnerNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pid {}", self.pid)?;
        if let Some(url) = &self.url {
            writeln!(f, "url {url}")?;
        }
        writeln!(f, "store {}", self.store)?;
        writeln!(f, "started {}", self.started)
    }
}

impl DataDirOwnership {
    /// Takes a data directory, or says who has it.
    pub(crate) fn take(folder: &Path, note: &OwnerNote) -> Result<Self, Failure> {
        let path = folder.join(LOCK);
        let failed = |error| Failure::file("lock", &path, &error);
        let opened = Folder::private(folder)?;
        let file = opened.open(LOCK)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // Who it is helps a person; that there is one is enough to refuse.
                let said = opened.read(LOCK, Others::DoNothing).ok().flatten();
                let owner = said.and_then(|said| line_of(&said));
                let owner = owner.unwrap_or_else(|| "another process".to_owned());
                return Err(Failure::failed(format_args!(
                    "the data directory {} has an owner: {owner}; stop it, or name another with --data-dir",
                    folder.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut owned = Self { file, path };
        owned.say(note)?;
        Ok(owned)
    }

    /// Replaces the name of the owner in the lock.
    pub(crate) fn say(&mut self, note: &OwnerNote) -> Result<(), Failure> {
        let written = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(note.to_string().as_bytes()));
        written.map_err(|error| Failure::file("write", &self.path, &error))
    }
}

impl Drop for DataDirOwnership {
    fn drop(&mut self) {
        // The file stays: whoever waits for the lock has it open. What it says is over.
        let _ = self.file.set_len(0);
    }
}

impl StoreNote {
    /// Writes beside a store who has it open.
    pub(crate) fn write(store: &Path, note: &OwnerNote) -> Result<Self, FileError> {
        let path = beside(store);
        let (folder, name) = Folder::of(&path)?;
        folder.replace(name, note.to_string().as_bytes())?;
        Ok(Self { path })
    }
}

impl Drop for StoreNote {
    fn drop(&mut self) {
        // A note that stays behind names a process that is gone, and is not believed then.
        let _ = fs::remove_file(&self.path);
    }
}

/// Says who has a store open, when that process said so and is alive.
pub(crate) fn holder_of(store: &Path) -> Option<String> {
    let path = beside(store);
    let (folder, name) = Folder::of(&path).ok()?;
    let text = folder.read(name, Others::Read).ok()??;
    let pid = text.lines().next()?.strip_prefix("pid ")?;
    let pid = Pid::from_raw(pid.parse().ok()?)?;
    test_kill_process(pid).ok()?;
    line_of(&text)
}

fn beside(store: &Path) -> PathBuf {
    // A store has one place, by whatever name it is called; one that is not there has no owner.
    let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut path = store.into_os_string();
    path.push(".owner");
    PathBuf::from(path)
}

fn line_of(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.lines().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(url: Option<&str>) -> OwnerNote {
        OwnerNote {
            pid: std::process::id(),
            url: url.map(str::to_owned),
            store: "memory".to_owned(),
            started: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_data_directory_has_one_owner_who_is_named_to_others() {
        let folder = crate::files::private_temp();
        let mut owned = DataDirOwnership::take(folder.path(), &note(None)).unwrap();
        owned.say(&note(Some("http://127.0.0.1:7"))).unwrap();
        let refused = DataDirOwnership::take(folder.path(), &note(None)).unwrap_err();
        let line = refused.to_string();
        let expected = format!(
            "pid {}, url http://127.0.0.1:7, store memory",
            std::process::id()
        );
        assert!(line.contains(&expected), "{line}");
        drop(owned);
        DataDirOwnership::take(folder.path(), &note(None)).unwrap();
    }

    #[test]
    fn who_has_a_store_open_is_named_while_it_lives() {
        let folder = crate::files::private_temp();
        let store = folder.path().join("store.redb");
        assert_eq!(holder_of(&store), None);
        let written = StoreNote::write(&store, &note(None)).unwrap();
        let line = holder_of(&store).unwrap();
        assert!(
            line.starts_with(&format!("pid {}", std::process::id())),
            "{line}"
        );
        drop(written);
        assert_eq!(holder_of(&store), None);
        fs::write(beside(&store), "pid 2147483647\nstore x\n").unwrap();
        assert_eq!(holder_of(&store), None);
    }
}
