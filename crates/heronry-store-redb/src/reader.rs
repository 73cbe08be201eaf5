//! Reading chunks and contents from a snapshot of the file.

use std::{collections::BTreeSet, sync::Arc};

use heronry_journal::{Chain, Chunk, ChunkError};
use heronry_store::{
    ContentPlace, Head, Page, ReadError, StoreError, StoreErrorKind, StoredContent,
    keys::{self, PoolNo},
};
use heronry_types::{ContentRef, PoolId, Position};
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};

use crate::{
    failure::{corrupt, failed, guarded},
    pack::Pack,
    readable::PoolView,
    rows::TableName,
};

const READ: &str = "read the journal";
const GET: &str = "get content";

type BytesTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

fn open(
    transaction: &ReadTransaction,
    table: TableName,
    op: &'static str,
) -> Result<BytesTable, StoreError> {
    transaction
        .open_table(table.definition())
        .map_err(|error| failed(op, error))
}

/// The chunks of one pool in one snapshot.
pub(crate) struct Chunks<'a> {
    table: BytesTable,
    name: &'a PoolId,
    no: PoolNo,
}

impl<'a> Chunks<'a> {
    pub(crate) fn open(
        transaction: &ReadTransaction,
        name: &'a PoolId,
        no: PoolNo,
    ) -> Result<Self, StoreError> {
        let table = open(transaction, TableName::Journal, READ)?;
        Ok(Self { table, name, no })
    }

    /// Walks rows between two positions, as keys and bytes.
    fn rows(
        &self,
        from: Position,
        to: Position,
    ) -> Result<redb::Range<'_, &'static [u8], &'static [u8]>, StoreError> {
        let (from, to) = (keys::placed(self.no, from), keys::placed(self.no, to));
        self.table
            .range(from.as_slice()..=to.as_slice())
            .map_err(|error| failed(READ, error))
    }

    /// Returns the position of the first chunk that begins in a range.
    fn first_in(&self, from: Position, to: Position) -> Result<Option<Position>, StoreError> {
        self.rows(from, to)?.next().map(position).transpose()
    }

    /// Returns the position of the last chunk that begins in a range.
    fn last_in(&self, from: Position, to: Position) -> Result<Option<Position>, StoreError> {
        self.rows(from, to)?.next_back().map(position).transpose()
    }

    /// Reads one chunk, and checks that it is what its key says.
    fn checked(&self, key: &[u8], bytes: &[u8]) -> Result<Chunk, StoreError> {
        let first = position_of(key)?;
        let chunk = Chunk::decode(bytes).map_err(|error| self.unreadable(first, error))?;
        if chunk.first() != first {
            let what = format!("the chunk of {} stands there", chunk.first());
            return Err(self.broken(first, &what));
        }
        Ok(chunk)
    }

    fn unreadable(&self, at: Position, error: ChunkError) -> StoreError {
        let at = error.position().unwrap_or(at);
        if error.is_newer() {
            let detail = format!("pool {}, position {at}: {error}", self.name);
            return StoreError::new(StoreErrorKind::NewerSchema, READ, detail).with_source(error);
        }
        self.broken(at, &error.to_string()).with_source(error)
    }

    /// Derives where the journal stands from its first and last chunk.
    ///
    /// No later chunk vouches for the last one, so each of its records is checked.
    pub(crate) fn head(&self) -> Result<Option<Head>, StoreError> {
        let all = || self.rows(Position::ZERO, Position(u64::MAX));
        let (Some(first), Some(last)) = (all()?.next(), all()?.next_back()) else {
            return Ok(None);
        };
        let (first, last) = (self.row(first)?, self.row(last)?);
        if first.header().epoch != last.header().epoch {
            return Err(self.broken(last.first(), "its epoch is not that of the first chunk"));
        }
        last.verify()
            .map_err(|error| self.unreadable(last.first(), error))?;
        Ok(Some(Head {
            epoch: last.header().epoch,
            head: last.last(),
            floor: first.first(),
            last_hash: last.hash(),
        }))
    }

    fn row(&self, row: Row<'_>) -> Result<Chunk, StoreError> {
        let (key, bytes) = row.map_err(|error| failed(READ, error))?;
        self.checked(key.value(), bytes.value())
    }

    fn broken(&self, at: Position, what: &str) -> StoreError {
        corrupt(READ, format!("pool {}, position {at}: {what}", self.name))
    }

    /// Reads whole chunks after a position, no further than `head`.
    ///
    /// The chain is checked within the page, and up to the head when the page reaches it. What
    /// that leaves open, a flip in the last chunk of a page, is seen by the record's checksum.
    fn page(&self, after: Position, bytes_max: usize, head: Head) -> Result<Page, ReadError> {
        let mut page = Page {
            chunks: Vec::new(),
            head,
        };
        if after >= head.head {
            return Ok(page);
        }
        let Some(start) = self.last_in(head.floor.min(after.next()), after.next())? else {
            return Err(self.trimmed(after)?);
        };
        let mut chain: Option<Chain> = None;
        let mut bytes = 0_usize;
        for row in self.rows(start, head.head)? {
            let (key, row) = row.map_err(|error| failed(READ, error))?;
            bytes = bytes.saturating_add(row.value().len());
            if bytes > bytes_max && !page.chunks.is_empty() {
                return Ok(page);
            }
            let chunk = self.checked(key.value(), row.value())?;
            if chain.is_none() && chunk.last() <= after {
                return Err(self.broken(after.next(), "the chunk is missing").into());
            }
            let mut links = chain.unwrap_or_else(|| {
                Chain::after(head.epoch, start.previous(), chunk.header().previous)
            });
            links.push(&chunk).map_err(|error| {
                let what = error.what.to_string();
                self.broken(error.at, &what).with_source(error)
            })?;
            chain = Some(links);
            page.chunks.push(chunk);
        }
        let expected = Chain::after(head.epoch, head.head, head.last_hash);
        if chain != Some(expected) {
            return Err(self
                .broken(head.head, "the journal ends otherwise than it must")
                .into());
        }
        Ok(page)
    }

    /// Nothing begins at or before the position: it was trimmed after the caller looked at the head.
    fn trimmed(&self, after: Position) -> Result<ReadError, StoreError> {
        let floor = self.first_in(after, Position(u64::MAX))?;
        Ok(match floor {
            Some(floor) => ReadError::Trimmed {
                requested: after,
                floor,
            },
            None => self.broken(after.next(), "the chunk is missing").into(),
        })
    }
}

type Row<'a> = Result<
    (
        redb::AccessGuard<'a, &'static [u8]>,
        redb::AccessGuard<'a, &'static [u8]>,
    ),
    redb::StorageError,
>;

fn position(row: Row<'_>) -> Result<Position, StoreError> {
    let (key, _) = row.map_err(|error| failed(READ, error))?;
    position_of(key.value())
}

fn position_of(key: &[u8]) -> Result<Position, StoreError> {
    Ok(placed_of(key)?.1)
}

fn placed_of(key: &[u8]) -> Result<(PoolNo, Position), StoreError> {
    let key = key
        .try_into()
        .map_err(|_| corrupt(READ, "a key of the journal is malformed"))?;
    Ok(keys::read_placed(key))
}

/// Returns the numbers of the pools that have a chunk, by one look-up for each.
pub(crate) fn pool_numbers(transaction: &ReadTransaction) -> Result<BTreeSet<PoolNo>, StoreError> {
    let table = open(transaction, TableName::Journal, READ)?;
    let mut numbers = BTreeSet::new();
    let mut from = keys::placed(PoolNo(0), Position::ZERO);
    loop {
        let mut rows = table
            .range(from.as_slice()..)
            .map_err(|error| failed(READ, error))?;
        let Some(row) = rows.next() else {
            return Ok(numbers);
        };
        let (key, _) = row.map_err(|error| failed(READ, error))?;
        let no = placed_of(key.value())?.0;
        if !numbers.insert(no) {
            return Err(corrupt(READ, "the keys of the journal are out of order"));
        }
        from = keys::placed(PoolNo(no.0.saturating_add(1)), Position::ZERO);
    }
}

/// Reads a page of a pool's journal. Whoever holds the file last closes it: here within the guard.
pub(crate) fn page(
    database: Arc<Database>,
    name: &PoolId,
    view: PoolView,
    after: Position,
    bytes_max: usize,
) -> Result<Page, ReadError> {
    let head = view.head.ok_or(ReadError::NoPool)?;
    if after < head.floor.previous() {
        return Err(ReadError::Trimmed {
            requested: after,
            floor: head.floor,
        });
    }
    guarded(READ, move || {
        let transaction = database.begin_read().map_err(|error| failed(READ, error))?;
        Chunks::open(&transaction, name, view.no)?.page(after, bytes_max, head)
    })
}

/// Reads a content of a pool.
pub(crate) fn content(
    database: Arc<Database>,
    no: PoolNo,
    content_ref: ContentRef,
    place: ContentPlace,
) -> Result<Option<StoredContent>, StoreError> {
    guarded(GET, move || {
        let transaction = database.begin_read().map_err(|error| failed(GET, error))?;
        match place {
            ContentPlace::Alone => alone(&transaction, no, content_ref),
            ContentPlace::With(position) => with(&transaction, no, content_ref, position),
        }
    })
}

fn alone(
    transaction: &ReadTransaction,
    no: PoolNo,
    content_ref: ContentRef,
) -> Result<Option<StoredContent>, StoreError> {
    let table = open(transaction, TableName::Contents, GET)?;
    let key = keys::named(no, content_ref);
    let row = table
        .get(key.as_slice())
        .map_err(|error| failed(GET, error))?;
    row.map_or(Ok(None), |row| {
        pack(&key, row.value())?.find(content_ref, GET)
    })
}

fn with(
    transaction: &ReadTransaction,
    no: PoolNo,
    content_ref: ContentRef,
    position: Position,
) -> Result<Option<StoredContent>, StoreError> {
    let table = open(transaction, TableName::Packs, GET)?;
    let (from, to) = (keys::placed(no, Position::ZERO), keys::placed(no, position));
    let mut rows = table
        .range(from.as_slice()..=to.as_slice())
        .map_err(|error| failed(GET, error))?;
    let Some(row) = rows.next_back() else {
        return Ok(None);
    };
    let (key, row) = row.map_err(|error| failed(GET, error))?;
    let pack = pack(key.value(), row.value())?;
    if pack.last() < position {
        return Ok(None);
    }
    pack.find(content_ref, GET)
}

fn pack<'a>(key: &[u8], row: &'a [u8]) -> Result<Pack<'a>, StoreError> {
    Pack::read(key, row).ok_or_else(|| corrupt(GET, "the index of contents is damaged"))
}
