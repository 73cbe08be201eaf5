//! The commands that wait although they came first, and the reasons.

use std::collections::{HashSet, VecDeque};

use heronry_pool::{
    decide::{AboutWakes, Demand, Lane},
    engine::SMALL_BURDEN,
};
use heronry_types::RunId;

use super::{PoolActor, TAKEN_AT_ONCE, batch::Batch};
use crate::{
    Party,
    bulk::{Askers, BulkRequest},
    job::Job,
};

/// The reason for which a command waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WaitReason {
    /// The triggers of earlier events, which are matched and recorded first.
    Triggers,
    /// The share of a command that is bulk, while others ask for little.
    Share,
}

/// Returns true when a command must wait until earlier events are matched and their triggers
/// recorded. Such a command may see or change what waiters see, or would delay the matching by a
/// great deal.
fn waits_for_triggers(job: &dyn Job) -> bool {
    job.about_wakes() == AboutWakes::Perhaps || job.burden() > SMALL_BURDEN
}

/// Returns true when a command waits for its share of the store while others ask for little.
fn is_bulk(job: &dyn Job) -> bool {
    job.demand() == Demand::Bulk && job.turn().0 == Lane::Common
}

/// Returns true when a command may have to wait although it is its turn.
fn may_wait(job: &dyn Job) -> bool {
    waits_for_triggers(job) || is_bulk(job)
}

impl PoolActor {
    /// Returns about how many records the commands may make that are taken beside those that wait: these hold
    /// up nobody who comes after them. What is not decided now keeps its turn. Those that wait do not
    /// count.
    pub(super) fn room(&self) -> usize {
        if self.takes_none() {
            return 0;
        }
        let goes_on = self.pending.iter().filter(|job| !may_wait(job.as_ref()));
        let burden = goes_on.map(|job| job.burden());
        TAKEN_AT_ONCE.saturating_sub(burden.sum())
    }

    /// Returns the members of whom a command waits: what they ask for next stays in the queue, where it
    /// takes their places and nobody else's.
    pub(super) fn who_waits(&self) -> HashSet<RunId> {
        let waiting = self.pending.iter().filter(|job| may_wait(job.as_ref()));
        waiting.filter_map(|job| job.turn().1.cloned()).collect()
    }

    /// Returns true when a command was taken that waits for nothing, when one waits for its share.
    pub(super) fn has_taken(&self) -> bool {
        if !self.place.waits() || self.queue.is_closed() {
            return !self.pending.is_empty();
        }
        self.go_on(None).contains(&true)
    }

    /// Returns the reason for which a command waits; nothing when it does not.
    pub(super) fn waits_for(&self, job: &dyn Job) -> Option<WaitReason> {
        if self.engine.has_backlog() && waits_for_triggers(job) {
            return Some(WaitReason::Triggers);
        }
        (self.place.waits() && is_bulk(job)).then_some(WaitReason::Share)
    }

    /// Returns for each command that was taken whether it goes on. A command goes on when it does not wait for
    /// this reason, or for any when none is named, and when no earlier command of its member waits.
    fn go_on(&self, only: Option<WaitReason>) -> Vec<bool> {
        let mut held = HashSet::new();
        let goes_on = self.pending.iter().map(|job| {
            let (lane, run) = job.turn();
            let turn = run.map(|run| (lane, run));
            let waits_for = self.waits_for(job.as_ref());
            let waits = waits_for.is_some_and(|what| only.is_none_or(|it| it == what));
            let goes_on = !waits && turn.is_none_or(|turn| !held.contains(&turn));
            if !goes_on {
                held.extend(turn);
            }
            goes_on
        });
        goes_on.collect()
    }

    /// Asks for the share of the first command that is bulk, and lets what does not wait go on; the others
    /// stay in their order behind it, and so do those that their members asked for after them.
    pub(super) fn put_off(&mut self) {
        self.ask_for_share();
        if self.engine.has_backlog() || self.place.waits() {
            self.let_go_on();
        }
    }

    fn let_go_on(&mut self) {
        let goes_on = self.go_on(None);
        let mut behind = VecDeque::new();
        let mut first = VecDeque::with_capacity(self.pending.len());
        for (job, goes_on) in self.pending.drain(..).zip(goes_on) {
            let to = if goes_on { &mut first } else { &mut behind };
            to.push_back(job);
        }
        first.append(&mut behind);
        self.pending = first;
    }

    /// Asks for a share anew: the command that it was asked for may be gone, or wait for triggers now. The share is
    /// taken when the command is decided: what goes before it may let it wait.
    fn ask_for_share(&mut self) {
        match self.first_bulk() {
            Some(request) => self.place.ask(&request),
            None if self.has_bulk() => self.place.step_aside(),
            None => self.place.leave(),
        }
    }

    /// Returns true when a command that was taken is bulk.
    fn has_bulk(&self) -> bool {
        self.pending.iter().any(|job| is_bulk(job.as_ref()))
    }

    /// Returns the party of the first command that is bulk and waits for nothing else. When the pool stops,
    /// no command waits for its share.
    fn first_bulk(&self) -> Option<BulkRequest> {
        if !self.has_bulk() || self.queue.is_closed() {
            return None;
        }
        let goes_on = self.go_on(Some(WaitReason::Triggers));
        let mut jobs = self.pending.iter().zip(goes_on);
        let (job, _) = jobs.find(|(job, goes_on)| *goes_on && is_bulk(job.as_ref()))?;
        Some(self.request_of(job.as_ref()))
    }

    fn request_of(&self, job: &dyn Job) -> BulkRequest {
        BulkRequest {
            party: Party::of_turn(&self.pool, job.turn().1),
            weight: job.weight(),
        }
    }

    /// Returns the reason for which the first command waits; nothing when none does.
    pub(super) fn first_waits_for(&self) -> Option<WaitReason> {
        let first = self.pending.front()?.as_ref();
        if self.takes_none() {
            return Some(WaitReason::Triggers);
        }
        self.waits_for(first)
    }

    /// Begins the piece of the first command when it is bulk and has its share, and returns the reason for which
    /// the first command waits. One that has no share gives way to what may go on.
    pub(super) fn begin_first(&mut self, batch: &mut Batch) -> Option<WaitReason> {
        let waits_for = self.first_waits_for();
        let first = self.pending.front()?.as_ref();
        if waits_for.is_some() || !is_bulk(first) || self.queue.is_closed() {
            return waits_for;
        }
        let request = self.request_of(first);
        if let Some(piece) = self.place.begin(&request) {
            batch.pieces.push(piece);
            None
        } else {
            self.let_go_on();
            self.first_waits_for()
        }
    }

    /// Adds the party of a command that is decided and asks for little.
    pub(super) fn note(&self, job: &dyn Job, askers: &mut Askers) {
        let (lane, run) = job.turn();
        if job.demand() == Demand::Little && lane != Lane::Owed {
            askers.add(&self.pool, run);
        }
    }
}
