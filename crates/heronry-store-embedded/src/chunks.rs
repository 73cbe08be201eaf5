//! Reading chunks and contents from committed rows.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use heronry_journal::{Chain, Chunk, ChunkError};
use heronry_types::{PoolId, Position, Timelines};

use crate::row_keys::{self, Placed, PoolNo};
use crate::{
    Database, Order, PlacedKey, Reading, Table, corrupt,
    readable::{JournalView, ReadablePool},
    row::position_of,
};
use heronry_store::runs::KeyRange;
use heronry_store::{Head, Page, ReadError, StoreError, StoreErrorKind};

const READ: &str = "read the journal";

/// The chunks of one pool.
pub(crate) struct Chunks<'a> {
    pub(crate) rows: &'a dyn Reading,
    pub(crate) name: &'a PoolId,
    pub(crate) no: PoolNo,
    pub(crate) timelines: &'a Timelines,
}

impl Chunks<'_> {
    /// Walks chunks that begin between two positions, checked, until it is told to stop.
    fn walk(
        &self,
        (from, to): (Position, Position),
        order: Order,
        see: &mut dyn FnMut(Chunk) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let range = self.range(from, to);
        let mut damage = None;
        self.rows.walk(
            Table::Journal,
            range_of(&range),
            order,
            &mut |key, row| match self.checked(key, row) {
                Ok(chunk) => see(chunk),
                Err(error) => {
                    damage = Some(error);
                    ControlFlow::Break(())
                }
            },
        )?;
        damage.map_or(Ok(()), Err)
    }

    fn range(&self, from: Position, to: Position) -> (PlacedKey, PlacedKey) {
        (
            row_keys::placed(self.no, from),
            row_keys::placed(self.no, to),
        )
    }

    /// Returns where the first chunk begins that begins in a range, in this order.
    fn begins(
        &self,
        from: Position,
        to: Position,
        order: Order,
    ) -> Result<Option<Position>, StoreError> {
        let range = self.range(from, to);
        let mut found = None;
        let rows = self.rows;
        rows.walk(Table::Journal, range_of(&range), order, &mut |key, _| {
            found = Some(placed_of(key));
            ControlFlow::Break(())
        })?;
        found
            .transpose()
            .map(|found| found.map(|place| place.first))
    }

    /// Reads one chunk, and checks that it is what its key says.
    fn checked(&self, key: &[u8], bytes: &[u8]) -> Result<Chunk, StoreError> {
        let first = placed_of(key)?.first;
        let chunk = Chunk::decode(bytes).map_err(|error| self.unreadable(first, error))?;
        if chunk.first() != first {
            let what = format!("the chunk of {} stands there", chunk.first());
            return Err(self.broken(first, &what));
        }
        if chunk.header().epoch != self.timelines.at(first) {
            let what = "the chunk is of another timeline or of another journal";
            return Err(self.broken(first, what));
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

    fn broken(&self, at: Position, what: &str) -> StoreError {
        corrupt(READ, format!("pool {}, position {at}: {what}", self.name))
    }

    /// Derives where the journal stands from its first and last chunk.
    ///
    /// No later chunk vouches for the last one, so each of its records is checked.
    pub(crate) fn head(&self) -> Result<Option<Head>, StoreError> {
        let (Some(first), Some(last)) = (self.end(Order::Ascending)?, self.end(Order::Descending)?)
        else {
            return Ok(None);
        };
        last.verify()
            .map_err(|error| self.unreadable(last.first(), error))?;
        Ok(Some(Head {
            epoch: last.header().epoch,
            head: last.last(),
            floor: first.first(),
            last_hash: last.hash(),
        }))
    }

    /// Returns the chunk that comes first in this order.
    fn end(&self, order: Order) -> Result<Option<Chunk>, StoreError> {
        let mut found = None;
        self.walk((Position::ZERO, Position(u64::MAX)), order, &mut |chunk| {
            found = Some(chunk);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Reads whole chunks after a position, no further than `head`.
    fn page(&self, after: Position, bytes_max: usize, head: Head) -> Result<Page, ReadError> {
        self.page_as_is(after, bytes_max, head).or_else(|error| {
            // What was looked for may have been trimmed after the caller looked at the head.
            match self.begins(Position::ZERO, Position(u64::MAX), Order::Ascending)? {
                Some(floor) if floor > head.floor && after.next() < floor => {
                    Err(ReadError::Trimmed {
                        requested: after,
                        floor,
                    })
                }
                Some(_) | None => Err(error),
            }
        })
    }

    /// The chain is checked within the page, and up to the head when the page reaches it. What
    /// that leaves open, a flip in the last chunk of a page, is seen by the record's checksum.
    fn page_as_is(&self, after: Position, bytes_max: usize, head: Head) -> Result<Page, ReadError> {
        let mut page = Page {
            chunks: Vec::new(),
            head,
        };
        if after >= head.head {
            return Ok(page);
        }
        let missing = || self.broken(after.next(), "the chunk is missing");
        let start = self
            .begins(
                head.floor.min(after.next()),
                after.next(),
                Order::Descending,
            )?
            .ok_or_else(missing)?;
        let mut links = Links::new(self, start, head);
        let mut bytes = 0_usize;
        let mut is_full = false;
        let mut fault = None;
        self.walk((start, head.head), Order::Ascending, &mut |chunk| {
            bytes = bytes.saturating_add(chunk.bytes().len());
            if bytes > bytes_max && !page.chunks.is_empty() {
                is_full = true;
                return ControlFlow::Break(());
            }
            let linked = if page.chunks.is_empty() && chunk.last() <= after {
                Err(missing())
            } else {
                links.push(&chunk)
            };
            match linked {
                Ok(()) => page.chunks.push(chunk),
                Err(error) => fault = Some(error),
            }
            if fault.is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        match fault {
            Some(error) => Err(error.into()),
            None if is_full => Ok(page),
            None => links.check_end().map(|()| page).map_err(ReadError::from),
        }
    }
}

/// Checks that chunks follow each other, and that the last one is the one that the gate knows.
struct Links<'a> {
    chunks: &'a Chunks<'a>,
    start: Position,
    head: Head,
    chain: Option<Chain>,
}

impl<'a> Links<'a> {
    fn new(chunks: &'a Chunks<'a>, start: Position, head: Head) -> Self {
        Self {
            chunks,
            start,
            head,
            chain: None,
        }
    }

    fn push(&mut self, chunk: &Chunk) -> Result<(), StoreError> {
        let chain = self.chain.get_or_insert_with(|| {
            // The epoch of every chunk was checked when it was read.
            let header = chunk.header();
            Chain::after(header.epoch, self.start.previous(), header.previous)
        });
        chain.push(chunk).map_err(|error| {
            let what = error.what.to_string();
            self.chunks.broken(error.at, &what).with_source(error)
        })
    }

    fn check_end(&self) -> Result<(), StoreError> {
        let head = self.head;
        if self.chain == Some(Chain::after(head.epoch, head.head, head.last_hash)) {
            return Ok(());
        }
        let what = "the journal ends otherwise than it must";
        Err(self.chunks.broken(head.head, what))
    }
}

pub(crate) fn range_of((from, to): &(PlacedKey, PlacedKey)) -> KeyRange<'_> {
    KeyRange::new(from, to)
}

fn placed_of(key: &[u8]) -> Result<Placed, StoreError> {
    position_of(key).ok_or_else(|| corrupt(READ, "a key of the journal is malformed"))
}

/// Returns the numbers of the pools that have a chunk, by one look-up for each.
pub(crate) fn pool_numbers(rows: &dyn Reading) -> Result<BTreeSet<PoolNo>, StoreError> {
    let mut numbers = BTreeSet::new();
    let mut from = PoolNo(0);
    let end = row_keys::placed(PoolNo(u32::MAX), Position(u64::MAX));
    loop {
        let begin = row_keys::placed(from, Position::ZERO);
        let mut found = None;
        let range = KeyRange::new(&begin, &end);
        rows.walk(Table::Journal, range, Order::Ascending, &mut |key, _| {
            found = Some(placed_of(key));
            ControlFlow::Break(())
        })?;
        let Some(Placed { pool: no, .. }) = found.transpose()? else {
            return Ok(numbers);
        };
        if !numbers.insert(no) {
            return Err(corrupt(READ, "the keys of the journal are out of order"));
        }
        from = PoolNo(no.0.saturating_add(1));
    }
}

/// Reads a page of a pool's journal.
pub(crate) fn page<D: Database>(
    database: Arc<D>,
    name: &PoolId,
    view: ReadablePool,
    after: Position,
    bytes_max: usize,
) -> Result<Page, ReadError> {
    let JournalView { head, timelines } = view.journal.ok_or(ReadError::NoPool)?;
    if after < head.floor.previous() {
        return Err(ReadError::Trimmed {
            requested: after,
            floor: head.floor,
        });
    }
    let no = view.no;
    database.read(READ, |rows| {
        let chunks = Chunks {
            rows,
            name,
            no,
            timelines: &timelines,
        };
        chunks.page(after, bytes_max, head)
    })
}
