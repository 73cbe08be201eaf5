//! Looking keys up.

use super::{Input, Run, RunPlace, Runs, Slot, SortHash, filter};
use crate::{KeyEntry, KeyHash, StoreError};

/// The number of questions that are put to the filters at once.
const GROUP: usize = 8;

/// Questions for which memory alone had no answer: which runs may have which of them.
#[derive(Debug)]
pub struct Asked {
    hashes: Vec<SortHash>,
    /// Question and run, in the order of the questions, newest run first.
    may_have: Vec<(usize, u64)>,
}

impl Runs {
    /// Asks the filters for keys; returns nothing when no run has any of them.
    pub fn ask(&self, keys: &[KeyHash]) -> Option<Asked> {
        let hashes: Vec<_> = keys.iter().copied().map(SortHash::of).collect();
        let mut may_have = Vec::new();
        let mut left = Vec::new();
        for (group, asked) in hashes.chunks(GROUP).enumerate() {
            for (at, hash) in asked.iter().enumerate() {
                let question = group * GROUP + at;
                let runs = self.slots.iter().rev();
                let runs = runs.flat_map(|slot| slot.runs_for(*hash));
                left.extend(runs.map(|run| (question, *hash, run)));
            }
            filter::sieve(&mut left, |(_, hash, run)| (&run.filter, hash));
            may_have.extend(left.drain(..).map(|(question, _, run)| (question, run.no)));
        }
        (!may_have.is_empty()).then_some(Asked { hashes, may_have })
    }
}

impl Slot {
    /// Walks the runs that a hash may be in, newest first.
    fn runs_for(&self, hash: SortHash) -> impl Iterator<Item = &Run> {
        let (one, inputs): (_, &[Input]) = match self {
            Self::Run(run) => (Some(&**run), &[]),
            Self::Merge(merge) if hash < merge.below => (Some(&merge.output), &[]),
            Self::Merge(merge) => (None, &merge.inputs),
        };
        let inputs = inputs.iter().rev().map(|input| &*input.run);
        one.into_iter().chain(inputs)
    }
}

impl Asked {
    /// Looks into the runs; one answer for each question, in order.
    ///
    /// # Errors
    /// Rows that cannot be read, or are damaged.
    pub fn answer(&self, place: RunPlace<'_>) -> Result<Vec<Option<KeyEntry>>, StoreError> {
        let mut answers = vec![None; self.hashes.len()];
        for (question, run) in &self.may_have {
            let (Some(hash), Some(answer)) =
                (self.hashes.get(*question), answers.get_mut(*question))
            else {
                continue;
            };
            if answer.is_none() {
                *answer = place.block(*run, *hash, |_, block| block.find(*hash))?;
            }
        }
        Ok(answers)
    }
}
