//! Everything that becomes due, in one order.

use std::collections::BTreeSet;

use heronry_journal::Claim;
use heronry_types::{Millis, Position, RunId, Timestamp};

/// What becomes due and needs a record.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Due {
    /// A message with queued copies expires.
    Expiry(Position),
    /// A claim lapses.
    Lapse(RunId, Claim),
    /// A wake times out.
    WakeTimeout(Position),
}

/// Everything that becomes due, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    due: BTreeSet<(Timestamp, Due)>,
    visible: BTreeSet<(Timestamp, RunId, Position)>,
}

impl Deadlines {
    pub(crate) fn insert(&mut self, at: Timestamp, due: Due) {
        self.due.insert((at, due));
    }

    pub(crate) fn remove(&mut self, at: Timestamp, due: Due) {
        self.due.remove(&(at, due));
    }

    pub(crate) fn insert_visible(&mut self, at: Timestamp, run: &RunId, accepted: Position) {
        self.visible.insert((at, run.clone(), accepted));
    }

    pub(crate) fn remove_visible(&mut self, at: Timestamp, run: &RunId, accepted: Position) {
        self.visible.remove(&(at, run.clone(), accepted));
    }

    /// Returns when something is due next; a time that has passed when something is due already.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        let visible = self.visible_after(now).next().map(|(at, ..)| *at);
        [due, visible].into_iter().flatten().min()
    }

    /// Walks what is due at `now`, oldest first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Due> + '_ {
        self.due
            .iter()
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, due)| due)
    }

    /// Walks the runs that have released copies which can be claimed since after `from` and until `to`.
    pub fn became_visible(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &RunId> + '_ {
        self.visible_after(from)
            .take_while(move |(at, ..)| *at <= to)
            .map(|(_, run, _)| run)
    }

    fn visible_after(
        &self,
        from: Timestamp,
    ) -> impl Iterator<Item = &(Timestamp, RunId, Position)> + '_ {
        // No id is smaller than one space, so the bound lies before every entry of its time.
        let bound = RunId::parse(" ")
            .ok()
            .map(|run| (from.after(Millis(1)), run, Position::ZERO));
        bound
            .into_iter()
            .flat_map(|bound| self.visible.range(bound..))
    }
}
