//! Reading the entries of a run, one block at a time.

use std::ops::{ControlFlow, Range};

use super::{END, KeyRange, Order, RunKeys, RunPlace, SortHash, block::Block, block::Entry};
use crate::{StoreError, StoreErrorKind};

/// Says that rows of keys are not what they must be.
pub(super) fn damaged(what: &str) -> StoreError {
    let detail = format!(
        "{what}; keys of records that are kept are folded again when the pool is opened next"
    );
    StoreError::new(StoreErrorKind::Corrupt, "read keys", detail)
}

impl RunPlace<'_> {
    /// Has the block of a run looked at whose part of the hashes this one lies in.
    pub(super) fn block<T>(
        self,
        run: u64,
        hash: SortHash,
        look: impl FnOnce(SortHash, Block<'_>) -> T,
    ) -> Result<T, StoreError> {
        let (lowest, highest) = (SortHash(0), hash);
        let (from, to) = (self.keys.block(run, lowest), self.keys.block(run, highest));
        let mut look = Some(look);
        let mut found = None;
        self.rows.walk(
            KeyRange::new(&from, &to),
            Order::Descending,
            &mut |key, row| {
                let begin = RunKeys::begin_of(key);
                let block = Block::decode(key, row).filter(|block| hash < block.until);
                if let (Some(begin), Some(block), Some(look)) = (begin, block, look.take()) {
                    found = Some(look(begin, block));
                }
                ControlFlow::Break(())
            },
        )?;
        found.ok_or_else(|| damaged("a block of keys is damaged or missing"))
    }
}

/// Reads the entries of a run in order.
pub(super) struct RunReader<'a> {
    place: RunPlace<'a>,
    run: u64,
    /// The hash that the present block begins with, and the one before it.
    begin: SortHash,
    before: SortHash,
    /// The hash that the next block begins with.
    until: SortHash,
    /// The hash before which reading ends, where a block begins or the run ends.
    to: SortHash,
    entries: std::vec::IntoIter<Entry>,
    next: Option<Entry>,
}

impl<'a> RunReader<'a> {
    /// Reads from this hash on.
    pub(super) fn open(place: RunPlace<'a>, run: u64, from: SortHash) -> Result<Self, StoreError> {
        Self::open_within(place, run, from..END)
    }

    /// Reads a range of hashes, at whose end a block begins.
    pub(super) fn open_within(
        place: RunPlace<'a>,
        run: u64,
        hashes: Range<SortHash>,
    ) -> Result<Self, StoreError> {
        let mut reader = Self {
            place,
            run,
            begin: SortHash(0),
            before: SortHash(0),
            until: END,
            to: hashes.end,
            entries: Vec::new().into_iter(),
            next: None,
        };
        reader.load(hashes.start)?;
        reader.step()?;
        Ok(reader)
    }

    fn load(&mut self, from: SortHash) -> Result<(), StoreError> {
        let read = |begin, block: Block<'_>| {
            let mut entries = Vec::with_capacity(block.len());
            entries.extend((block.seek(from)..block.len()).map_while(|index| block.get(index)));
            (begin, block.until, entries)
        };
        let (begin, until, entries) = self.place.block(self.run, from, read)?;
        (self.before, self.begin, self.until) = (self.begin, begin, until);
        self.entries = entries.into_iter();
        Ok(())
    }

    /// Returns the next entry without taking it.
    pub(super) fn peek(&self) -> Option<Entry> {
        self.next
    }

    /// Takes the next entry.
    pub(super) fn step(&mut self) -> Result<(), StoreError> {
        loop {
            self.next = self.entries.next();
            if self.next.is_some() || self.until >= self.to {
                return Ok(());
            }
            self.load(self.until)?;
        }
    }

    /// Returns where the block begins that a hash lies in, at or above all that was taken, and not
    /// above what comes next: no block before it is needed.
    pub(super) fn needed_from(&self, below: SortHash) -> SortHash {
        if self.begin <= below {
            self.begin
        } else {
            self.before
        }
    }
}
