//! Going on after nobody could reach the engine: what was held is held for longer.

use heronry_journal::{Body, Entry, PoolResumed};
use heronry_types::{Actor, Lineage, Millis, ResumeCause, Timestamp, Visibility};

use crate::engine::Engine;

/// The longest delay of the engine behind a deadline that does not count as a pause.
const PAUSE_MIN: Millis = Millis::from_secs(2);

/// The phase of a pool: just opened, so that it holds what lapses in silence, or running.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Resume {
    #[default]
    Running,
    Opened,
}

impl Engine {
    /// Says that the pool is about to be served, after its journal was replayed.
    pub(super) fn open(&mut self) {
        self.watch_leases();
        self.watch_suspended();
        if self.state.deadlines.has_claims() || self.leases.watches() {
            self.resume = Resume::Opened;
        }
    }

    /// Returns true when the pool was opened and the record that says so is not staged yet.
    pub fn is_to_resume(&self) -> bool {
        self.resume == Resume::Opened
    }

    /// Records that the engine goes on, when nobody could reach it for a while: nothing lapses that
    /// could not have been renewed.
    ///
    /// Each lease begins again with it, each claim is held for a while more.
    pub(super) fn resume(&mut self) {
        let resumed = match std::mem::take(&mut self.resume) {
            Resume::Opened => Some((ResumeCause::Opened, self.state.time)),
            Resume::Running => self.missed().map(|since| (ResumeCause::Paused, since)),
        };
        if let Some((cause, since)) = resumed {
            let body = Body::PoolResumed(PoolResumed { cause, since });
            self.stage_entry(Entry {
                lineage: Lineage::of_pool(self.state.pool.clone()),
                actor: Actor::Engine,
                visibility: Visibility::InScope,
                body,
            });
        }
    }

    fn missed(&self) -> Option<Timestamp> {
        let claim = self.state.deadlines.missed(self.now, PAUSE_MIN);
        let lease = self.leases.missed(self.now, PAUSE_MIN);
        [claim, lease].into_iter().flatten().min()
    }
}
