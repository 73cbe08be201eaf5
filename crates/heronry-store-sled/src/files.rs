//! The open directory, as the shared writer and readers use it.

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::{
    Database, Fill, Purpose, Reading, WriterPools, files::failed_io, guarded, load,
};
use heronry_types::Durability;
use sled::Db;

use crate::{
    closing_mark::ClosingMark,
    copy::StoreCopy,
    disk::{Disk, DiskOp},
    failure::failed,
    reader::Reader,
    rows::{HiddenRow, Trees, Writing},
};

const COMMIT: &str = "commit";
const CLOSE: &str = "close the store";

/// The open directory behind a [`SledStore`](crate::SledStore), which alone can make one.
pub struct SledFiles {
    /// The database; `None` once it was closed.
    sled: Option<Sled>,
    disk: Disk,
    /// Contents that were written and not synced yet. Readers hold it while they look.
    hidden: RwLock<HashSet<HiddenRow>>,
    /// True when a commit began and did not end well.
    in_doubt: AtomicBool,
    /// The copy that is looked at, if it is one.
    _copy: Option<StoreCopy>,
    /// Keeps others out; the last to be closed.
    _lock: File,
}

/// The open database.
pub(crate) struct Sled {
    pub(crate) trees: Trees,
    pub(crate) db: Db,
}

impl fmt::Debug for SledFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SledFiles")
    }
}

impl SledFiles {
    pub(crate) fn new(sled: Sled, disk: Disk, kept: (Option<StoreCopy>, File)) -> Self {
        let (copy, lock) = kept;
        Self {
            sled: Some(sled),
            disk,
            hidden: RwLock::new(HashSet::new()),
            in_doubt: AtomicBool::new(false),
            _copy: copy,
            _lock: lock,
        }
    }
}

impl Database for SledFiles {
    const NAME: &'static str = "sled";
    const DURABILITY: Durability = Durability::Fsync;

    fn commit(&self, fill: &mut Fill<'_>) -> Result<(), StoreError> {
        let sled = self.sled(COMMIT)?;
        let mut rows = Writing::new(&sled.trees);
        fill(&mut rows)?;
        if rows.is_clean() {
            return Ok(());
        }
        self.in_doubt.store(true, Ordering::Release);
        self.hide(&rows);
        let failed_io = |error| failed_io(COMMIT, "the log", error);
        self.disk.see(DiskOp::Write).map_err(failed_io)?;
        rows.apply()?;
        sled.db.flush().map_err(|error| failed(COMMIT, error))?;
        let written = self.disk.note_written().map_err(failed_io)?;
        self.disk.sync().map_err(failed_io)?;
        self.in_doubt.store(false, Ordering::Release);
        self.show();
        self.disk.note_synced(written).map_err(failed_io)
    }

    fn read<T, E: From<StoreError>>(
        self: Arc<Self>,
        op: &'static str,
        look: impl FnOnce(&dyn Reading) -> Result<T, E>,
    ) -> Result<T, E> {
        guarded(op, move || {
            let trees = &self.sled(op)?.trees;
            let hidden = &*self.hidden.read().unwrap_or_else(PoisonError::into_inner);
            look(&Reader { trees, hidden, op })
        })
    }
}

impl SledFiles {
    fn sled(&self, op: &'static str) -> Result<&Sled, StoreError> {
        let closed = || StoreError::new(StoreErrorKind::Closed, op, "the database is closed");
        self.sled.as_ref().ok_or_else(closed)
    }

    /// Hides contents before they are written; journals have the gate.
    fn hide(&self, rows: &Writing<'_>) {
        let contents = rows.contents();
        if !contents.is_empty() {
            *self.hidden.write().unwrap_or_else(PoisonError::into_inner) = contents;
        }
    }

    fn show(&self) {
        let hidden = &self.hidden;
        if !hidden
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
        {
            hidden
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }
}

impl Sled {
    /// Reads who may write, and where each journal stands.
    pub(crate) fn load(
        &self,
        op: &'static str,
        purpose: Purpose,
    ) -> Result<WriterPools, StoreError> {
        let (trees, hidden) = (&self.trees, &HashSet::new());
        load(&Reader { trees, hidden, op }, purpose)
    }
}

impl Drop for SledFiles {
    /// Closes the database, and writes down what it holds if every commit ended well.
    fn drop(&mut self) {
        let Some(sled) = self.sled.take() else {
            return;
        };
        let summary = (!self.in_doubt.load(Ordering::Acquire))
            .then(|| guarded(CLOSE, || sled.load(CLOSE, Purpose::Read)))
            .and_then(Result::ok)
            .map(|pools| pools.summary());
        // sled syncs its file once more, and panics when it cannot.
        let closed = catch_unwind(AssertUnwindSafe(|| drop(sled)));
        self.disk.wait_unlocked();
        if let (Some(summary), Ok(())) = (summary, closed) {
            // Without the mark the next opening has more to do, and nothing is lost.
            let _ = self.disk.note_written().and_then(|end| {
                self.disk.sync()?;
                let end = Some(end);
                self.disk.mark_closed(&ClosingMark::Closed { end, summary })
            });
        }
    }
}
