//! The timelines of a journal: which epoch each position is of.

use crate::{Cursor, Epoch, Position};

/// The timelines of a journal, in order: each goes on from the one before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Timelines {
    first: Epoch,
    /// The later timelines, each with the position of its first record, the one that starts it.
    later: Vec<TimelineStart>,
}

/// The start of a timeline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimelineStart {
    /// The position of its first record.
    pub at: Position,
    /// The epoch that names it.
    pub epoch: Epoch,
}

/// A cursor that no point of a journal has: its timeline is unknown, or the journal left it before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cursor is of another journal; use one that this pool gave")]
#[non_exhaustive]
pub struct ForeignCursor {
    /// The last valid cursor of that timeline, when it is one that the journal left.
    pub diverged_at: Option<Cursor>,
}

impl Timelines {
    /// Returns the timelines of a journal that begins with this epoch.
    pub fn of(first: Epoch) -> Self {
        Self {
            first,
            later: Vec::new(),
        }
    }

    /// Returns the timelines with these starts, as [`iter`](Self::iter) walks them. `None` when there is none, when
    /// they are out of order, or when one starts a second time.
    pub fn from_starts(starts: impl IntoIterator<Item = TimelineStart>) -> Option<Self> {
        let mut starts = starts.into_iter();
        let first = starts.next().filter(|it| it.at == Position::ZERO.next())?;
        let mut timelines = Self::of(first.epoch);
        let mut last = first.at;
        for TimelineStart { at, epoch } in starts {
            if at <= last || timelines.knows(epoch) {
                return None;
            }
            timelines.start(at, epoch);
            last = at;
        }
        Some(timelines)
    }

    /// Adds the timeline that starts with the record at a position. An epoch that is known starts
    /// no second time.
    pub fn start(&mut self, at: Position, epoch: Epoch) {
        if !self.knows(epoch) {
            self.later.push(TimelineStart { at, epoch });
        }
    }

    /// Returns true when a timeline is one of these.
    pub fn knows(&self, epoch: Epoch) -> bool {
        self.iter().any(|known| known.epoch == epoch)
    }

    /// Returns the newest timeline.
    pub fn newest(&self) -> Epoch {
        self.later.last().map_or(self.first, |last| last.epoch)
    }

    /// Returns the position of the first of the timeline starts that end a journal with this head;
    /// nothing when the journal ends with another record.
    pub fn starts_at_end(&self, head: Position) -> Option<Position> {
        let ends = (0..=head.0).rev().map(Position);
        let starts = self.later.iter().rev().map(|start| start.at);
        let at_end = starts.zip(ends).take_while(|(start, end)| start == end);
        at_end.last().map(|(start, _)| start)
    }

    /// Returns the timeline that a position is of.
    pub fn at(&self, position: Position) -> Epoch {
        let started = self.later.partition_point(|start| start.at <= position);
        let last = started.checked_sub(1).and_then(|last| self.later.get(last));
        last.map_or(self.first, |last| last.epoch)
    }

    /// Returns the cursor at a position, with the epoch of the record that stands there.
    pub fn cursor(&self, position: Position) -> Cursor {
        Cursor::new(self.at(position), position)
    }

    /// Walks the starts of the timelines, in order.
    pub fn iter(&self) -> impl Iterator<Item = TimelineStart> + '_ {
        let first = TimelineStart {
            at: Position::ZERO.next(),
            epoch: self.first,
        };
        std::iter::once(first).chain(self.later.iter().copied())
    }

    /// Checks that a cursor is of one of these timelines, and not past the point where the next
    /// one left it.
    ///
    /// # Errors
    /// [`ForeignCursor`], with the last valid cursor of that timeline if there is one.
    pub fn check(&self, requested: Cursor) -> Result<(), ForeignCursor> {
        let mut following = self
            .iter()
            .skip_while(|known| known.epoch != requested.epoch);
        let known = following.next().is_some();
        let diverged_at = following
            .next()
            .map(|next| Cursor::new(requested.epoch, next.at.previous()));
        match diverged_at {
            None if known => Ok(()),
            Some(last) if requested.position <= last.position => Ok(()),
            diverged_at => Err(ForeignCursor { diverged_at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Epoch = Epoch([0xa; 16]);
    const B: Epoch = Epoch([0xb; 16]);
    const C: Epoch = Epoch([0xc; 16]);

    /// A until 9, B from 10 to 14, C from 15 on.
    fn three() -> Timelines {
        let mut timelines = Timelines::of(A);
        timelines.start(Position(10), B);
        timelines.start(Position(15), C);
        timelines.start(Position(20), A);
        timelines
    }

    #[test]
    fn a_position_is_of_the_timeline_that_started_last_before_it() {
        let mut timelines = three();
        for (position, epoch) in [(0, A), (9, A), (10, B), (14, B), (15, C), (99, C)] {
            assert_eq!(timelines.at(Position(position)), epoch, "{position}");
        }
        assert_eq!(timelines.newest(), C);
        assert_eq!(timelines.starts_at_end(Position(15)), Some(Position(15)));
        assert_eq!(timelines.starts_at_end(Position(16)), None);
        timelines.start(Position(16), Epoch([0xd; 16]));
        assert_eq!(timelines.starts_at_end(Position(16)), Some(Position(15)));
        assert_eq!(Timelines::of(A).starts_at_end(Position(1)), None);
    }

    #[test]
    fn timelines_are_made_of_their_starts_and_of_nothing_else() {
        let starts: Vec<_> = three().iter().collect();
        assert_eq!(Timelines::from_starts(starts.clone()), Some(three()));
        assert_eq!(Timelines::from_starts([]), None);
        assert_eq!(Timelines::from_starts(starts[1..].to_vec()), None);
        let reversed = [starts[0], starts[2], starts[1]];
        assert_eq!(Timelines::from_starts(reversed), None);
        let mut doubled = starts;
        doubled[2].epoch = A;
        assert_eq!(Timelines::from_starts(doubled), None);
    }

    fn check(epoch: Epoch, position: u64, expected: Result<(), Option<u64>>) {
        let requested = Cursor::new(epoch, Position(position));
        let expected = expected.map_err(|at| ForeignCursor {
            diverged_at: at.map(|at| Cursor::new(epoch, Position(at))),
        });
        assert_eq!(three().check(requested), expected, "{requested}");
    }

    #[test]
    fn a_cursor_is_valid_up_to_where_the_next_timeline_started() {
        check(A, 0, Ok(()));
        check(A, 9, Ok(()));
        check(A, 10, Err(Some(9)));
        check(B, 9, Ok(()));
        check(B, 14, Ok(()));
        check(B, 15, Err(Some(14)));
        check(C, 1_000, Ok(()));
        check(Epoch([0xd; 16]), 1, Err(None));
    }
}
