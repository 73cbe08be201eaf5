//! The file of a store's mark: beside the store, by the name of the store and `.mark`.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_runtime::marks::{MarkKeeper, MarkPlace, MarkSync, MarkedStore, Marks};
use heronry_store::Store;

use super::StoreChoice;
use crate::files::{FileError, Folder, Freshness, Others};

/// The most bytes that are read of a mark: 100 000 pools with the longest names need them.
const MARK_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// The file of a mark.
#[derive(Debug)]
pub(crate) struct MarkFile {
    path: PathBuf,
    /// The file that was last put there, to write more into it.
    written: Mutex<Option<fs::File>>,
}

impl MarkFile {
    /// Returns the file for a store that is there; nothing for a store in memory, which has none.
    pub(crate) fn of(choice: &StoreChoice) -> Option<Self> {
        let (StoreChoice::Redb(path) | StoreChoice::Sled(path)) = choice else {
            return None;
        };
        // A store has one place, by whatever name it is called.
        let store = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut path = store.into_os_string();
        path.push(".mark");
        Some(Self {
            path: path.into(),
            written: Mutex::default(),
        })
    }

    /// Returns the heads that the mark names. A mark that cannot be read names none, and the log
    /// tells the reason.
    pub(crate) fn marks(&self) -> Marks {
        match self.read() {
            Ok(found) => found.map_or_else(Marks::default, |bytes| Marks::decode(&bytes)),
            Err(error) => {
                tracing::warn!(%error, "the mark of the store cannot be read");
                Marks::default()
            }
        }
    }

    /// Has the mark follow the commits of a store that was opened.
    pub(crate) fn keep(self, store: Store) -> MarkedStore {
        MarkKeeper::over(store, Arc::new(self))
    }

    /// The file stays whole under a panic: it is replaced by another one.
    fn written(&self) -> MutexGuard<'_, Option<fs::File>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at<T>(&self, act: impl FnOnce(&Folder, &OsStr) -> Result<T, FileError>) -> io::Result<T> {
        let found = Folder::of(&self.path);
        let done = found.and_then(|(folder, name)| act(&folder, name));
        done.map_err(io::Error::other)
    }
}

impl MarkPlace for MarkFile {
    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        self.at(|folder, name| folder.read_bytes(name, (Others::Read, MARK_BYTES_MAX)))
    }

    fn replace(&self, bytes: &[u8], sync: MarkSync) -> io::Result<()> {
        let file = self.at(|folder, name| {
            match sync {
                MarkSync::Later => folder.replace_fresh(name, (bytes, Freshness::MayBeLost))?,
                MarkSync::Now => {
                    folder.replace_fresh(name, (bytes, Freshness::Synced))?;
                    folder.sync()?;
                }
            }
            folder.open(name)
        })?;
        *self.written() = Some(file);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let written = self.written();
        let file = written.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.write_all_at(bytes, offset)
    }

    fn remove(&self) -> io::Result<()> {
        self.at(|folder, name| match folder.remove(name) {
            Err(error) if error.is_missing() => Ok(()),
            removed => removed.and_then(|()| folder.sync()),
        })
    }
}

#[cfg(test)]
mod tests {
    use heronry_journal::ChunkHash;
    use heronry_store::Checkpoint;
    use heronry_types::{Epoch, PoolId, Position};

    use super::*;
    use crate::files::private_temp;

    #[test]
    fn a_mark_lies_beside_its_store_and_a_store_in_memory_has_none() {
        let folder = private_temp();
        let store = folder.path().canonicalize().unwrap().join("store.redb");
        fs::write(&store, "").unwrap();
        let file = MarkFile::of(&StoreChoice::Redb(store)).unwrap();
        assert!(file.path.ends_with("store.redb.mark"), "{file:?}");
        assert!(MarkFile::of(&StoreChoice::Memory).is_none());
        assert_eq!(file.read().unwrap(), None);
        assert_eq!(file.marks(), Marks::default());
        assert!(file.write_at(0, b"before it is there").is_err());

        let mut marks = Marks::default();
        let at = Checkpoint {
            epoch: Epoch([1; 16]),
            position: Position(7),
            hash: ChunkHash([2; 32]),
        };
        marks.set(PoolId::parse("p").unwrap(), at);
        for sync in [MarkSync::Now, MarkSync::Later] {
            file.replace(&marks.encode(), sync).unwrap();
            assert_eq!(file.marks(), marks);
        }
        let end = marks.encode().len() as u64;
        file.write_at(end, b"torn").unwrap();
        assert_eq!(file.marks(), marks);
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(file.read().unwrap(), None);
    }
}
