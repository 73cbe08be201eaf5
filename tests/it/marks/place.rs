//! A place for a mark that a test can crash.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use heronry_runtime::marks::{MarkPlace, MarkSync, Marks};

/// A place for a mark in memory: what is written without waiting may be gone after a power cut, or be
/// there in part.
#[derive(Debug, Default)]
pub(crate) struct MemoryMark {
    kept: Mutex<DeviceContents>,
    pub(crate) writes: AtomicU64,
    pub(crate) synced: AtomicU64,
    pub(crate) is_full: AtomicBool,
    /// The writes that failed because it was full.
    pub(crate) refused: AtomicU64,
}

#[derive(Debug, Default)]
struct DeviceContents {
    /// Every content since the last one that the device has; the last is what a reader sees.
    contents: Vec<Option<Vec<u8>>>,
    /// The number of processes that have ended.
    ended: u64,
}

/// The place as one process has it: what it writes after its end is not written.
#[derive(Debug)]
pub(crate) struct Opened {
    place: Arc<MemoryMark>,
    life: u64,
}

/// The end of a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProcessEnd {
    /// The process was killed: its writes are there.
    Killed,
    /// The power went: so many of the writes since the last sync are there, and so many bytes of the next
    /// one.
    PowerCut { writes: usize, bytes: usize },
}

impl MemoryMark {
    /// Returns the place as a new process has it.
    pub(crate) fn open(self: &Arc<Self>) -> Arc<Opened> {
        Arc::new(Opened {
            place: Arc::clone(self),
            life: self.kept().ended,
        })
    }

    fn kept(&self) -> MutexGuard<'_, DeviceContents> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        self.kept().contents.last().cloned().flatten()
    }

    pub(crate) fn marks(&self) -> Marks {
        let bytes = self.bytes();
        bytes.map_or_else(Marks::default, |bytes| Marks::decode(&bytes))
    }

    pub(crate) fn end(&self, end: ProcessEnd) {
        let mut kept = self.kept();
        let contents = &mut kept.contents;
        let last = contents.len().saturating_sub(1);
        let left = match end {
            ProcessEnd::Killed => contents.pop(),
            ProcessEnd::PowerCut { writes, bytes } => {
                let left = contents.get(writes.min(last)).cloned();
                let next = contents.get(writes + 1).cloned().flatten();
                // A part of what followed, as a write that was under way leaves it.
                match (left, next) {
                    (Some(Some(left)), Some(next)) if left.len() == next.len() => {
                        Some(Some(torn(left, &next, bytes)))
                    }
                    (left, _) => left,
                }
            }
        };
        *contents = left.into_iter().collect();
        kept.ended += 1;
    }
}

/// Returns what is there when so many bytes of a write have come, and not the rest.
fn torn(mut before: Vec<u8>, after: &[u8], bytes: usize) -> Vec<u8> {
    let differs = |at: &usize| before[*at] != after[*at];
    if let Some(from) = (0..after.len()).find(differs) {
        let to = after.len().min(from + bytes);
        before[from..to].copy_from_slice(&after[from..to]);
    }
    before
}

impl Opened {
    /// Writes, while the process lives.
    fn write(&self, change: impl FnOnce(&mut Vec<Option<Vec<u8>>>)) -> io::Result<()> {
        if self.place.is_full.load(Ordering::Acquire) {
            self.place.refused.fetch_add(1, Ordering::AcqRel);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut kept = self.place.kept();
        if kept.ended == self.life {
            change(&mut kept.contents);
            self.place.writes.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }
}

impl MarkPlace for Opened {
    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.place.bytes())
    }

    fn replace(&self, bytes: &[u8], sync: MarkSync) -> io::Result<()> {
        self.write(|contents| {
            if sync == MarkSync::Now {
                self.place.synced.fetch_add(1, Ordering::AcqRel);
                contents.clear();
            }
            contents.push(Some(bytes.to_vec()));
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(|contents| {
            let mut whole = contents.last().cloned().flatten().unwrap();
            let from = usize::try_from(offset).unwrap();
            whole[from..from + bytes.len()].copy_from_slice(bytes);
            contents.push(Some(whole));
        })
    }

    fn remove(&self) -> io::Result<()> {
        self.place.kept().contents.clear();
        Ok(())
    }
}
