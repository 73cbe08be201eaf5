//! An append-only list in order of positions, dropped from the front.

use std::collections::VecDeque;

use heronry_types::Position;

/// The largest number of items in one segment. Growth never moves more than this.
const SEGMENT_ITEMS: usize = 1_024;

/// Something that begins at a position.
pub(crate) trait Placed {
    /// Returns the position at which the item begins.
    fn first(&self) -> Position;
}

/// Items in order of their first positions. Every segment holds at least one.
#[derive(Debug)]
pub(crate) struct Segments<T> {
    segments: VecDeque<Vec<T>>,
}

impl<T: Placed> Segments<T> {
    pub(crate) fn new() -> Self {
        Self {
            segments: VecDeque::new(),
        }
    }

    /// Adds an item, which begins after every other.
    pub(crate) fn push(&mut self, item: T) {
        debug_assert!(
            self.last().is_none_or(|last| last.first() < item.first()),
            "items come in order"
        );
        match self.segments.back_mut() {
            Some(open) if open.len() < SEGMENT_ITEMS => open.push(item),
            Some(_) | None => {
                let mut segment = Vec::with_capacity(SEGMENT_ITEMS);
                segment.push(item);
                self.segments.push_back(segment);
            }
        }
    }

    /// Returns the last item.
    pub(crate) fn last(&self) -> Option<&T> {
        self.segments.back().and_then(|segment| segment.last())
    }

    /// Walks the items from the last one that begins at or before `position`.
    pub(crate) fn from(&self, position: Position) -> impl Iterator<Item = &T> {
        let segment = self
            .segments
            .partition_point(|segment| begins_by(segment.first(), position))
            .saturating_sub(1);
        let item = self.segments.get(segment).map_or(0, |segment| {
            segment
                .partition_point(|item| item.first() <= position)
                .saturating_sub(1)
        });
        let parts = self.segments.range(segment.min(self.segments.len())..);
        parts.flatten().skip(item)
    }

    /// Returns the last item that begins at or before `position`.
    pub(crate) fn last_by_mut(&mut self, position: Position) -> Option<&mut T> {
        let segments = self
            .segments
            .partition_point(|segment| begins_by(segment.first(), position));
        let segment = self.segments.get_mut(segments.checked_sub(1)?)?;
        let items = segment.partition_point(|item| item.first() <= position);
        segment.get_mut(items.checked_sub(1)?)
    }

    /// Drops items from the front as long as `drops` says so, but never the last one.
    pub(crate) fn drop_front(&mut self, drops: impl Fn(&T) -> bool) {
        while self.segments.len() > 1 && self.front_ends(&drops) {
            self.segments.pop_front();
        }
        let only = self.segments.len() == 1;
        if let Some(front) = self.segments.front_mut() {
            let most = front.len() - usize::from(only);
            let dropped = front.iter().take(most).take_while(|item| drops(item));
            let count = dropped.count();
            front.drain(..count);
        }
    }

    fn front_ends(&self, drops: &impl Fn(&T) -> bool) -> bool {
        self.segments
            .front()
            .and_then(|segment| segment.last())
            .is_none_or(drops)
    }
}

fn begins_by<T: Placed>(item: Option<&T>, position: Position) -> bool {
    item.is_some_and(|item| item.first() <= position)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Placed for u64 {
        fn first(&self) -> Position {
            Position(*self)
        }
    }

    /// Items 10, 20, 30, … over several segments.
    fn tens(count: u64) -> Segments<u64> {
        let mut segments = Segments::new();
        (1..=count).for_each(|n| segments.push(n * 10));
        segments
    }

    fn check(segments: &Segments<u64>, position: u64, expected: u64) {
        let found = segments.from(Position(position)).next().copied();
        assert_eq!(found, Some(expected), "from {position}");
    }

    #[test]
    fn a_walk_begins_at_the_last_item_at_or_before_the_position() {
        let segments = tens(5_000);
        check(&segments, 10, 10);
        check(&segments, 19, 10);
        check(&segments, 20, 20);
        check(&segments, 10_240, 10_240);
        check(&segments, 10_249, 10_240);
        check(&segments, 10_250, 10_250);
        check(&segments, 60_000, 50_000);
        assert_eq!(segments.from(Position(0)).count(), 5_000);
        assert_eq!(tens(0).from(Position(1)).count(), 0);
    }

    #[test]
    fn the_last_item_at_or_before_a_position_can_be_changed() {
        let mut segments = tens(5_000);
        for (position, expected) in [(9, None), (10, Some(10)), (10_249, Some(10_240))] {
            let found = segments.last_by_mut(Position(position)).copied();
            assert_eq!(found, expected, "at {position}");
        }
        assert_eq!(tens(0).last_by_mut(Position(1)), None);
    }

    #[test]
    fn the_front_is_dropped_across_segments_but_the_last_item_stays() {
        for keep_from in [10, 20, 10_240, 10_250, 49_990, 50_000, 90_000] {
            let mut segments = tens(5_000);
            segments.drop_front(|item| *item < keep_from);
            let first = segments.from(Position(0)).next().copied();
            assert_eq!(first, Some(keep_from.min(50_000)));
            assert_eq!(segments.last(), Some(&50_000));
            segments.push(60_000);
            assert_eq!(segments.last(), Some(&60_000));
        }
    }
}
