//! Syncs of sled's files, and the hook that sees every operation.
//!
//! sled's own flush hands its log to the device and does not wait until the device keeps it. So
//! the adapter holds a descriptor of its own on the file `db`, and syncs it after every flush.

use std::{
    collections::HashSet,
    ffi::OsString,
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use heronry_store_embedded::files::sync_directory;

use crate::{
    closing_mark::{ClosingMark, ClosingMarkFile},
    log::{self, Sequence, tip::Tip},
    place::SledDirectory,
};

/// One operation on a store's files, before it happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DiskOp {
    /// The log is read, before sled opens it.
    Read,
    /// A transaction is written.
    Write,
    /// The written bytes are made to last.
    Sync,
}

/// Sees every operation on a store's files before it happens; it may refuse the operation, or take
/// its time.
///
/// For fault tests: a refused sync is what a failing device looks like.
pub trait DiskHook: fmt::Debug + Send + Sync {
    /// Returns whether the operation may happen.
    ///
    /// # Errors
    /// The error that the device is to answer instead.
    fn before(&self, op: DiskOp) -> io::Result<()>;
}

/// The hook that sees the operations of a store while it is created and used.
pub(crate) type Hook = Option<Arc<dyn DiskHook>>;

/// Has the hook look at an operation.
pub(crate) fn see(hook: &Hook, op: DiskOp) -> io::Result<()> {
    hook.as_ref().map_or(Ok(()), |hook| hook.before(op))
}

/// The number of tries for the lock of a closed database. A thread of sled's may still hold it for
/// a moment.
const UNLOCK_TRIES: u32 = 100_000;

/// The files of an open store, beside what sled holds.
#[derive(Debug)]
pub(crate) struct Disk {
    db: File,
    mark: ClosingMarkFile,
    blobs: Blobs,
    tip: Mutex<Tip>,
    hook: Hook,
}

impl Disk {
    /// Takes the files of a store, with the log that was opened.
    pub(crate) fn open(place: &SledDirectory, hook: &Hook, db: File) -> io::Result<Self> {
        Ok(Self {
            db,
            mark: ClosingMarkFile::open(&place.mark())?,
            blobs: Blobs::new(place.blobs()),
            tip: Mutex::new(Tip::default()),
            hook: hook.clone(),
        })
    }

    pub(crate) fn see(&self, op: DiskOp) -> io::Result<()> {
        see(&self.hook, op)
    }

    pub(crate) fn db(&self) -> &File {
        &self.db
    }

    /// Makes last what sled will read, before sled reads it.
    ///
    /// Nothing in the log is taken for lasting that was written after the last good sync. sled
    /// itself would build on it: it syncs a list of its pages, and not the pages.
    pub(crate) fn make_certain(&self, left: Option<&ClosingMark>) -> io::Result<()> {
        match left {
            Some(ClosingMark::Closed { .. }) => {}
            Some(ClosingMark::Open(from)) => log::write_again(&self.db, *from)?,
            None => log::write_again(&self.db, Sequence(0))?,
        }
        self.sync()
    }

    /// Keeps other programs out of sled's file while no sled has it open.
    fn lock(&self) -> io::Result<()> {
        match self.db.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Makes last what sled has flushed.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.see(DiskOp::Sync)?;
        self.blobs.sync()?;
        self.db.sync_data()
    }

    /// Lets sled lock its file.
    pub(crate) fn unlock(&self) -> io::Result<()> {
        self.db.unlock()
    }

    /// Goes on to the end of the log, as it stands before a sync.
    pub(crate) fn note_written(&self) -> io::Result<Sequence> {
        let mut tip = self.tip.lock().unwrap_or_else(PoisonError::into_inner);
        tip.advance(&self.db)?;
        Ok(Sequence(u64::try_from(tip.place).unwrap_or(0)))
    }

    /// Moves the mark after a good sync to what stood in the log before it.
    pub(crate) fn note_synced(&self, written: Sequence) -> io::Result<()> {
        self.mark.write(&ClosingMark::Open(written))
    }

    /// Sets where the log ends, once it is known.
    pub(crate) fn start_at(&self, tip: Tip) {
        *self.tip.lock().unwrap_or_else(PoisonError::into_inner) = tip;
    }

    /// Writes down that the store is in use, before anything is committed.
    pub(crate) fn mark_open(&self) -> io::Result<()> {
        let lasting = self.tip.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = Sequence(u64::try_from(lasting.place).unwrap_or(0));
        self.mark.write(&ClosingMark::Open(lasting))?;
        self.sync_mark()
    }

    /// Writes down that the store was closed in order.
    pub(crate) fn mark_closed(&self, mark: &ClosingMark) -> io::Result<()> {
        self.mark.write(mark)?;
        self.sync_mark()
    }

    fn sync_mark(&self) -> io::Result<()> {
        self.see(DiskOp::Sync)?;
        self.mark.sync()
    }

    /// Waits until no thread of sled's holds the file of a closed database any more.
    pub(crate) fn wait_unlocked(&self) {
        for _ in 0..UNLOCK_TRIES {
            // It is let go of again when the file is closed, which is what comes next.
            if self.lock().is_ok() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Files that sled keeps large values in. There are none, because rows are cut into fragments;
/// but if there ever is one, it is synced.
#[derive(Debug)]
struct Blobs {
    directory: PathBuf,
    synced: Mutex<HashSet<OsString>>,
}

impl Blobs {
    fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            synced: Mutex::new(HashSet::new()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = HashSet::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let is_new = !synced.contains(&entry.file_name());
            match is_new.then(|| sync_file(&entry.path())) {
                // sled has no use for it any more.
                Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => continue,
                Some(Err(error)) => return Err(error),
                Some(Ok(())) | None => {}
            }
            present.insert(entry.file_name());
        }
        if !present.is_subset(&synced) {
            sync_directory(&self.directory)?;
        }
        *synced = present;
        Ok(())
    }
}

fn sync_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the files of a store, where nothing can be written to the log.
    fn readable() -> (Disk, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let place = SledDirectory::new(directory.path());
        fs::create_dir(place.blobs()).unwrap();
        fs::write(place.db(), [1; 100]).unwrap();
        let disk = Disk::open(&place, &None, File::open(place.db()).unwrap()).unwrap();
        (disk, directory)
    }

    #[test]
    fn the_log_is_written_again_unless_the_store_was_closed() {
        let (disk, _directory) = readable();
        let closed = ClosingMark::Closed {
            end: None,
            summary: vec![1, 2, 3],
        };
        disk.make_certain(Some(&closed)).unwrap();
        for mark in [None, Some(ClosingMark::Open(Sequence(0)))] {
            disk.make_certain(mark.as_ref()).unwrap_err();
        }
    }

    #[test]
    fn a_file_that_sled_makes_beside_its_log_is_synced_once_and_may_go() {
        let (disk, directory) = readable();
        let blob = directory.path().join("blobs/1");
        fs::write(&blob, b"large").unwrap();
        disk.blobs.sync().unwrap();
        assert_eq!(disk.blobs.synced.lock().unwrap().len(), 1);
        fs::remove_file(&blob).unwrap();
        disk.blobs.sync().unwrap();
        assert!(disk.blobs.synced.lock().unwrap().is_empty());
    }
}
