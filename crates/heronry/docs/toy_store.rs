use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heronry_store::{Adapter, Store, StoreError, StoreErrorKind};
use heronry_store_embedded::{
    CHECKSUM_BYTES, Database, Embedded, Fill, KeyRange, Order, PlacedKey, Purpose, Reading, Rows,
    See, Table, WriterPools, files::failed_io, load, seal, unseal,
};
use heronry_types::Durability;

const OPEN: &str = "open the store";
const COMMIT: &str = "commit";

/// Rows by table and key, in order.
type Tables = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// An action before every sync: nothing, or the one that a test puts there.
type BeforeSync = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// A database of one file: frames, each the changes of one transaction, which are repeated when the
/// file is opened. The rows lie in memory.
pub struct ToyFile {
    file: Mutex<File>,
    tables: Mutex<Tables>,
    before_sync: BeforeSync,
}

impl Database for ToyFile {
    const NAME: &'static str = "toy";
    const DURABILITY: Durability = Durability::Fsync;

    fn commit(&self, fill: &mut Fill<'_>) -> Result<(), StoreError> {
        // Readers may see these rows before they are synced: the gate does not show them yet.
        let mut writing = Transaction {
            tables: lock(&self.tables),
            changes: Vec::new(),
        };
        fill(&mut writing)?;
        let Transaction { tables, changes } = writing;
        drop(tables);
        if changes.is_empty() {
            return Ok(());
        }
        let mut file = lock(&self.file);
        let written = file
            .write_all(&frame(&changes))
            .and_then(|()| (self.before_sync)());
        let synced = written.and_then(|()| file.sync_data());
        synced.map_err(|error| failed_io(COMMIT, "the file", error))
    }

    fn read<T, E: From<StoreError>>(
        self: Arc<Self>,
        _op: &'static str,
        look: impl FnOnce(&dyn Reading) -> Result<T, E>,
    ) -> Result<T, E> {
        look(&Looking(lock(&self.tables)))
    }
}

/// The maps stay whole under a panic: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One transaction: it sees its own rows, and writes its changes down.
struct Transaction<'a> {
    tables: MutexGuard<'a, Tables>,
    changes: Vec<u8>,
}

const INSERT: u8 = 0;
const REMOVE: u8 = 1;

impl Transaction<'_> {
    fn note(&mut self, kind: u8, table: Table, parts: [&[u8]; 2]) {
        self.changes.extend([kind, table as u8]);
        for part in parts {
            self.changes.extend((part.len() as u32).to_be_bytes());
            self.changes.extend(part);
        }
    }
}

impl Rows for Transaction<'_> {
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.note(INSERT, table, [key, value]);
        self.tables
            .insert((table as u8, key.to_vec()), value.to_vec());
        Ok(())
    }

    fn remove(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        self.note(REMOVE, table, [from, to]);
        remove(&mut self.tables, table as u8, from, to);
        Ok(())
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables.get(&(table as u8, key.to_vec())).cloned())
    }

    fn keys(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = (table as u8, from.to_vec())..=(table as u8, to.to_vec());
        Ok(self.tables.range(range).map(|((_, key), _)| key.clone()).collect())
    }

    fn count(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<usize, StoreError> {
        let range = (table as u8, from.to_vec())..=(table as u8, to.to_vec());
        Ok(self.tables.range(range).count())
    }

    fn has(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.tables.contains_key(&(table as u8, key.to_vec())))
    }

    fn last_key(
        &mut self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<PlacedKey>, StoreError> {
        let range = (table as u8, from.to_vec())..=(table as u8, to.to_vec());
        let last = self.tables.range(range).next_back();
        Ok(last.and_then(|((_, key), _)| PlacedKey::try_from(key.as_slice()).ok()))
    }
}

fn remove(tables: &mut Tables, table: u8, from: &[u8], to: &[u8]) {
    tables.retain(|(of, key), _| *of != table || key.as_slice() < from || key.as_slice() >= to);
}

struct Looking<'a>(MutexGuard<'a, Tables>);

impl Reading for Looking<'_> {
    fn walk(
        &self,
        table: Table,
        KeyRange { from, to }: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError> {
        let rows = self
            .0
            .range((table as u8, from.to_vec())..=(table as u8, to.to_vec()));
        let mut see = |((_, key), value): (&(u8, Vec<u8>), &Vec<u8>)| see(key, value);
        // Whether it went to the end or was told to stop makes no difference.
        let _ = match order {
            Order::Ascending => rows.into_iter().try_for_each(&mut see),
            Order::Descending => rows.rev().try_for_each(&mut see),
        };
        Ok(())
    }
}

/// The bytes of one transaction: its length, then its changes, both with a checksum.
fn frame(changes: &[u8]) -> Vec<u8> {
    let part = |name: &[u8], bytes: &[u8]| seal(name, [&[0; CHECKSUM_BYTES], bytes].concat());
    let body = part(b"changes", changes);
    let mut frame = part(b"length", &(body.len() as u64).to_be_bytes());
    frame.extend(body);
    frame
}

/// The frame at the front of some bytes.
enum Front<'a> {
    /// The changes of a whole frame, and how long the frame is.
    Whole(&'a [u8], usize),
    /// A frame that is cut short. Its sync did not return, so nobody was told of it.
    Cut,
    /// Nothing that was ever written.
    Damaged,
}

fn front(bytes: &[u8]) -> Front<'_> {
    let Some((head, rest)) = bytes.split_at_checked(CHECKSUM_BYTES + 8) else {
        return Front::Cut;
    };
    let length = unseal(b"length", head).and_then(|length| length.try_into().ok());
    let Some(length) = length
        .map(u64::from_be_bytes)
        .and_then(|length| usize::try_from(length).ok())
    else {
        return Front::Damaged;
    };
    let Some(body) = rest.get(..length) else {
        return Front::Cut;
    };
    unseal(b"changes", body).map_or(Front::Damaged, |changes| {
        Front::Whole(changes, head.len() + length)
    })
}

/// Does again what a transaction did; nothing when it is not what one writes.
fn repeat(tables: &mut Tables, mut changes: &[u8]) -> Option<()> {
    while let Some((&[kind, table], rest)) = changes.split_first_chunk() {
        let (first, rest) = part(rest)?;
        let (second, rest) = part(rest)?;
        match kind {
            INSERT => drop(tables.insert((table, first.to_vec()), second.to_vec())),
            REMOVE => remove(tables, table, first, second),
            _ => return None,
        }
        changes = rest;
    }
    changes.is_empty().then_some(())
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// A store in one file.
pub struct ToyStore {
    embedded: Arc<Embedded<ToyFile>>,
}

impl Adapter for ToyStore {
    fn ports(self: Arc<Self>) -> Store {
        Store::of(Arc::clone(&self.embedded))
    }
}

impl ToyStore {
    /// Opens a store, or creates it when nothing is there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_watched(path, Arc::new(|| Ok(())))
    }

    /// Opens a store whose syncs are watched.
    pub fn open_watched(path: &Path, before_sync: BeforeSync) -> Result<Self, StoreError> {
        let (file, tables) = open_file(path)?;
        let pools: WriterPools = load(&Looking(lock(&Mutex::new(tables.clone()))), Purpose::Use)?;
        let (file, tables) = (Mutex::new(file), Mutex::new(tables));
        let embedded = Embedded::start(
            ToyFile {
                file,
                tables,
                before_sync,
            },
            pools,
        );
        let embedded = embedded.map_err(|error| failed_io(OPEN, "the writer thread", error))?;
        Ok(Self {
            embedded: Arc::new(embedded),
        })
    }
}

fn open_file(path: &Path) -> Result<(File, Tables), StoreError> {
    let failed = |error| failed_io(OPEN, path.display(), error);
    let refuse =
        |kind, what: &str| StoreError::new(kind, OPEN, format!("{}: {what}", path.display()));
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(refuse(
                StoreErrorKind::Locked,
                "another process has it open",
            ));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let (mut tables, mut last, mut end) = (Tables::new(), 0, 0);
    while end < bytes.len() {
        match front(&bytes[end..]) {
            Front::Whole(changes, length) => {
                let whole = repeat(&mut tables, changes);
                whole.ok_or_else(|| refuse(StoreErrorKind::Corrupt, "it holds unknown changes"))?;
                (last, end) = (end, end + length);
            }
            Front::Cut => break,
            Front::Damaged => return Err(refuse(StoreErrorKind::Corrupt, "a frame is damaged")),
        }
    }
    // What was read may lie in the page cache alone, when the sync of the last frame had failed. So
    // it is written again, and synced, before anybody sees it.
    file.set_len(end as u64).map_err(failed)?;
    file.seek(SeekFrom::Start(last as u64)).map_err(failed)?;
    file.write_all(&bytes[last..end])
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    Ok((file, tables))
}
