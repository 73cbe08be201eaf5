//! The manifest: which runs the keys of a pool lie in.
//!
//! A row: checksum, layout (1 byte: 1), epoch (16), position (8), hash of the chunk that ends there
//! (32), number of the next run (8), slots, spent runs. A list is its length (4) and its items. A
//! slot is 0 and a run; or 1, the output, the hash that it reaches to (16), and the inputs, each a
//! run and the hash from which on it is needed (16). A run is its number (8), entries (8), lines of
//! its filter (4) and segments of its filter that are there (4). Numbers are big-endian.

use std::{ops::ControlFlow, sync::Arc};

use heronry_journal::ChunkHash;
use heronry_types::{Epoch, Position};

use super::{
    END, Input, KeyRange, Merge, Order, Run, RunPlace, RunShape, Runs, Slot, SortHash,
    filter::{self, Filter},
    reader::damaged,
};
use crate::{
    Checkpoint, StoreError,
    checksum::{CHECKSUM_BYTES, seal, unseal},
};

const LAYOUT: u8 = 1;
const RUN: u8 = 0;
const MERGE: u8 = 1;

impl Runs {
    /// Returns the row of the manifest.
    pub(super) fn manifest(&self, key: &[u8]) -> Vec<u8> {
        let mut row = vec![0; CHECKSUM_BYTES];
        row.push(LAYOUT);
        row.extend_from_slice(&self.checkpoint.epoch.0);
        row.extend_from_slice(&self.checkpoint.position.0.to_be_bytes());
        row.extend_from_slice(&self.checkpoint.hash.0);
        row.extend_from_slice(&self.next.to_be_bytes());
        push_len(&mut row, self.slots.len());
        for slot in &self.slots {
            push_slot(&mut row, slot);
        }
        push_len(&mut row, self.spent.len());
        for run in &self.spent {
            row.extend_from_slice(&run.to_be_bytes());
        }
        seal(key, row)
    }

    /// Reads the keys of a pool; nothing when it has none.
    ///
    /// # Errors
    /// Rows that cannot be read, or are damaged.
    pub fn load(place: RunPlace<'_>, shape: RunShape) -> Result<Option<Self>, StoreError> {
        let key = place.keys.manifest();
        let mut found = None;
        place
            .rows
            .walk(KeyRange::one(&key), Order::Ascending, &mut |key, row| {
                found = Some(unseal(key, row).map(<[u8]>::to_vec));
                ControlFlow::Break(())
            })?;
        match found {
            None => Ok(None),
            Some(None) => Err(damaged("the manifest of keys is damaged")),
            Some(Some(row)) => Loading { place, rest: &row }.runs(shape).map(Some),
        }
    }
}

fn push_len(row: &mut Vec<u8>, len: usize) {
    row.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}

fn push_slot(row: &mut Vec<u8>, slot: &Slot) {
    let merge = match slot {
        Slot::Run(run) => {
            row.push(RUN);
            return push_run(row, run);
        }
        Slot::Merge(merge) => merge,
    };
    row.push(MERGE);
    push_run(row, &merge.output);
    row.extend_from_slice(&merge.below.to_bytes());
    push_len(row, merge.inputs.len());
    for input in &merge.inputs {
        push_run(row, &input.run);
        row.extend_from_slice(&input.from.to_bytes());
    }
}

fn push_run(row: &mut Vec<u8>, run: &Run) {
    row.extend_from_slice(&run.no.to_be_bytes());
    row.extend_from_slice(&run.entries.to_be_bytes());
    row.extend_from_slice(&run.filter.lines().to_be_bytes());
    push_len(row, run.filter.segments().len());
}

/// A manifest that is being read, and where its filters are.
struct Loading<'a> {
    place: RunPlace<'a>,
    rest: &'a [u8],
}

impl Loading<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| damaged("the manifest of keys ends too early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn runs(mut self, shape: RunShape) -> Result<Runs, StoreError> {
        let [layout] = self.take()?;
        if layout != LAYOUT {
            return Err(damaged("the manifest of keys has another layout"));
        }
        let checkpoint = Checkpoint {
            epoch: Epoch(self.take()?),
            position: Position(self.number()?),
            hash: ChunkHash(self.take()?),
        };
        let next = self.number()?;
        let slots = self.list(Self::slot)?;
        let spent = self.list(Self::number)?;
        if !self.rest.is_empty() {
            return Err(damaged("the manifest of keys goes on behind its end"));
        }
        Ok(Runs {
            shape,
            checkpoint,
            next,
            slots,
            spent,
        })
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        self.take().map(u64::from_be_bytes)
    }

    fn hash(&mut self) -> Result<SortHash, StoreError> {
        let bytes = self.take()?;
        Ok(if u128::from_be_bytes(bytes) == END.0 {
            END
        } else {
            SortHash::from_bytes(bytes)
        })
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let len = u32::from_be_bytes(self.take()?);
        (0..len).map(|_| item(self)).collect()
    }

    fn slot(&mut self) -> Result<Slot, StoreError> {
        let [kind] = self.take()?;
        match kind {
            RUN => Ok(Slot::Run(Arc::new(self.run()?))),
            MERGE => {
                let (output, below) = (self.run()?, self.hash()?);
                let inputs = self.list(|row| {
                    let run = Arc::new(row.run()?);
                    let from = row.hash()?;
                    Ok(Input { run, from })
                })?;
                Ok(Slot::Merge(Arc::new(Merge {
                    inputs,
                    output,
                    below,
                })))
            }
            _ => Err(damaged("the manifest of keys has an unknown slot")),
        }
    }

    fn run(&mut self) -> Result<Run, StoreError> {
        let (no, entries) = (self.number()?, self.number()?);
        let lines = u32::from_be_bytes(self.take()?);
        let segments = u32::from_be_bytes(self.take()?);
        Ok(Run {
            no,
            entries,
            filter: self.filter(no, lines, segments)?,
        })
    }

    fn filter(&self, run: u64, lines: u32, count: u32) -> Result<Filter, StoreError> {
        let keys = self.place.keys;
        let Some(last) = count.checked_sub(1) else {
            return Ok(Filter::from_segments(lines, Vec::new()));
        };
        let (from, to) = (keys.segment(run, 0), keys.segment(run, last));
        let mut segments = Vec::new();
        let mut number = 0;
        let mut see = |key: &[u8], row: &[u8]| {
            let is_next = key == keys.segment(run, number);
            number += 1;
            match filter::decode(key, row).filter(|_| is_next) {
                Some(segment) => segments.push(segment),
                None => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        };
        self.place
            .rows
            .walk(KeyRange::new(&from, &to), Order::Ascending, &mut see)?;
        if segments.len() == count as usize {
            Ok(Filter::from_segments(lines, segments))
        } else {
            Err(damaged("a filter of keys is damaged or missing"))
        }
    }
}
