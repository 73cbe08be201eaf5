//! The keeper of a mark: it hears of every commit, and writes behind them.

use std::{
    collections::BTreeSet,
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use heronry_store::{Checkpoint, Clock, Head, Store, StoreError};
use heronry_types::{Millis, PoolId};
use tokio::sync::Notify;

use super::{Marks, format::push_entry, journal::MarkedJournal};

/// The longest time in milliseconds by which a mark is behind the acknowledged heads while its
/// keeper runs. Unwritten heads are written after half of that time.
pub const MARK_BEHIND_MS_MAX: u64 = 1_000;
/// The number of commits after which a mark is written without waiting.
pub const MARK_BEHIND_COMMITS_MAX: u32 = 256;
/// The most bytes of later entries behind a whole mark. With more the mark is written anew.
const GROWTH_BYTES_MAX: usize = 64 * 1024;

/// The promise of a write about the device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MarkSync {
    /// The write does not wait for the device: a power cut may leave the mark of before, or a torn
    /// one.
    Later,
    /// The write waits for the device.
    Now,
}

/// The place of a mark, beside its store.
pub trait MarkPlace: fmt::Debug + Send + Sync {
    /// Returns the bytes that are there; nothing when there are none.
    ///
    /// # Errors
    /// The place cannot be read.
    fn read(&self) -> io::Result<Option<Vec<u8>>>;

    /// Writes a whole mark in place of the one that is there. A crash of the process leaves one or the
    /// other.
    ///
    /// # Errors
    /// The place cannot be written.
    fn replace(&self, bytes: &[u8], sync: MarkSync) -> io::Result<()>;

    /// Adds bytes to the end of a mark that is there, without waiting for the device. A crash may leave
    /// a part of them.
    ///
    /// # Errors
    /// The place cannot be written.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Removes the mark. A repeat changes nothing.
    ///
    /// # Errors
    /// The place cannot be written.
    fn remove(&self) -> io::Result<()>;
}

/// The keeper of the mark of one store. Cheap to clone; all clones keep the same mark.
#[derive(Clone)]
pub struct MarkKeeper {
    shared: Arc<Shared>,
}

struct Shared {
    place: Arc<dyn MarkPlace>,
    state: Mutex<State>,
    /// Held while the place is written, so that what was seen later is written later.
    file: Mutex<File>,
    bell: Notify,
    /// True from a failed write until the next one that succeeds, so that the failure is said once.
    fails: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    marks: Marks,
    /// The pools whose entries were not written yet.
    unwritten: BTreeSet<PoolId>,
    /// The number of commits since the last write.
    commits: u32,
}

/// The sizes of the mark at its place.
#[derive(Debug, Default)]
struct File {
    /// The size in bytes of the last whole write; `None` when the mark has to be written as a
    /// whole.
    whole: Option<usize>,
    /// The number of bytes that were added since then.
    added: usize,
}

impl fmt::Debug for MarkKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkKeeper({:?})", self.shared.place)
    }
}

impl MarkKeeper {
    /// Wraps a store so that the mark at this place follows its commits, and reads the mark that is
    /// there. A mark that cannot be read says nothing.
    pub fn over(store: Store, place: Arc<dyn MarkPlace>) -> (Store, Self) {
        let found = place.read().unwrap_or_else(|error| {
            tracing::warn!(?place, %error, "the mark of the store cannot be read");
            None
        });
        let marks = found.map_or_else(Marks::default, |bytes| Marks::decode(&bytes));
        let keeper = Self {
            shared: Arc::new(Shared {
                place,
                state: Mutex::new(State {
                    marks,
                    ..State::default()
                }),
                file: Mutex::default(),
                bell: Notify::new(),
                fails: AtomicBool::new(false),
            }),
        };
        let journal = MarkedJournal::new(Arc::clone(&store.journal), keeper.clone());
        let store = Store {
            journal: Arc::new(journal),
            ..store
        };
        (store, keeper)
    }

    /// Returns the heads that the mark names, with the heads that were seen since the mark was
    /// read.
    pub fn marks(&self) -> Marks {
        self.shared.state().marks.clone()
    }

    /// Keeps the mark: new heads are written after half of [`MARK_BEHIND_MS_MAX`], or at
    /// [`MARK_BEHIND_COMMITS_MAX`] commits. The future runs until it is dropped.
    pub async fn run(self, clock: Arc<dyn Clock>) {
        loop {
            while self.shared.state().commits == 0 {
                self.shared.bell.notified().await;
            }
            let at = clock
                .now()
                .monotonic
                .0
                .saturating_add(MARK_BEHIND_MS_MAX / 2);
            let mut alarm = clock.alarm(Millis(at));
            while self.shared.state().commits < MARK_BEHIND_COMMITS_MAX {
                tokio::select! {
                    () = &mut alarm => break,
                    () = self.shared.bell.notified() => {}
                }
            }
            self.write(Extent::Changes).await;
        }
    }

    /// Writes all that was seen, and waits until it is on the device. Where that fails the mark that is
    /// there stays, which is behind; the log says so.
    pub async fn settle(&self) {
        self.write(Extent::Whole).await;
    }

    /// Takes over where every pool of the store stands but for these, forgets the pools that are not
    /// there, and writes the mark as [`settle`](Self::settle) does.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn take_over(
        &self,
        store: &Store,
        without: &BTreeSet<PoolId>,
    ) -> Result<(), StoreError> {
        let mut now = Marks::default();
        for pool in store.journal.pools().await? {
            if let Some(head) = store.journal.head(&pool).await? {
                now.set(pool, checkpoint(head));
            }
        }
        self.replace(now, without);
        self.settle().await;
        Ok(())
    }

    fn replace(&self, mut now: Marks, without: &BTreeSet<PoolId>) {
        let mut state = self.shared.state();
        for pool in without {
            if let Some(at) = state.marks.of(pool) {
                now.set(pool.clone(), at);
            }
        }
        state.marks = now;
    }

    /// Hears of a head that is as durable as the store promises.
    pub(super) fn saw(&self, pool: &PoolId, head: Head) {
        let mut state = self.shared.state();
        let at = checkpoint(head);
        if !state.marks.moved(pool, at) {
            state.marks.set(pool.clone(), at);
        }
        if !state.unwritten.contains(pool) {
            state.unwritten.insert(pool.clone());
        }
        state.commits = state.commits.saturating_add(1);
        let rings = state.commits == 1 || state.commits == MARK_BEHIND_COMMITS_MAX;
        drop(state);
        if rings {
            self.shared.bell.notify_one();
        }
    }

    /// Forgets a pool that is about to be deleted, and returns when the mark does not name it any more:
    /// then its end is not taken for a loss.
    pub(super) async fn forget(&self, pool: &PoolId) {
        let was_named = {
            let mut state = self.shared.state();
            state.unwritten.remove(pool);
            state.marks.remove(pool)
        };
        if was_named {
            self.write(Extent::Removal).await;
        }
    }

    async fn write(&self, extent: Extent) {
        let shared = Arc::clone(&self.shared);
        let written = tokio::task::spawn_blocking(move || shared.write(extent)).await;
        if let Err(error) = written {
            tracing::warn!(%error, "the mark of the store was not written");
        }
    }
}

/// The extent of a write of the mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    /// The changes, and all of the mark now and then.
    Changes,
    /// All of the mark, and the device is waited for.
    Whole,
    /// The same as [`Extent::Whole`], for a pool that must be out of the mark. When the write fails
    /// the mark is removed, because no mark is better than a wrong one.
    Removal,
}

impl Shared {
    /// The state stays whole under a panic: each change is an insertion or a removal.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, extent: Extent) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.write_file(&mut file, extent);
        let Err(error) = written else {
            self.fails.store(false, Ordering::Release);
            return;
        };
        file.whole = None;
        let error = match extent {
            Extent::Changes | Extent::Whole => error,
            Extent::Removal => match self.place.remove() {
                Ok(()) => error,
                Err(error) => error,
            },
        };
        if !self.fails.swap(true, Ordering::AcqRel) {
            let place = &self.place;
            tracing::warn!(?place, %error, "the mark of the store cannot be written; a rollback may not be seen");
        }
    }

    fn write_file(&self, file: &mut File, extent: Extent) -> io::Result<()> {
        let mut state = self.state();
        state.commits = 0;
        let unwritten = std::mem::take(&mut state.unwritten);
        let changes = match (extent, file.whole) {
            (Extent::Changes, Some(whole)) if file.added < whole + GROWTH_BYTES_MAX => {
                Some(entries(&state.marks, &unwritten))
            }
            (Extent::Changes | Extent::Whole | Extent::Removal, _) => None,
        };
        if let Some(changes) = changes {
            drop(state);
            if changes.is_empty() {
                return Ok(());
            }
            file.added += changes.len();
            return self.place.append(&changes);
        }
        let bytes = state.marks.encode();
        drop(state);
        let sync = match extent {
            Extent::Changes => MarkSync::Later,
            Extent::Whole | Extent::Removal => MarkSync::Now,
        };
        self.place.replace(&bytes, sync)?;
        *file = File {
            whole: Some(bytes.len()),
            added: 0,
        };
        Ok(())
    }
}

fn entries(marks: &Marks, pools: &BTreeSet<PoolId>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for pool in pools {
        if let Some(at) = marks.of(pool) {
            push_entry(&mut bytes, pool, at);
        }
    }
    bytes
}

fn checkpoint(head: Head) -> Checkpoint {
    Checkpoint {
        epoch: head.epoch,
        position: head.head,
        hash: head.last_hash,
    }
}
