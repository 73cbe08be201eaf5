//! Listing keys in the order of their hashes.

use super::{
    Run, RunPlace, Runs, Slot, SortHash,
    merge::{least, step},
    reader::RunReader,
};
use crate::{KeyHash, KeyedEntry, StoreError};

impl Runs {
    /// Returns at most `limit` entries after a key, each key once with its last entry.
    ///
    /// # Errors
    /// Rows that cannot be read, or are damaged.
    pub fn list(
        &self,
        place: RunPlace<'_>,
        after: Option<KeyHash>,
        limit: usize,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        let from = after.map_or(SortHash(0), |key| SortHash::of(key).next());
        let mut readers = Vec::new();
        if from == super::END {
            return Ok(Vec::new());
        }
        for slot in &self.slots {
            slot.read_from(place, from, &mut readers)?;
        }
        let mut listed = Vec::new();
        while listed.len() < limit
            && let Some(next) = least(&readers)
        {
            listed.push(KeyedEntry::new(next.hash.key(), next.kept));
            step(&mut readers, next)?;
        }
        Ok(listed)
    }
}

impl Slot {
    /// Adds readers of the entries from a hash on, those of newer runs last.
    fn read_from<'a>(
        &self,
        place: RunPlace<'a>,
        from: SortHash,
        readers: &mut Vec<RunReader<'a>>,
    ) -> Result<(), StoreError> {
        let mut read = |run: &Run, hashes| {
            RunReader::open_within(place, run.no, hashes).map(|reader| readers.push(reader))
        };
        let merge = match self {
            Self::Run(run) => return read(run, from..super::END),
            Self::Merge(merge) => merge,
        };
        if from < merge.below {
            read(&merge.output, from..merge.below)?;
        }
        let rest = from.max(merge.below);
        merge
            .inputs
            .iter()
            .try_for_each(|input| read(&input.run, rest..super::END))
    }
}
