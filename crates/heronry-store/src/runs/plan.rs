//! The choice of the runs that are merged next.

use std::sync::Arc;

use super::{FANOUT, Merge, Run, Runs, Slot};

/// The most slots for each level before runs are merged whatever their size.
const SLOTS_PER_LEVEL_MAX: usize = 2 * FANOUT;

impl Runs {
    /// Returns the level of a run: each is eight times the size of the one below.
    pub(super) fn level(&self, entries: u64) -> u32 {
        (entries / self.shape.base).max(1).ilog(FANOUT as u64)
    }

    /// Returns how many levels there are.
    pub(super) fn levels(&self) -> u64 {
        u64::from(self.level(self.entries())) + 1
    }

    /// Begins the merges that are due.
    pub(super) fn begin_merges(&mut self) {
        while let Some(at) = self.due() {
            let inputs: Vec<_> = self
                .slots
                .splice(at..at + FANOUT, [])
                .filter_map(|slot| match slot {
                    Slot::Run(run) => Some(run),
                    Slot::Merge(_) => None,
                })
                .collect();
            let merge = Merge::begin(inputs, self.next);
            self.next += 1;
            self.slots.insert(at, Slot::Merge(Arc::new(merge)));
        }
    }

    /// Returns where the next runs stand that are to be merged: neighbours of one level, or, when
    /// there are too many slots because sizes differ, those that have the fewest entries.
    fn due(&self) -> Option<usize> {
        let windows = || self.slots.windows(FANOUT).enumerate();
        let alike = windows().filter_map(|(at, window)| {
            let mut levels = runs_of(window)?.map(|run| self.level(run.entries));
            let level = levels.next()?;
            levels.all(|other| other == level).then_some((level, at))
        });
        if let Some((_, at)) = alike.min() {
            return Some(at);
        }
        let levels = usize::try_from(self.levels()).unwrap_or(usize::MAX);
        if self.slots.len() <= levels.saturating_mul(SLOTS_PER_LEVEL_MAX) {
            return None;
        }
        let sizes = windows().filter_map(|(at, window)| {
            let entries: u64 = runs_of(window)?.map(|run| run.entries).sum();
            Some((entries, at))
        });
        sizes.min().map(|(_, at)| at)
    }
}

/// Walks the runs of a window; nothing when some of it is being merged.
fn runs_of(window: &[Slot]) -> Option<impl Iterator<Item = &Arc<Run>>> {
    let runs = window.iter().filter_map(|slot| match slot {
        Slot::Run(run) => Some(run),
        Slot::Merge(_) => None,
    });
    (runs.clone().count() == window.len()).then_some(runs)
}
