//! Deadlines that become due: of messages and wakes, and of members.

use heronry_journal::Entry;

use crate::{
    decide::{due_entries, due_entries_of_contents},
    engine::{Engine, matching::MatchTurn},
};

impl Engine {
    pub(super) fn tick(&mut self) -> bool {
        let turn = self.take_turns(MatchTurn::Later);
        // Who leaves ends its copies, so what ends whole messages comes before; the claims of who is
        // lost lapse with that.
        let mut more = self.tick_deadlines();
        if !more && !self.is_behind() && self.tick_members() {
            if !self.is_behind() {
                self.tick_deadlines();
            }
            more = true;
        }
        self.take_turns(turn);
        self.tick_suspicion();
        self.drain_triggers();
        more
    }

    fn tick_deadlines(&mut self) -> bool {
        let due = due_entries(&self.state, self.now);
        let more = !due.is_empty();
        self.stage_undecided(due);
        more
    }

    /// Stages what became due, without what an event before it decided otherwise: it may be the one
    /// that a wake was waiting for. What may see or change what waiters see waits for that to be known.
    fn stage_undecided(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if entry.body.changes_waiters() && self.is_behind() {
                return; // it is still due
            }
            if !self.triggers.has_decided(&entry.body) {
                self.stage_entry(entry);
            }
        }
    }

    pub(super) fn tick_meanwhile(&mut self) -> bool {
        if self.is_far_behind() {
            return true;
        }
        let turn = self.take_turns(MatchTurn::Later);
        let before = self.state.head;
        let due = if self.is_little_behind() {
            let mut due = due_entries(&self.state, self.now);
            let waits = due.iter().position(|entry| entry.body.changes_waiters());
            due.truncate(waits.unwrap_or(due.len()));
            due
        } else {
            due_entries_of_contents(&self.state, self.now)
        };
        for entry in due {
            self.stage_entry(entry);
        }
        self.take_turns(turn);
        self.state.head > before || self.is_little_behind() && self.is_due(self.now)
    }
}

#[cfg(test)]
mod tests;
