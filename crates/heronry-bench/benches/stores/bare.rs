//! The bare stores: one row of bytes for each commit, as durable as the adapter's, nothing else.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::Mutex,
};

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use sled::{Batch, Transactional, Tree, transaction::ConflictableTransactionError};

/// The rows of one commit: a chunk and, where they are kept apart, its bodies.
#[derive(Clone, Copy)]
pub(crate) struct CommitRow<'a> {
    pub(crate) position: u64,
    pub(crate) chunk: &'a [u8],
    pub(crate) bodies: &'a [u8],
}

/// A database without an adapter.
pub(crate) trait Bare {
    /// Writes a commit, and returns when it lasts.
    fn commit(&self, row: CommitRow<'_>);

    /// Shows every chunk in order.
    fn scan(&self, see: &mut dyn FnMut(&[u8]));

    /// Returns where the last commit begins.
    fn last(&self) -> Option<u64>;
}

/// A list behind a lock.
#[derive(Default)]
pub(crate) struct BareMemory(Mutex<Vec<Owned>>);

/// Position, chunk and bodies.
type Owned = (u64, Vec<u8>, Vec<u8>);

impl Bare for BareMemory {
    fn commit(&self, row: CommitRow<'_>) {
        let (chunk, bodies) = (row.chunk.to_vec(), row.bodies.to_vec());
        self.0.lock().unwrap().push((row.position, chunk, bodies));
    }

    fn scan(&self, see: &mut dyn FnMut(&[u8])) {
        let rows = self.0.lock().unwrap();
        rows.iter().for_each(|(_, chunk, _)| see(chunk));
    }

    fn last(&self) -> Option<u64> {
        let rows = self.0.lock().unwrap();
        rows.last().map(|(position, _, _)| *position)
    }
}

type Table = TableDefinition<'static, (u32, u64), &'static [u8]>;

const CHUNKS: Table = TableDefinition::new("rows");
const BODIES: Table = TableDefinition::new("bodies");
const POOL: u32 = 1;

pub(crate) struct BareRedb(Database);

impl BareRedb {
    pub(crate) fn open(folder: &Path) -> Self {
        let mut builder = Database::builder();
        builder.set_cache_size(64 * 1024 * 1024);
        Self(builder.create(folder.join("bare.redb")).unwrap())
    }
}

impl Bare for BareRedb {
    fn commit(&self, row: CommitRow<'_>) {
        let mut transaction = self.0.begin_write().unwrap();
        transaction.set_durability(Durability::Immediate).unwrap();
        {
            let mut chunks = transaction.open_table(CHUNKS).unwrap();
            chunks.insert((POOL, row.position), row.chunk).unwrap();
        }
        if !row.bodies.is_empty() {
            let mut bodies = transaction.open_table(BODIES).unwrap();
            bodies.insert((POOL, row.position), row.bodies).unwrap();
        }
        transaction.commit().unwrap();
    }

    fn scan(&self, see: &mut dyn FnMut(&[u8])) {
        let reading = self.0.begin_read().unwrap();
        let chunks = reading.open_table(CHUNKS).unwrap();
        for row in chunks.iter().unwrap() {
            see(row.unwrap().1.value());
        }
    }

    fn last(&self) -> Option<u64> {
        let reading = self.0.begin_read().unwrap();
        let chunks = reading.open_table(CHUNKS).unwrap();
        let last = chunks.last().unwrap();
        last.map(|(key, _)| key.value().1)
    }
}

/// The largest value that sled is given. Larger ones, and the nodes that hold them, it keeps in
/// files that it never syncs.
const FRAGMENT_BYTES: usize = 12 * 1024;
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

pub(crate) struct BareSled {
    chunks: Tree,
    bodies: Tree,
    db: sled::Db,
    log: File,
}

impl BareSled {
    pub(crate) fn open(folder: &Path) -> Self {
        let place = folder.join("bare.sled");
        let config = sled::Config::new()
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(64 * 1024 * 1024)
            .flush_every_ms(None);
        let db = config.path(&place).open().unwrap();
        let log = OpenOptions::new().write(true).open(place.join("db"));
        Self {
            chunks: db.open_tree("rows").unwrap(),
            bodies: db.open_tree("bodies").unwrap(),
            log: log.unwrap(),
            db,
        }
    }
}

impl BareSled {
    fn commit_fragments(&self, row: CommitRow<'_>) {
        let chunk = fragments(row.position, row.chunk);
        let bodies = fragments(row.position, row.bodies);
        let written = (&self.chunks, &self.bodies).transaction(|(to_chunks, to_bodies)| {
            to_chunks.apply_batch(&chunk)?;
            to_bodies.apply_batch(&bodies)?;
            Ok::<(), ConflictableTransactionError>(())
        });
        written.unwrap();
    }
}

impl Bare for BareSled {
    fn commit(&self, row: CommitRow<'_>) {
        if row.bodies.is_empty() && row.chunk.len() <= FRAGMENT_BYTES {
            let key = key_of(row.position, 0);
            self.chunks.insert(key, row.chunk).unwrap();
        } else {
            self.commit_fragments(row);
        }
        self.db.flush().unwrap();
        self.log.sync_data().unwrap();
    }

    fn scan(&self, see: &mut dyn FnMut(&[u8])) {
        let mut whole = Vec::new();
        for fragment in &self.chunks {
            let (key, value) = fragment.unwrap();
            if key.ends_with(&[0, 0]) && !whole.is_empty() {
                see(&whole);
                whole.clear();
            }
            whole.extend_from_slice(&value);
        }
        if !whole.is_empty() {
            see(&whole);
        }
    }

    fn last(&self) -> Option<u64> {
        let (key, _) = self.chunks.last().unwrap()?;
        key.first_chunk().copied().map(u64::from_be_bytes)
    }
}

fn fragments(position: u64, value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    for (number, fragment) in (0_u16..).zip(value.chunks(FRAGMENT_BYTES)) {
        batch.insert(key_of(position, number), fragment);
    }
    batch
}

fn key_of(position: u64, number: u16) -> Vec<u8> {
    [&position.to_be_bytes()[..], &number.to_be_bytes()].concat()
}
