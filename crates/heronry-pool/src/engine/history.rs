//! Records that are matched again after a pool was opened: those of the journal, in order, for wakes
//! that still wait.
//!
//! First those that may not have been matched when the journal ended, for the wakes that one event ends.
//! Then those since the first wake that waits for which what came before counts, or since the image that the
//! pool was opened from, which has what counted up to it: that is counted again, however often the pool is
//! opened. Nothing of it is held in memory but a few records: the others are read from the journal.
//!
//! They are matched with the view that holds now. A run that sees the events now has seen them since it
//! began to wait: nothing widens what a member holds, and who leaves waits no more.

use std::collections::VecDeque;

use heronry_journal::Record;
use heronry_types::Position;

use crate::engine::triggers::Which;

/// A part of the records that are matched again: the wakes for which, and the progress.
#[derive(Clone, Copy, Debug)]
struct HistoryPart {
    which: Which,
    /// The last record that is matched.
    through: Position,
}

/// The records that are matched again.
#[derive(Debug)]
pub(super) struct History {
    part: HistoryPart,
    /// After which record events are counted when the first part is matched; nothing when none are.
    counted_after: Option<Position>,
    /// Records that were read, after the last one that is matched.
    read: VecDeque<Record>,
    /// Records that were staged since, up to the head: the journal may not show them yet.
    recent: VecDeque<Record>,
}

/// The next of the records that are matched again.
#[derive(Debug)]
pub(super) enum NextRecord {
    /// This record, for these wakes.
    Record(Box<Record>, Which),
    /// A record that has to be read.
    Unread,
    /// No record: everything is matched.
    Nothing,
}

impl History {
    /// Returns what is matched again after these positions; nothing when nothing is to be.
    pub(super) fn new(
        unmatched_after: Option<Position>,
        counted_after: Option<Position>,
    ) -> Option<Self> {
        let which = unmatched_after.map_or(Which::OfCounts, |_| Which::OfOneEvent);
        let through = unmatched_after.or(counted_after)?;
        Some(Self {
            part: HistoryPart { which, through },
            counted_after,
            read: VecDeque::new(),
            recent: VecDeque::new(),
        })
    }

    /// Returns for which wakes records are matched again now.
    pub(super) fn which(&self) -> Which {
        self.part.which
    }

    /// Returns true when every record before this one is matched again, for all wakes.
    pub(super) fn is_past(&self, position: Position) -> bool {
        let is_last = self.part.which == Which::OfCounts || self.counted_after.is_none();
        is_last && self.part.through >= position
    }

    /// Returns the last record that is matched for these.
    pub(super) fn through(&self) -> Position {
        self.part.through
    }

    /// Returns in how many parts a record that is staged now is matched again.
    pub(super) fn parts_left(&self) -> i64 {
        1 + i64::from(self.counted_after.is_some() && self.part.which == Which::OfOneEvent)
    }

    /// Keeps a record that is staged.
    pub(super) fn keep(&mut self, record: &Record) {
        self.recent.push_back(record.clone());
    }

    /// Lets go of the records that the journal shows.
    pub(super) fn shown(&mut self, until: Position) {
        let shown = self
            .recent
            .partition_point(|record| record.position <= until);
        self.recent.drain(..shown);
    }

    /// Returns the record after which the next ones have to be read; nothing while they are here.
    pub(super) fn reads_after(&self, head: Position) -> Option<Position> {
        let next = self.part.through.next();
        let first_recent = self.recent.front().map(|record| record.position);
        let is_here = !self.read.is_empty() || first_recent.is_some_and(|first| first <= next);
        (next <= head && !is_here).then_some(self.part.through)
    }

    /// Returns the record after which the first of those stands that are still matched again, in either part.
    pub(super) fn first_through(&self) -> Position {
        let counted = self.counted_after;
        counted.map_or(self.part.through, |it| it.min(self.part.through))
    }

    /// Takes in records that were read; those that do not follow are left out.
    pub(super) fn put(&mut self, records: Vec<Record>) {
        let last = self.read.back().map(|record| record.position);
        let mut last = last.unwrap_or(self.part.through);
        for record in records {
            if record.position == last.next() {
                last = record.position;
                self.read.push_back(record);
            }
        }
    }

    /// Takes the next record.
    pub(super) fn next(&mut self, head: Position) -> NextRecord {
        if self.part.through >= head && !self.begins_to_count() {
            return NextRecord::Nothing;
        }
        let next = self.part.through.next();
        if next > head {
            return NextRecord::Nothing;
        }
        let Some(record) = self.read.pop_front().or_else(|| self.recent_at(next)) else {
            return NextRecord::Unread;
        };
        self.part.through = record.position;
        NextRecord::Record(Box::new(record), self.part.which)
    }

    fn recent_at(&self, position: Position) -> Option<Record> {
        let first = self.recent.front()?.position;
        let index = position.0.checked_sub(first.0)?;
        self.recent.get(usize::try_from(index).ok()?).cloned()
    }

    /// Begins the second part; returns false when there is none.
    fn begins_to_count(&mut self) -> bool {
        let Some(through) = self
            .counted_after
            .take_if(|_| self.part.which == Which::OfOneEvent)
        else {
            return false;
        };
        let which = Which::OfCounts;
        self.part = HistoryPart { which, through };
        self.read.clear();
        true
    }
}
