//! Matching in slices: what an event costs is paid a little at a time.
//!
//! A record is matched when it is staged, as long as the slice lasts. What is left of it, and the records
//! that come after, are matched by the next slices, in order; until then no command is decided that could
//! see or change what a wake waits for. So the state at a record's turn shows every waiter what it saw when
//! the record was staged.
//!
//! Earlier records are matched again in the same way when a pool is opened ([`History`]).

use std::collections::VecDeque;

use heronry_journal::Record;
use heronry_types::Position;

use crate::{
    command::{AboutWakes, Profile, SMALL_BURDEN},
    engine::{
        Engine,
        history::{History, NextRecord},
        triggers::Which,
    },
};

/// The number of alternatives, filters and wakes that are come upon in one slice, unless something else
/// is said. The alternatives that one record comes near, or the filters of one wake, may be more.
pub const MATCHING_SLICE: usize = 512;
/// The highest number of records waiting to be matched at which commands wait until wakes and members
/// whose time is over are decided.
const LITTLE: usize = 128;
/// The number of records that may wait to be matched before no further command is decided.
const BEHIND_MAX: usize = 4_096;
/// The highest number of records at the end of a journal that may not have been matched when it ended:
/// those that wait before a command, those of the largest command, and the triggers of an append, with
/// room to spare.
const UNMATCHED_MAX: u64 = 32 * 1_024;
/// The highest number of records that an append may add to those, of small commands and of triggers.
const UNMATCHED_MORE_MAX: u64 = 4 * 1_024;
/// The number of records of small commands that are staged while others wait to be matched, before those
/// have to be matched for each further one.
const AHEAD_MAX: i64 = 256;
/// The number of records that have to be matched for one that goes before them, each time that it is to
/// be matched itself: so what waits becomes less, whatever goes before it.
const AHEAD_COST: i64 = 2;
/// The part of a slice that a record takes when it is matched again, beside what it comes upon.
const READ_COST: usize = 4;

/// The turn of a record to be matched: when it is staged, or later.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum MatchTurn {
    /// It is matched at once: what stages it may change what waiters see.
    #[default]
    AtOnce,
    /// It is begun at once, and what is left when the slice is spent waits for the next one. It goes before
    /// commands that wait for that, so there is a limit to how many do.
    Ahead,
    /// It waits for the next slice when this one is spent.
    Later,
}

/// The records that wait to be matched.
#[derive(Debug)]
pub(super) struct Matching {
    /// Those that were staged, after one that is being matched.
    unmatched: VecDeque<Record>,
    /// Those that are matched again since the pool was opened.
    history: Option<History>,
    slice: usize,
    slice_left: usize,
    turn: MatchTurn,
    /// The number of alternatives, filters and wakes that were come upon in all.
    came_upon: u64,
    /// The records that may still be staged before those that wait, counted in records to match for it.
    /// A command may take more than is left; what it takes too much is matched before the next one.
    ahead_credit: i64,
    /// The last record that nobody stages while records wait to be matched.
    settled: Position,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            unmatched: VecDeque::new(),
            history: None,
            slice: MATCHING_SLICE,
            slice_left: MATCHING_SLICE,
            turn: MatchTurn::AtOnce,
            came_upon: 0,
            ahead_credit: AHEAD_COST * AHEAD_MAX,
            settled: Position::ZERO,
        }
    }
}

impl Matching {
    pub(super) fn settled(&self) -> Position {
        self.settled
    }

    pub(super) fn set_settled(&mut self, settled: Position) {
        self.settled = settled;
    }
}

impl Engine {
    /// Says how many alternatives, filters and wakes are come upon in one slice; in slices of less than
    /// [`SMALL_BURDEN`] small commands are matched later, too. No outcome depends on it.
    pub fn match_in_slices_of(&mut self, came_upon: usize) {
        self.matching.slice = came_upon.max(1);
    }

    /// Returns true while records wait to be matched.
    pub fn is_behind(&self) -> bool {
        self.has_unmatched() || self.matching.history.is_some()
    }

    /// Returns true while a record that was staged is not matched for all wakes that one event ends.
    fn has_unmatched(&self) -> bool {
        self.triggers.is_matching() || !self.matching.unmatched.is_empty()
    }

    /// Returns true when no command goes before the records that wait to be matched: they are very many,
    /// or as many commands went before them as may.
    pub fn is_far_behind(&self) -> bool {
        let head = self.state.head.0;
        // A crash would forget some.
        let is_full = self.matched_through().is_some_and(|through| {
            head.saturating_sub(through.0) + UNMATCHED_MORE_MAX > UNMATCHED_MAX
        });
        let are_many = self.matching.unmatched.len() >= BEHIND_MAX;
        is_full || are_many || self.is_behind() && self.matching.ahead_credit <= 0
    }

    /// Returns the last record up to which every one is matched for all wakes that one event ends; nothing
    /// when all are. The others lose nothing: what counts for them is counted from their registration on.
    fn matched_through(&self) -> Option<Position> {
        let again = self.matching.history.as_ref();
        let again = again.filter(|history| history.which() == Which::OfOneEvent);
        let being_matched = self.triggers.being_matched();
        let waiting = self.matching.unmatched.front().map(|it| it.position);
        let staged = being_matched.or(waiting).map(Position::previous);
        again.map(History::through).into_iter().chain(staged).min()
    }

    /// Returns the oldest record that is still to be matched, for whichever wakes, or whose triggers are still to
    /// be recorded.
    pub(super) fn unmatched_from(&self) -> Option<Position> {
        let again = self.matching.history.as_ref();
        let again = again.map(|history| history.first_through().next());
        let staged = self.matched_through().map(Position::next);
        [again, staged, self.triggers.oldest_decided()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Returns true when so few records wait to be matched that what is due may wait for them, and commands
    /// for that.
    pub(super) fn is_little_behind(&self) -> bool {
        self.matching.history.is_none() && self.matching.unmatched.len() <= LITTLE
    }

    /// Returns true when the slice is spent, and begins the next one: others are to go on before that.
    pub fn ends_slice(&mut self) -> bool {
        let is_spent = self.matching.slice_left == 0;
        if is_spent {
            self.matching.slice_left = self.matching.slice;
        }
        is_spent
    }

    /// Returns how many alternatives, filters and wakes were come upon for all records that were matched:
    /// the measure of what matching costs.
    pub fn came_upon(&self) -> u64 {
        self.matching.came_upon
    }

    /// Returns the record after which the journal has to be read, for records that are matched again since
    /// the pool was opened; nothing while none is needed.
    pub fn reads_after(&self) -> Option<Position> {
        let history = self.matching.history.as_ref()?;
        history.reads_after(self.state.head)
    }

    /// Takes in the records of the journal that [`reads_after`](Self::reads_after) asks for, in order.
    pub fn put_read(&mut self, records: Vec<Record>) {
        if let Some(history) = &mut self.matching.history {
            history.put(records);
        }
    }

    /// Matches records that wait, for one slice.
    pub fn match_more(&mut self) {
        self.matching.slice_left = self.matching.slice;
        while self.matching.slice_left > 0 && self.match_next() {}
    }

    /// Matches some of what waits; returns false when nothing does, or when the journal has to be read.
    fn match_next(&mut self) -> bool {
        if self.triggers.is_matching() {
            self.go_on(self.matching.slice_left);
            return true;
        }
        if let Some(record) = self.matching.unmatched.pop_front() {
            // Those that come again are matched for it only then.
            self.matching.ahead_credit += i64::from(self.matching.history.is_none());
            self.begin_to_match(&record, self.which_is_staged());
            self.go_on(self.matching.slice_left);
            return true;
        }
        let Some(history) = &mut self.matching.history else {
            self.matching.ahead_credit = AHEAD_COST * AHEAD_MAX;
            return false;
        };
        match history.next(self.state.head) {
            NextRecord::Record(record, which) => {
                self.matching.ahead_credit += 1;
                self.spend(READ_COST);
                self.begin_to_match(&record, which);
                self.go_on(self.matching.slice_left);
                true
            }
            NextRecord::Unread => false,
            NextRecord::Nothing => {
                self.matching.history = None;
                true
            }
        }
    }

    /// For which wakes a record is matched that is staged: for the others it is when it comes again.
    fn which_is_staged(&self) -> Which {
        let history = self.matching.history.as_ref();
        history.map_or(Which::All, |_| Which::OfOneEvent)
    }

    fn begin_to_match(&mut self, record: &Record, which: Which) {
        let came_upon = self.triggers.begin(&self.state, record, which);
        self.matching.came_upon += came_upon as u64;
        self.spend(came_upon);
    }

    fn go_on(&mut self, at_most: usize) {
        let came_upon = self.triggers.go_on(&self.state, at_most);
        self.matching.came_upon += came_upon as u64;
        self.spend(came_upon);
    }

    fn spend(&mut self, came_upon: usize) {
        let left = self.matching.slice_left;
        self.matching.slice_left = left.saturating_sub(came_upon);
    }

    /// Returns when what a command stages may be matched. What may see or change what waiters see is
    /// decided when everything before it is matched; its owner lets it wait for that.
    pub(super) fn turn_of(&mut self, profile: &Profile<'_>) -> MatchTurn {
        match profile.about_wakes {
            AboutWakes::Nothing if profile.burden > SMALL_BURDEN => MatchTurn::Later,
            AboutWakes::Nothing => MatchTurn::Ahead,
            AboutWakes::Perhaps => {
                debug_assert_eq!(self.reads_after(), None, "the journal is to be read before");
                while self.is_behind() && self.reads_after().is_none() {
                    self.match_more();
                }
                MatchTurn::AtOnce
            }
        }
    }

    /// Says whether what is staged from here on may be matched later; returns what held before.
    pub(super) fn take_turns(&mut self, turn: MatchTurn) -> MatchTurn {
        std::mem::replace(&mut self.matching.turn, turn)
    }

    /// Matches a record that is staged, or lets it wait.
    pub(super) fn match_staged(&mut self, record: &Record) {
        self.settle(record);
        if self.matching.turn == MatchTurn::Ahead && self.is_behind() {
            let history = self.matching.history.as_ref();
            self.matching.ahead_credit -= AHEAD_COST * history.map_or(1, History::parts_left);
        }
        if let Some(history) = &mut self.matching.history {
            history.keep(record);
            if history.which() == Which::OfOneEvent {
                return;
            }
        }
        if self.triggers.nobody_asks(record) {
            return;
        }
        let may_wait = match self.matching.turn {
            MatchTurn::AtOnce => false,
            MatchTurn::Ahead => self.matching.slice < SMALL_BURDEN,
            MatchTurn::Later => true,
        };
        if may_wait && self.matching.slice_left == 0 || self.has_unmatched() {
            self.matching.unmatched.push_back(record.clone());
            let waiting = self.matching.unmatched.len() as u64;
            debug_assert!(waiting <= UNMATCHED_MAX, "a crash would forget some");
            return;
        }
        self.begin_to_match(record, self.which_is_staged());
        let left = self.matching.slice_left;
        self.go_on(if self.matching.turn == MatchTurn::AtOnce {
            usize::MAX
        } else {
            left
        });
    }

    /// Lets go of what is kept of records that the journal shows.
    pub(super) fn shown(&mut self, until: Position) {
        if let Some(history) = &mut self.matching.history {
            history.shown(until);
        }
    }

    /// Says that the journal is replayed: what may be to match again is, a slice at a time.
    pub(super) fn match_again(&mut self) {
        // A trim goes past nothing that is still to be matched.
        let trimmed = self.state.floor.previous();
        let unmatched_after = self.unfinished().map(|from| from.previous().max(trimmed));
        let counted_after = self.triggers.counts_since();
        let unmatched_after = unmatched_after.filter(|_| !self.triggers.none_of_one_event());
        self.matching.history = History::new(unmatched_after, counted_after);
    }

    /// Notes a record before which every other was matched when it was staged.
    pub(super) fn settle(&mut self, record: &Record) {
        if !record.entry.body.changes_waiters() {
            return;
        }
        debug_assert!(!self.is_behind(), "what waiters see changes meanwhile");
        if !self.is_behind() {
            self.matching.settled = record.position;
        }
    }

    /// Returns true when this append has to hold the next trigger: what it says was matched includes the
    /// event, which is not matched again when the pool is opened.
    pub(super) fn owes_trigger(&self) -> bool {
        self.triggers.owe_before(&self.state, self.matching.settled)
    }

    /// Returns true while events before the last settled record are matched again because a recorded trigger
    /// says that more may follow. The next trigger ends that, so a crash after it would forget those of them
    /// that are not matched by then.
    pub(super) fn is_finishing(&self) -> bool {
        let settled = self.matching.settled;
        let more_follow = self.state.wakes.unfinished;
        let history = self.matching.history.as_ref();
        more_follow.is_some_and(|from| from < settled)
            && history.is_some_and(|history| !history.is_past(settled))
    }

    /// Returns from where on records may not have been matched when the journal ended; nothing when no
    /// wake waits.
    pub(super) fn perhaps_unmatched(&self) -> Option<Position> {
        let at_most = Position(self.state.head.0.saturating_sub(UNMATCHED_MAX));
        let waits = self.state.wakes.live() > 0;
        waits.then(|| self.matching.settled.max(at_most).max(self.state.floor))
    }
}
