//! The file under redb: writes are held back at opening, everything stops after a failure, and a
//! hook sees every operation.

use std::{
    fmt,
    fs::File,
    io,
    ops::Bound,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{BackendError, DatabaseError, StorageBackend, backends::FileBackend};

use crate::held_writes::HeldWrites;

/// One operation on the file, before it happens.
#[derive(Clone, Copy, Debug)]
pub enum DiskOp<'a> {
    /// Bytes are read.
    Read {
        /// The offset of the first byte.
        offset: u64,
        /// The number of bytes.
        bytes: usize,
    },
    /// Bytes are written.
    Write {
        /// The offset of the first byte.
        offset: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The file is cut or extended.
    SetLen(u64),
    /// The written bytes are made to last.
    Sync,
}

/// Sees every operation on a store's file before it happens; it may refuse it, or take its time.
///
/// For fault tests: a refused write or sync is what a failing device looks like.
pub trait DiskHook: fmt::Debug + Send + Sync {
    /// Returns whether the operation may happen.
    ///
    /// # Errors
    /// The error that the device is to answer instead.
    fn before(&self, op: DiskOp<'_>) -> io::Result<()>;
}

/// The holder of the lock that keeps other processes out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Locking {
    /// redb takes it on this file.
    ByStore,
    /// Whoever creates the file holds it already.
    ByCreator,
    /// redb takes it on this file, and shares it with others that look: a file that may not be
    /// written cannot be locked for writing.
    Shared,
}

/// A store's file. After a failed write or sync it takes no further one: a later sync that
/// succeeds would say nothing about the pages that the failed one dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    file: FileBackend,
    locking: Locking,
    held: RwLock<Option<HeldWrites>>,
    failed: AtomicBool,
    hook: Option<Arc<dyn DiskHook>>,
}

impl Disk {
    pub(crate) fn new(
        file: File,
        locking: Locking,
        hook: Option<Arc<dyn DiskHook>>,
    ) -> Result<Self, DatabaseError> {
        Ok(Self {
            file: FileBackend::new(file)?,
            locking,
            held: RwLock::new(None),
            failed: AtomicBool::new(false),
            hook,
        })
    }

    /// Keeps every write in memory until [`let_through`](Self::let_through), so that a store
    /// that turns out to be foreign, newer or damaged, or is only looked at, is left byte for byte as
    /// it was.
    pub(crate) fn hold_writes(&self) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = Some(HeldWrites::default());
    }

    /// Does what was held back, in order, and holds nothing back from here on.
    pub(crate) fn let_through(&self) -> io::Result<()> {
        let held = self
            .held
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        held.into_iter()
            .flat_map(HeldWrites::into_changes)
            .try_for_each(|change| self.apply(change.as_op()))
    }

    fn apply(&self, op: DiskOp<'_>) -> io::Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write or sync failed"));
        }
        let result = self.see(op).and_then(|()| match op {
            DiskOp::Read { .. } => Ok(()),
            DiskOp::Write { offset, bytes } => self.file.write(offset, bytes),
            DiskOp::SetLen(bytes) => self.file.set_len(bytes),
            DiskOp::Sync => self.file.sync_data(),
        });
        if result.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        result
    }

    fn see(&self, op: DiskOp<'_>) -> io::Result<()> {
        self.hook.as_ref().map_or(Ok(()), |hook| hook.before(op))
    }

    /// Holds a change back while that is asked for, and applies it otherwise.
    fn change(&self, op: DiskOp<'_>) -> io::Result<()> {
        if self.is_holding() {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = &mut *held {
                return held.take(&self.file, op);
            }
        }
        self.apply(op)
    }

    fn is_holding(&self) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.is_some()
    }
}

/// A shared [`Disk`], as redb holds it.
#[derive(Clone, Debug)]
pub(crate) struct SharedDisk(pub(crate) Arc<Disk>);

impl StorageBackend for SharedDisk {
    fn len(&self) -> io::Result<u64> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(held) => held.len(&self.0.file),
            None => self.0.file.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = out.len();
        self.0.see(DiskOp::Read { offset, bytes })?;
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(held) => held.read(&self.0.file, offset, out),
            None => self.0.file.read(offset, out),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.change(DiskOp::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.change(DiskOp::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.change(DiskOp::Write {
            offset,
            bytes: data,
        })
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    // Without these the lock that keeps a second process out would silently not exist.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        match self.0.locking {
            Locking::ByStore => self.0.file.try_lock_range(start, end),
            Locking::Shared => self.0.file.try_lock_shared_range(start, end),
            Locking::ByCreator => Ok(true),
        }
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        match self.0.locking {
            Locking::ByStore | Locking::Shared => self.0.file.try_lock_shared_range(start, end),
            Locking::ByCreator => Ok(true),
        }
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        match self.0.locking {
            Locking::ByStore => self.0.file.lock_range(start, end),
            Locking::Shared => self.0.file.lock_shared_range(start, end),
            Locking::ByCreator => Ok(()),
        }
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        match self.0.locking {
            Locking::ByStore | Locking::Shared => self.0.file.lock_shared_range(start, end),
            Locking::ByCreator => Ok(()),
        }
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        match self.0.locking {
            Locking::ByStore | Locking::Shared => self.0.file.unlock_range(start, end),
            Locking::ByCreator => Ok(()),
        }
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        match self.0.locking {
            Locking::ByStore | Locking::Shared => self.0.file.query_lock_range(start, end),
            Locking::ByCreator => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Fails the first sync, and counts what it is shown after it.
    #[derive(Debug, Default)]
    struct FailOnce(Mutex<Option<usize>>);

    impl DiskHook for FailOnce {
        fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
            let mut seen = self.0.lock().unwrap();
            match (&mut *seen, op) {
                (None, DiskOp::Sync) => {
                    *seen = Some(0);
                    Err(io::Error::other("the test failed this sync"))
                }
                (None, _) => Ok(()),
                (Some(count), _) => {
                    *count += 1;
                    Ok(())
                }
            }
        }
    }

    #[test]
    fn after_a_failed_sync_nothing_reaches_the_file() {
        let hook = Arc::new(FailOnce::default());
        let file = tempfile::tempfile().unwrap();
        let disk = Disk::new(file, Locking::ByStore, Some(hook.clone())).unwrap();
        let disk = SharedDisk(Arc::new(disk));
        disk.write(0, b"before").unwrap();
        assert!(disk.sync_data().is_err());
        assert!(disk.write(0, b"behind").is_err());
        assert!(disk.set_len(0).is_err());
        assert!(disk.sync_data().is_err(), "a sync is never repeated");
        assert_eq!(*hook.0.lock().unwrap(), Some(0));
        let mut found = [0; 6];
        disk.read(0, &mut found).unwrap();
        assert_eq!(&found, b"before");
    }
}
