//! The keeper of a mark: it writes down every commit before the append is answered.

use std::{
    collections::BTreeSet,
    fmt, io,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use heronry_store::{Checkpoint, Head, Store, StoreError};
use heronry_types::PoolId;

use super::{Marks, format::push_entry, journal::MarkedJournal};

/// The bytes of room for later entries behind a whole mark. A mark without room is written anew.
const ROOM_BYTES: usize = 256 * 1024;

/// The number of commits without a mark after one that could not be written: then it is tried again.
const RETRY_AFTER: u32 = 8;

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

    /// Writes bytes into the mark that the last [`replace`](Self::replace) left, at an offset below its
    /// length, without waiting for the device. A crash of the process leaves all of them; a power cut
    /// leaves any part.
    ///
    /// It is called for every commit on a thread that serves others, so it opens and syncs nothing.
    ///
    /// # Errors
    /// The place cannot be written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Removes the mark. A repeat changes nothing.
    ///
    /// # Errors
    /// The place cannot be written.
    fn remove(&self) -> io::Result<()>;
}

/// The keeper of the mark of one store. Cheap to clone; all clones keep the same mark.
#[derive(Clone)]
pub struct MarkKeeper {
    shared: Arc<SharedMark>,
}

/// A store whose commits a mark follows.
#[derive(Debug)]
pub struct MarkedStore {
    /// The store, to be used as any other.
    pub store: Store,
    /// The keeper of its mark.
    pub keeper: MarkKeeper,
}

struct SharedMark {
    place: Arc<dyn MarkPlace>,
    state: Mutex<KeptMarks>,
    /// Held while the place is written, so that what was seen later is written later.
    file: tokio::sync::Mutex<MarkSizes>,
    /// True from a failed write until the next one that succeeds, so that the failure is said once.
    fails: AtomicBool,
}

#[derive(Debug, Default)]
struct KeptMarks {
    marks: Marks,
    /// The pools whose entries were not written yet.
    unwritten: BTreeSet<PoolId>,
}

/// The sizes of the mark at its place.
#[derive(Debug, Default)]
struct MarkSizes {
    /// The bytes at the place that hold no entry yet; `None` when the mark has to be written as a
    /// whole.
    room: Option<Range<usize>>,
    /// The commits that are passed over before the mark is tried again, since it could not be written.
    rest: u32,
}

/// The result of an addition to the mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Addition {
    /// The mark says what was seen.
    Written,
    /// There is no room for it, or it could not be written.
    NoRoom,
    /// The mark could not be written a moment ago, so this commit is passed over.
    PassedOver,
}

impl fmt::Debug for MarkKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkKeeper({:?})", self.shared.place)
    }
}

impl MarkKeeper {
    /// Wraps a store so that the mark at this place follows its commits, and reads the mark that is
    /// there. A mark that cannot be read says nothing.
    pub fn over(store: Store, place: Arc<dyn MarkPlace>) -> MarkedStore {
        let found = place.read().unwrap_or_else(|error| {
            tracing::warn!(?place, %error, "the mark of the store cannot be read");
            None
        });
        let marks = found.map_or_else(Marks::default, |bytes| Marks::decode(&bytes));
        let keeper = Self {
            shared: Arc::new(SharedMark {
                place,
                state: Mutex::new(KeptMarks {
                    marks,
                    ..KeptMarks::default()
                }),
                file: tokio::sync::Mutex::default(),
                fails: AtomicBool::new(false),
            }),
        };
        MarkedStore {
            store: MarkedJournal::over(store, keeper.clone()),
            keeper,
        }
    }

    /// Returns the heads that the mark names, with the heads that were seen since the mark was
    /// read.
    pub fn marks(&self) -> Marks {
        self.shared.state().marks.clone()
    }

    /// Writes all that was seen, and waits until it is on the device. Where that fails the mark that is
    /// there stays, which is behind; the log says so.
    pub async fn settle(&self) {
        self.write(Occasion::Settling).await;
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
        self.write(Occasion::Beginning).await;
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

    /// Hears of a head that is as durable as the store promises, and returns when the mark says it.
    /// Commits that land together are written together.
    ///
    /// A mark that cannot be written is behind; the log says so.
    pub(super) async fn saw(&self, pool: &PoolId, head: Head) {
        self.shared.state().saw(pool, checkpoint(head));
        let addition = self.shared.file.lock().await.add(&self.shared);
        match addition {
            Addition::Written | Addition::PassedOver => {}
            Addition::NoRoom => self.write(Occasion::Room).await,
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
            self.write(Occasion::Removal).await;
        }
    }

    async fn write(&self, occasion: Occasion) {
        let shared = Arc::clone(&self.shared);
        let written = tokio::task::spawn_blocking(move || shared.write(occasion)).await;
        if let Err(error) = written {
            tracing::warn!(%error, "the mark of the store was not written");
        }
    }
}

/// The reason for writing a whole mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Occasion {
    /// The mark has no room for the newest heads.
    Room,
    /// The mark follows a store from here on.
    Beginning,
    /// The mark is exact now, and nothing need follow.
    Settling,
    /// A pool must be out of the mark. When the write fails the mark is removed, because no mark is
    /// better than a wrong one.
    Removal,
}

impl KeptMarks {
    fn saw(&mut self, pool: &PoolId, at: Checkpoint) {
        if !self.marks.moved(pool, at) {
            self.marks.set(pool.clone(), at);
        }
        if !self.unwritten.contains(pool) {
            self.unwritten.insert(pool.clone());
        }
    }

    /// Takes the entries that were not written yet.
    fn take_unwritten(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for pool in std::mem::take(&mut self.unwritten) {
            if let Some(at) = self.marks.of(&pool) {
                push_entry(&mut bytes, &pool, at);
            }
        }
        bytes
    }
}

impl MarkSizes {
    /// Writes what is not written yet where there is room for it.
    fn add(&mut self, shared: &SharedMark) -> Addition {
        if self.rest > 0 {
            self.rest -= 1;
            return Addition::PassedOver;
        }
        let Some(room) = &mut self.room else {
            return Addition::NoRoom;
        };
        let changes = shared.state().take_unwritten();
        if changes.is_empty() {
            return Addition::Written;
        }
        let written = if changes.len() > room.len() {
            None
        } else {
            let offset = room.start as u64;
            room.start += changes.len();
            shared.place.write_at(offset, &changes).ok()
        };
        if written.is_some() {
            Addition::Written
        } else {
            self.room = None;
            Addition::NoRoom
        }
    }
}

impl SharedMark {
    /// The state stays whole under a panic: each change is an insertion or a removal.
    fn state(&self) -> MutexGuard<'_, KeptMarks> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, occasion: Occasion) {
        let mut file = self.file.blocking_lock();
        if occasion == Occasion::Room && (file.room.is_some() || file.rest > 0) {
            // Somebody else made room meanwhile, and wrote all that was seen, or could not write just now.
            return;
        }
        let written = self.replace(&mut file, occasion);
        file.rest = match (&written, occasion) {
            (Err(_), Occasion::Room) => RETRY_AFTER,
            (Ok(()), _)
            | (Err(_), Occasion::Beginning | Occasion::Settling | Occasion::Removal) => 0,
        };
        let Err(error) = written else {
            self.fails.store(false, Ordering::Release);
            return;
        };
        let error = match occasion {
            Occasion::Room | Occasion::Beginning | Occasion::Settling => error,
            Occasion::Removal => match self.place.remove() {
                Ok(()) => error,
                Err(error) => error,
            },
        };
        if !self.fails.swap(true, Ordering::AcqRel) {
            let place = &self.place;
            tracing::warn!(?place, %error, "the mark of the store cannot be written; a rollback may not be seen");
        }
    }

    fn replace(&self, file: &mut MarkSizes, occasion: Occasion) -> io::Result<()> {
        file.room = None;
        let mut bytes = {
            let mut state = self.state();
            state.unwritten.clear();
            state.marks.encode()
        };
        let room = bytes.len()..bytes.len() * 2 + ROOM_BYTES;
        let (sync, room) = match occasion {
            Occasion::Room => (MarkSync::Later, Some(room)),
            Occasion::Beginning | Occasion::Removal => (MarkSync::Now, Some(room)),
            Occasion::Settling => (MarkSync::Now, None),
        };
        if let Some(room) = &room {
            bytes.resize(room.end, 0);
        }
        self.place.replace(&bytes, sync)?;
        file.room = room;
        Ok(())
    }
}

fn checkpoint(head: Head) -> Checkpoint {
    Checkpoint {
        epoch: head.epoch,
        position: head.head,
        hash: head.last_hash,
    }
}
