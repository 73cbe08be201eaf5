//! Sorted runs: the layout of keys in a store.
//!
//! A row for each key would cost more than the records that it is about. So keys are put in
//! runs: entries in the order of the hash of their key, in blocks of at most 400 entries. A
//! block is one row, and never changes. Eight neighbouring runs of about one size are merged into
//! one, a bounded piece with every run that is put. A merged block is dropped as the merge passes
//! it. A filter in memory, of at most two bytes for each key, knows nearly every key that no run
//! has.
//!
//! Everything here is pure: rows are read through [`RunRows`], and changes are an [`Edit`], which a
//! store writes in one transaction. Rows that an edit takes out of use are removed by the next
//! edit, so that readers of the earlier runs still find them.

mod block;
mod filter;
mod hash;
mod list;
mod look;
mod manifest;
mod merge;
mod plan;
mod put;
mod reader;
mod row_keys;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use filter::Filter;

use hash::SortHash;

pub use look::Asked;
pub use put::{Edit, NewRun, RunsPut};
pub use row_keys::RunKeys;
pub use rows::{KeyRange, Order, RunRows, See};

use crate::Checkpoint;

/// The hash that no key has: what lies below it is everything.
const END: SortHash = SortHash(u128::MAX);

/// The number of neighbouring runs that are merged into one.
const FANOUT: usize = 8;

/// The sizes of blocks and runs; tests choose smaller ones.
#[derive(Clone, Copy, Debug)]
pub struct RunShape {
    /// The most entries of a block. A block of 400 fills a page of 16 KiB.
    pub(crate) block: usize,
    /// The most entries of a run of the lowest level; each level is eight times the one below.
    pub(crate) base: u64,
}

impl Default for RunShape {
    fn default() -> Self {
        Self {
            block: 400,
            base: 4_096,
        }
    }
}

/// The rows of one pool's runs, and the row keys that they stand under.
#[derive(Clone, Copy)]
#[expect(
    missing_debug_implementations,
    reason = "rows are behind a trait that has none"
)]
pub struct RunPlace<'a> {
    /// The row keys.
    pub keys: RunKeys,
    /// The rows.
    pub rows: &'a dyn RunRows,
}

/// The keys of one pool, up to a checkpoint: what is to be known of them to find one.
#[derive(Clone, Debug)]
pub struct Runs {
    shape: RunShape,
    checkpoint: Checkpoint,
    /// The number of the next run.
    next: u64,
    /// Oldest first: a key that is in several has its entry from the newest.
    slots: Vec<Slot>,
    /// Runs that are in no slot any more, and whose rows are still there.
    spent: Vec<u64>,
}

/// A run, or several that are becoming one.
#[derive(Clone, Debug)]
enum Slot {
    Run(Arc<Run>),
    Merge(Arc<Merge>),
}

/// A run: its rows are in the store.
#[derive(Clone, Debug)]
struct Run {
    no: u64,
    entries: u64,
    filter: Filter,
}

/// Neighbouring runs that are becoming one.
#[derive(Clone, Debug)]
struct Merge {
    /// Oldest first.
    inputs: Vec<Input>,
    /// The run that is merged so far.
    output: Run,
    /// Keys below it are found in the output, all others in the inputs.
    below: SortHash,
}

/// A run that is being merged.
#[derive(Clone, Debug)]
struct Input {
    run: Arc<Run>,
    /// Blocks that begin below it are not needed any more.
    from: SortHash,
}

impl Runs {
    /// Returns up to where they have followed the journal.
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// Returns how many entries there are, as far as the filters are concerned.
    fn entries(&self) -> u64 {
        self.slots.iter().map(Slot::entries).sum()
    }
}

impl Slot {
    fn entries(&self) -> u64 {
        match self {
            Self::Run(run) => run.entries,
            Self::Merge(merge) => merge.inputs.iter().map(|input| input.run.entries).sum(),
        }
    }
}

impl Merge {
    /// Returns how many entries are still to be read, at most.
    fn remaining(&self) -> u64 {
        let inputs: u64 = self.inputs.iter().map(|input| input.run.entries).sum();
        inputs.saturating_sub(self.output.entries)
    }
}
