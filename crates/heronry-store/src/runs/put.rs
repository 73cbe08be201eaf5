//! Putting a run of keys.

use std::sync::Arc;

use super::{RunKeys, RunPlace, RunShape, Runs, Slot, SortHash, block::Entry, writer::RunWriter};
use crate::{Checkpoint, KeyedEntry, StoreError};

/// The fewest entries that are merged for a run, however small it is.
const PIECE_MIN: u64 = 1_024;

/// The rows that one transaction changes: first the removed ones, then the written ones.
#[derive(Debug, Default)]
pub struct Edit {
    /// Row keys from which on, and below which, rows are removed.
    pub removes: Vec<(Vec<u8>, Vec<u8>)>,
    /// Rows by their row keys.
    pub inserts: Vec<(Vec<u8>, Vec<u8>)>,
    /// Runs whose rows are not needed any more, once nobody looks at the runs of before.
    spent: Vec<u64>,
}

/// The runs after a put, and what is to be written for them.
#[derive(Debug)]
pub struct RunsPut {
    /// The runs, once the edit is written.
    pub runs: Runs,
    /// The edit.
    pub edit: Edit,
}

impl Edit {
    /// Returns the edit that removes all rows of a pool.
    pub fn clearing(keys: RunKeys) -> Self {
        Self {
            removes: vec![keys.all()],
            ..Self::default()
        }
    }

    pub(super) fn spend(&mut self, runs: impl Iterator<Item = u64>) {
        self.spent.extend(runs);
    }

    /// Returns about how many bytes it writes.
    pub fn bytes(&self) -> usize {
        let rows = self.inserts.iter();
        rows.map(|(key, row)| key.len() + row.len()).sum()
    }
}

/// Keys to be put, and how far the keys have followed the journal with them.
#[derive(Debug)]
pub struct NewRun {
    entries: Vec<Entry>,
    checkpoint: Checkpoint,
}

impl NewRun {
    /// Sorts keys. Of several under one key the last counts.
    pub fn new(run: &[KeyedEntry], checkpoint: Checkpoint) -> Self {
        let entry = |named: &KeyedEntry| Entry {
            hash: SortHash::of(named.key),
            kept: named.entry,
        };
        let mut entries: Vec<_> = run.iter().map(entry).collect();
        // In place: room to sort in costs more than sorting, and hardly ever are two under one key.
        entries.sort_unstable_by_key(|entry| entry.hash);
        if !entries.is_sorted_by(|before, after| before.hash < after.hash) {
            entries = run.iter().rev().map(entry).collect();
            entries.sort_by_key(|entry| entry.hash);
            entries.dedup_by_key(|entry| entry.hash);
        }
        Self {
            entries,
            checkpoint,
        }
    }
}

impl Runs {
    fn empty(checkpoint: Checkpoint, shape: RunShape) -> Self {
        Self {
            shape,
            checkpoint,
            next: 1,
            slots: Vec::new(),
            spent: Vec::new(),
        }
    }

    /// Returns the keys with a run more, and what is to be written for that. Without keys of
    /// before, whatever rows there are go.
    ///
    /// # Errors
    /// Rows that cannot be read, or are damaged.
    pub fn put(
        before: Option<&Self>,
        place: RunPlace<'_>,
        run: &NewRun,
        shape: RunShape,
    ) -> Result<RunsPut, StoreError> {
        let mut edit = Edit::default();
        let mut runs = if let Some(before) = before {
            before.clone()
        } else {
            edit.removes.push(place.keys.all());
            Self::empty(run.checkpoint, shape)
        };
        runs.checkpoint = run.checkpoint;
        runs.drop_unneeded(place, &mut edit);
        // The new run comes last: what is merged has to lie in the store already.
        runs.begin_merges();
        runs.advance_merges(place, run.entries.len() as u64, &mut edit)?;
        if !run.entries.is_empty() {
            let count = run.entries.len() as u64;
            let writer = RunWriter::begin((place.keys, shape), runs.next, count);
            let run = writer.write(&run.entries, &mut edit);
            runs.slots.push(Slot::Run(Arc::new(run)));
            runs.next += 1;
        }
        runs.spent.append(&mut edit.spent);
        let key = place.keys.manifest();
        let row = runs.manifest(&key);
        edit.inserts.push((key, row));
        Ok(RunsPut { runs, edit })
    }

    /// Removes what the runs of before did not need any more: nobody looks for it by now.
    fn drop_unneeded(&mut self, place: RunPlace<'_>, edit: &mut Edit) {
        for run in self.spent.drain(..) {
            edit.removes.push(place.keys.run(run));
        }
        let merges = self.slots.iter().filter_map(|slot| match slot {
            Slot::Merge(merge) => Some(merge),
            Slot::Run(_) => None,
        });
        for input in merges.flat_map(|merge| &merge.inputs) {
            let block = |hash| place.keys.block(input.run.no, hash);
            if input.from > SortHash(0) {
                edit.removes.push((block(SortHash(0)), block(input.from)));
            }
        }
    }

    /// Goes on with merges, the shortest first: in all so far that they keep up with what is put.
    fn advance_merges(
        &mut self,
        place: RunPlace<'_>,
        put: u64,
        edit: &mut Edit,
    ) -> Result<(), StoreError> {
        let mut budget = put.max(PIECE_MIN).saturating_mul(self.levels() + 2);
        let mut order: Vec<_> = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(at, slot)| match slot {
                Slot::Merge(merge) => Some((merge.remaining(), at)),
                Slot::Run(_) => None,
            })
            .collect();
        order.sort_unstable();
        for (_, at) in order {
            if budget == 0 {
                break;
            }
            let shape = self.shape;
            if let Some(slot) = self.slots.get_mut(at)
                && let Slot::Merge(merge) = slot
            {
                *slot = merge.advance((place, shape), &mut budget, edit)?;
            }
        }
        Ok(())
    }
}
