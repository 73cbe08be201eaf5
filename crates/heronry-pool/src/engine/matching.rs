//! Matching in slices: what an event costs is paid a little at a time.
//!
//! A record is matched when it is staged, as long as the slice lasts. The records that come after are
//! matched by the next slices, in order; until then no command is decided that could see or change
//! what a wake waits for. So the state at a record's turn shows every waiter what it saw when the
//! record was staged.

use std::collections::VecDeque;

use heronry_journal::{Body, Record};
use heronry_types::Position;

use super::Engine;
use crate::decide::{AboutWakes, Command};

/// How many alternatives and wakes are come upon in one slice, unless something else is said; the last
/// record of a slice may come upon more.
pub const MATCHING_SLICE: usize = 2 * 1_024;
/// How many records a command may stage that are matched with it, whatever that costs; a command that
/// stages more waits while others are still to be matched.
pub const SMALL_BURDEN: usize = 16;
/// How many records may wait to be matched before no further command is decided.
const BEHIND_MAX: usize = 4_096;
/// How many slices may be left, by what records cost of late, before no further command is decided.
const SLICES_BEHIND_MAX: usize = 64;
/// How many records of the end of a journal may not have been matched when it ended: those that wait
/// before a command, those of the largest command, and the triggers of an append, with room to spare.
const UNMATCHED_MAX: u64 = 32 * 1_024;

/// Whether a record may be matched later than it is staged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Turn {
    /// It is matched at once: what stages it may change what waiters see.
    #[default]
    AtOnce,
    /// It waits for the next slice when this one is spent.
    Later,
}

/// The records that wait to be matched.
#[derive(Debug)]
pub(super) struct Matching {
    unmatched: VecDeque<Record>,
    slice: usize,
    slice_left: usize,
    /// How many records a command may stage that are matched with it, whatever that costs.
    small: usize,
    turn: Turn,
    /// How many alternatives and wakes were come upon in all.
    came_upon: u64,
    /// About how many are come upon for a record, of late.
    usual: usize,
    /// The last record that nobody stages while records wait to be matched.
    settled: Position,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            unmatched: VecDeque::new(),
            slice: MATCHING_SLICE,
            slice_left: MATCHING_SLICE,
            small: SMALL_BURDEN,
            turn: Turn::AtOnce,
            came_upon: 0,
            usual: 0,
            settled: Position::ZERO,
        }
    }
}

impl Engine {
    /// Says how many alternatives and wakes are come upon in one slice; in slices of less than
    /// [`SMALL_BURDEN`] smaller commands are matched later, too. No outcome depends on it.
    pub fn match_in_slices_of(&mut self, came_upon: usize) {
        let came_upon = came_upon.max(1);
        self.matching.slice = came_upon;
        self.matching.small = SMALL_BURDEN.min(came_upon.saturating_sub(1));
    }

    /// Returns true while records wait to be matched.
    pub fn is_behind(&self) -> bool {
        !self.matching.unmatched.is_empty()
    }

    /// Returns true when so many records wait to be matched that no command goes before them.
    pub fn is_far_behind(&self) -> bool {
        let Matching {
            unmatched,
            slice,
            usual,
            ..
        } = &self.matching;
        let left = unmatched.len().saturating_mul(*usual);
        unmatched.len() >= BEHIND_MAX || left > slice.saturating_mul(SLICES_BEHIND_MAX)
    }

    /// Returns true when the slice is spent, and begins the next one: others are to go on before that.
    pub fn ends_slice(&mut self) -> bool {
        let is_spent = self.matching.slice_left == 0;
        if is_spent {
            self.matching.slice_left = self.matching.slice;
        }
        is_spent
    }

    /// Returns how many alternatives and wakes were come upon for all records that were matched: the
    /// measure of what matching costs.
    pub fn came_upon(&self) -> u64 {
        self.matching.came_upon
    }

    /// Matches records that wait, for one slice.
    pub fn match_more(&mut self) {
        self.matching.slice_left = self.matching.slice;
        while self.matching.slice_left > 0
            && let Some(record) = self.matching.unmatched.pop_front()
        {
            self.match_now(&record);
        }
    }

    /// Returns when what a command stages may be matched: later when that is much. What may see or change
    /// what waiters see is decided when everything before it is matched; its owner lets it wait for that.
    pub(super) fn turn_of(&mut self, command: &impl Command) -> Turn {
        match command.about_wakes() {
            AboutWakes::Nothing if command.burden() > self.matching.small => Turn::Later,
            AboutWakes::Nothing => Turn::AtOnce,
            AboutWakes::Perhaps => {
                while self.is_behind() {
                    self.match_more();
                }
                Turn::AtOnce
            }
        }
    }

    /// Says whether what is staged from here on may be matched later; returns what held before.
    pub(super) fn take_turns(&mut self, turn: Turn) -> Turn {
        std::mem::replace(&mut self.matching.turn, turn)
    }

    /// Matches a record that is staged, or lets it wait.
    pub(super) fn match_staged(&mut self, record: &Record) {
        self.settle(record);
        if self.triggers.nobody_asks(record) {
            return;
        }
        let is_spent = self.matching.slice_left == 0 && self.matching.turn == Turn::Later;
        if is_spent || self.is_behind() {
            self.matching.unmatched.push_back(record.clone());
            let waiting = self.matching.unmatched.len() as u64;
            debug_assert!(waiting <= UNMATCHED_MAX, "a crash would forget some");
        } else {
            self.match_now(record);
        }
    }

    fn match_now(&mut self, record: &Record) {
        let came_upon = self.triggers.match_record(&self.state, record);
        let left = self.matching.slice_left;
        self.matching.slice_left = left.saturating_sub(came_upon);
        self.matching.came_upon += came_upon as u64;
        self.matching.usual = (self.matching.usual * 7 + came_upon) / 8;
    }

    /// Notes a record before which every other was matched when it was staged.
    pub(super) fn settle(&mut self, record: &Record) {
        if !is_settled(&record.entry.body) {
            return;
        }
        debug_assert!(!self.is_behind(), "what waiters see changes meanwhile");
        if !self.is_behind() {
            self.matching.settled = record.position;
        }
    }

    /// Returns from where on records may not have been matched when the journal ended; nothing when no
    /// wake waits.
    pub(super) fn perhaps_unmatched(&self) -> Option<Position> {
        let at_most = Position(self.state.head.0.saturating_sub(UNMATCHED_MAX));
        let waits = self.state.wakes.live() > 0;
        waits.then(|| self.matching.settled.max(at_most).max(self.state.floor))
    }
}

/// Whether a record is staged only while no other waits to be matched: what it says may change what
/// waiters see, or comes of time.
fn is_settled(body: &Body) -> bool {
    match body {
        Body::PoolCreated(_)
        | Body::PoolConfigured(_)
        | Body::RunLost(_)
        | Body::RunSuspended(_)
        | Body::DeadlockSuspected(_)
        | Body::WakeOrphaned(_)
        | Body::MemberJoined(_)
        | Body::MemberTakenOver(_)
        | Body::MemberChanged(_)
        | Body::MemberLeft(_)
        | Body::RunEnded(_)
        | Body::WakeRegistered(_)
        | Body::ConditionRegistered(_)
        | Body::WakeScanned(_)
        | Body::WakeTimedOut(_)
        | Body::WakeFailed(_)
        | Body::WakeCancelled(_) => true,
        // No engine stages the start of a timeline, and a late one says that it goes on at any time.
        Body::EpochStarted(_)
        | Body::PoolResumed(_)
        | Body::RunResumed(_)
        | Body::MessageAccepted(_)
        | Body::MessageDelivered(_)
        | Body::MessageFailed(_)
        | Body::MessageReplayed(_)
        | Body::MessageFetched(_)
        | Body::MessageAcked(_)
        | Body::MessageReleased(_)
        | Body::MessageExtended(_)
        | Body::MessageExpired(_)
        | Body::MessageCancelled(_)
        | Body::MessageSettled(_)
        | Body::MessageDeadLettered(_)
        | Body::MessageResponded(_)
        | Body::MessageTimedOut(_)
        | Body::MessageUnsatisfiable(_)
        | Body::WakeTriggered(_)
        | Body::EffectIntended(_)
        | Body::EffectAttempted(_)
        | Body::EffectCompleted(_)
        | Body::EffectResultRefused(_)
        | Body::ContentErased(_)
        | Body::ContentStored(_)
        | Body::ApplicationEvent(_) => false,
    }
}
