//! Positions in order: most are added behind all others, and taken from the front.

use std::collections::VecDeque;

use heronry_types::Position;

/// The highest number of positions in a part.
const PART: usize = 128;

/// Positions in order, each once.
///
/// Adding one behind all others writes into one place, whatever there is before it. Taking one out, and
/// adding one in between, moves what follows in its part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    /// Parts that were filled, none of them empty; all before the last one.
    parts: VecDeque<Vec<Position>>,
    last: Vec<Position>,
    len: usize,
}

impl Positions {
    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Walks them in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        self.parts.iter().flatten().chain(&self.last).copied()
    }

    /// Adds one, unless it is there.
    pub(crate) fn insert(&mut self, position: Position) {
        if self.is_behind_all(position) {
            self.push(position);
            return;
        }
        let index = self.part_of(position);
        let part = self.parts.get_mut(index).unwrap_or(&mut self.last);
        let Err(at) = part.binary_search(&position) else {
            return;
        };
        part.insert(at, position);
        self.len += 1;
        if part.len() > PART {
            let upper = part.split_off(PART / 2);
            if index < self.parts.len() {
                self.parts.insert(index + 1, upper);
            } else {
                let lower = std::mem::replace(&mut self.last, upper);
                self.parts.push_back(lower);
            }
        }
    }

    fn is_behind_all(&self, position: Position) -> bool {
        let last = self.last.last();
        let last = last.or_else(|| self.parts.back().and_then(|part| part.last()));
        last.is_none_or(|last| *last < position)
    }

    fn push(&mut self, position: Position) {
        if self.last.len() >= PART {
            let next = Vec::with_capacity(PART);
            self.parts
                .push_back(std::mem::replace(&mut self.last, next));
        }
        self.last.push(position);
        self.len += 1;
    }

    /// Takes one out; returns false when it is not there.
    pub(crate) fn remove(&mut self, position: Position) -> bool {
        let index = self.part_of(position);
        let part = self.parts.get_mut(index).unwrap_or(&mut self.last);
        let Ok(at) = part.binary_search(&position) else {
            return false;
        };
        part.remove(at);
        self.len -= 1;
        if part.is_empty() {
            // The last part has no index: it stays, and has room.
            self.parts.remove(index);
        }
        true
    }

    /// Returns the index of the part where a position stands or would; the last one comes after all.
    fn part_of(&self, position: Position) -> usize {
        let ends_before = |part: &Vec<Position>| part.last().is_some_and(|last| *last < position);
        // Most are taken from the front.
        if self.parts.front().is_none_or(|front| !ends_before(front)) {
            return 0;
        }
        self.parts.partition_point(ends_before)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Does the same to both, and compares what they hold.
    fn check(steps: impl Iterator<Item = (u64, u64)>) {
        let (mut positions, mut expected) = (Positions::default(), BTreeSet::new());
        for (what, number) in steps {
            let position = Position(number);
            if what == 0 {
                assert_eq!(positions.remove(position), expected.remove(&position));
            } else {
                positions.insert(position);
                expected.insert(position);
            }
            assert_eq!(positions.len(), expected.len());
        }
        assert!(positions.iter().eq(expected.iter().copied()));
        assert!(positions.parts.iter().all(|part| !part.is_empty()));
        assert!(positions.parts.iter().all(|part| part.len() <= PART));
    }

    #[test]
    fn what_comes_in_order_goes_in_order() {
        let in_order = |what| (1..=1_000).map(move |number| (what, number));
        check(in_order(1));
        check(in_order(1).chain(in_order(0)));
        check(in_order(1).chain((1..=1_000).rev().map(|number| (0, number))));
        check(in_order(1).chain((1..=990).map(|number| (0, number))));
    }

    #[test]
    fn whatever_comes_is_held_as_by_a_set() {
        for (range, removals) in [(50, 2), (700, 2), (5_000, 4), (5_000, 1_000)] {
            // A sequence that looks random and is the same every time.
            let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
            let steps = std::iter::repeat_with(|| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((seed >> 33) % removals, (seed >> 40) % range)
            });
            check(steps.take(20_000));
        }
    }
}
