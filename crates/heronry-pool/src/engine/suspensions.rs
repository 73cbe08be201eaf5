//! Runs that are suspended, and what lets them go on.

use heronry_journal::{Body, Record};
use heronry_types::{Importance, Position, RunId, Timestamp};

use crate::{
    State,
    command::Speaker,
    decide::{acting_entry, resumed_entry},
    engine::Engine,
    suspicion::Sight,
};

/// The highest number of suspended runs that one append resumes because of the time.
const RUNS_MAX: usize = 64;

/// The suspended runs that may have to go on.
#[derive(Debug, Default)]
pub(super) struct Suspensions {
    /// Something happened that may resume these.
    stirred: Vec<RunId>,
    /// The time up to which urgent messages were looked for that became visible.
    looked: Timestamp,
}

impl Engine {
    /// Notes which suspended run a record may resume. It goes on behind all records of its cause.
    pub(super) fn note_suspended(&mut self, record: &Record) {
        if self.state.members.suspended().len() > 0 {
            let stirred = stirred_by(&self.state, record);
            self.suspensions.stirred.extend(stirred);
        }
    }

    /// Says which runs wait only on each other, and which wait for what nobody can do, a while after
    /// something changed. Of very many suspended runs it looks at some at a time.
    pub(super) fn tick_suspicion(&mut self) {
        if !self.suspicion.is_due(self.now) {
            return;
        }
        // What became due just now may have ended wakes.
        self.drain_triggers();
        if self.has_backlog() {
            return;
        }
        let counted = |registered| self.triggers.counted(registered);
        let entries = self.suspicion.look(Sight {
            state: &self.state,
            now: self.now,
            counted: &counted,
        });
        for entry in entries {
            self.stage_entry(entry);
        }
    }

    /// Lets the runs go on that something has resumed.
    pub(super) fn resume_stirred(&mut self) {
        while let Some(run) = self.suspensions.stirred.pop() {
            if let Some(entry) = resumed_entry(&self.state, &run, self.now) {
                self.stage_entry(entry);
            }
        }
    }

    /// Lets a run go on that does something, unless that is what suspends it. `before` is the head
    /// before its command.
    pub(super) fn resume_acting(&mut self, speaker: Option<Speaker<'_>>, before: Position) {
        if self.state.members.suspended().len() == 0 {
            return;
        }
        let cause = (self.state.head > before).then(|| before.next());
        let acting = speaker.and_then(|by| acting_entry(&self.state, by, before, cause));
        if let Some(entry) = acting {
            self.stage_entry(entry);
            self.drain_triggers();
        }
    }

    /// Resumes the runs whose time is up, or that can claim an urgent message by now; returns true
    /// when there may be more.
    pub(super) fn tick_suspended(&mut self) -> bool {
        let looked = std::mem::replace(&mut self.suspensions.looked, self.now);
        if self.state.members.suspended().len() == 0 {
            return false;
        }
        let deadlines = &self.state.deadlines;
        let due = deadlines.due(self.now).filter_map(|due| due.sleeper());
        let mut stirred: Vec<RunId> = due.take(RUNS_MAX).cloned().collect();
        let is_more = !stirred.is_empty();
        let visible = deadlines.became_visible(looked, self.now);
        let asleep = visible.filter(|run| self.state.members.suspension(run).is_some());
        stirred.extend(asleep.cloned());
        self.suspensions.stirred.extend(stirred);
        self.resume_stirred();
        is_more
    }

    /// Says up to when urgent messages were looked for, when the pool is opened.
    pub(super) fn watch_suspended(&mut self) {
        self.suspensions.looked = self.state.time;
        self.suspicion.open(&self.state);
    }
}

/// The suspended runs that a record may resume.
fn stirred_by(state: &State, record: &Record) -> Vec<RunId> {
    let body = &record.entry.body;
    let asleep = |run: &&RunId| state.members.suspension(run).is_some();
    let one = |run: Option<&RunId>| run.filter(asleep).cloned().into_iter().collect();
    if let Some(registered) = body.ended_wake() {
        let wake = state.wakes.get(registered);
        let waits = |run: &&RunId| {
            let suspension = state.members.suspension(run);
            suspension.is_some_and(|it| it.waits_for(registered))
        };
        let run = wake.map(|wake| &wake.run).filter(waits);
        one(run)
    } else if let Body::MessageDelivered(delivered) = body {
        let message = state.messages.get(delivered.accepted);
        let is_urgent = message.is_some_and(|it| it.importance() == Importance::Interrupt);
        // Recipients are sorted.
        let gets = |run: &&RunId| delivered.recipients.0.binary_search(run).is_ok();
        let asleep = state.members.suspended().filter(|_| is_urgent);
        asleep.filter(gets).cloned().collect()
    } else if matches!(
        body,
        Body::RunSuspended(_) | Body::MessageReplayed(_) | Body::MessageReleased(_)
    ) {
        one(record.entry.lineage.run.as_ref())
    } else {
        Vec::new()
    }
}
