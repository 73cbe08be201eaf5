//! Writing the blocks and the filter of a run.

use super::{
    END, Run, RunKeys, RunShape, SortHash,
    block::{self, Entry},
    filter::{self, Filter, FilterWriter},
    put::Edit,
};

/// Writes a run, block by block.
pub(super) struct RunWriter {
    keys: RunKeys,
    shape: RunShape,
    no: u64,
    /// The hash that the present block begins with.
    begin: SortHash,
    block: Vec<Entry>,
    entries: u64,
    filter: FilterWriter,
}

impl RunWriter {
    /// Begins a run of this many entries at the most.
    pub(super) fn begin((keys, shape): (RunKeys, RunShape), no: u64, entries: u64) -> Self {
        let run = Run {
            no,
            entries: 0,
            filter: Filter::for_entries(entries),
        };
        Self::resume((keys, shape), &run, SortHash(0))
    }

    /// Goes on with a run whose next block begins with this hash.
    pub(super) fn resume((keys, shape): (RunKeys, RunShape), run: &Run, begin: SortHash) -> Self {
        Self {
            keys,
            shape,
            no: run.no,
            begin,
            block: Vec::with_capacity(shape.block),
            entries: run.entries,
            filter: FilterWriter::resume(&run.filter),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.block.len() >= self.shape.block
    }

    pub(super) fn is_between_blocks(&self) -> bool {
        self.block.is_empty()
    }

    /// Takes an entry above all before it; there must be room in the block.
    pub(super) fn push(&mut self, entry: Entry) {
        self.filter.add(entry.hash);
        self.block.push(entry);
        self.entries += 1;
    }

    /// Ends the block, with the hash that the next one begins with.
    pub(super) fn end_block(&mut self, until: SortHash, edit: &mut Edit) {
        let key = self.keys.block(self.no, self.begin);
        let row = block::encode(&key, until, &self.block);
        edit.inserts.push((key, row));
        self.block.clear();
        self.begin = until;
    }

    /// Ends the run, or leaves it to be resumed: every entry so far is in a block that was ended.
    pub(super) fn finish(self, edit: &mut Edit) -> Run {
        debug_assert!(self.block.is_empty(), "the last block was ended");
        let (filter, changed) = self.filter.finish();
        for (number, segment) in (0..).zip(filter.segments()).skip(changed as usize) {
            let key = self.keys.segment(self.no, number);
            let row = filter::encode(&key, segment);
            edit.inserts.push((key, row));
        }
        Run {
            no: self.no,
            entries: self.entries,
            filter,
        }
    }

    /// Writes all of a run.
    pub(super) fn write(mut self, entries: &[Entry], edit: &mut Edit) -> Run {
        for entry in entries {
            if self.is_full() {
                self.end_block(entry.hash, edit);
            }
            self.push(*entry);
        }
        self.end_block(END, edit);
        self.finish(edit)
    }
}
