//! Merging runs, a bounded piece at a time.

use std::sync::Arc;

use super::{
    Input, Merge, Run, RunPlace, RunShape, Slot, SortHash, block::Entry, filter::Filter, put::Edit,
    reader::RunReader, writer::RunWriter,
};
use crate::StoreError;

impl Merge {
    /// Begins to merge neighbouring runs, oldest first.
    pub(super) fn begin(runs: Vec<Arc<Run>>, no: u64) -> Self {
        let entries = runs.iter().map(|run| run.entries).sum();
        let input = |run| Input {
            run,
            from: SortHash(0),
        };
        Self {
            inputs: runs.into_iter().map(input).collect(),
            output: Run {
                no,
                entries: 0,
                filter: Filter::for_entries(entries),
            },
            below: SortHash(0),
        }
    }

    /// Merges about as many entries as the budget has, and takes them off it.
    pub(super) fn advance(
        &self,
        (place, shape): (RunPlace<'_>, RunShape),
        budget: &mut u64,
        edit: &mut Edit,
    ) -> Result<Slot, StoreError> {
        let inputs = self.inputs.iter();
        let mut readers = inputs
            .map(|input| RunReader::open(place, input.run.no, self.below))
            .collect::<Result<Vec<_>, _>>()?;
        let mut writer = RunWriter::resume((place.keys, shape), &self.output, self.below);
        while let Some(next) = least(&readers) {
            if writer.is_full() {
                writer.end_block(next.hash, edit);
            }
            if *budget == 0 && writer.is_between_blocks() {
                return Ok(self.interrupted(next.hash, &readers, writer.finish(edit)));
            }
            writer.push(next);
            *budget = budget.saturating_sub(step(&mut readers, next)?);
        }
        writer.end_block(super::END, edit);
        edit.spend(self.inputs.iter().map(|input| input.run.no));
        Ok(Slot::Run(Arc::new(writer.finish(edit))))
    }

    /// Returns the merge as it is to go on another time.
    fn interrupted(&self, below: SortHash, readers: &[RunReader<'_>], output: Run) -> Slot {
        let inputs = self.inputs.iter().zip(readers);
        let inputs = inputs.map(|(input, reader)| Input {
            run: Arc::clone(&input.run),
            from: reader.needed_from(below),
        });
        Slot::Merge(Arc::new(Self {
            inputs: inputs.collect(),
            output,
            below,
        }))
    }
}

/// Returns the entry that comes next; of several under one hash that of the newest run.
pub(super) fn least(readers: &[RunReader<'_>]) -> Option<Entry> {
    let mut least: Option<Entry> = None;
    for entry in readers.iter().filter_map(RunReader::peek) {
        if least.is_none_or(|least| entry.hash <= least.hash) {
            least = Some(entry);
        }
    }
    least
}

/// Takes an entry from whichever has it, and returns how many were taken.
pub(super) fn step(readers: &mut [RunReader<'_>], taken: Entry) -> Result<u64, StoreError> {
    let mut count = 0;
    for reader in readers {
        if reader.peek().is_some_and(|entry| entry.hash == taken.hash) {
            reader.step()?;
            count += 1;
        }
    }
    Ok(count)
}
