//! The order in which a source says its events: what comes late.

use std::collections::{HashSet, VecDeque};

use heronry_types::{SOURCE_WINDOW, SourcePosition};

/// The order of the numbers that a source has said since its bridge was attached.
#[derive(Debug, Default)]
pub(super) struct SourceOrder {
    /// The number of the last event that had been taken when the bridge was attached.
    before: Option<u64>,
    highest: Option<u64>,
    recent: VecDeque<u64>,
    known: HashSet<u64>,
}

impl SourceOrder {
    pub(super) fn after(before: Option<u64>) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// Notes the place of an event, and returns true when it comes after a later one and is no repeat: it can not
    /// be taken any more.
    pub(super) fn is_late(&mut self, position: &SourcePosition) -> bool {
        let is_late = self.would_be_late(position);
        if let SourcePosition::Number(number) = position {
            self.note(*number);
            self.highest = self.highest.max(Some(*number));
        }
        is_late
    }

    /// Returns true when an event at this place would come late.
    pub(super) fn would_be_late(&self, position: &SourcePosition) -> bool {
        let SourcePosition::Number(number) = position else {
            return false;
        };
        let is_back = self.highest.is_some_and(|highest| *number < highest);
        let was_taken_before = self.before.is_some_and(|before| *number <= before);
        is_back && !self.known.contains(number) && !was_taken_before
    }

    /// Notes a number among the latest that were said.
    fn note(&mut self, number: u64) {
        if !self.known.insert(number) {
            return;
        }
        self.recent.push_back(number);
        if self.recent.len() > SOURCE_WINDOW
            && let Some(oldest) = self.recent.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_late_when_it_is_new_and_stands_before_one_that_was_said() {
        let mut order = SourceOrder::after(Some(3));
        let mut late = |number| order.is_late(&SourcePosition::Number(number));
        let said = [2, 3, 5, 4, 4, 5, 6, 1];
        let found: Vec<u64> = said.into_iter().filter(|number| late(*number)).collect();
        assert_eq!(found, [4]);
    }
}
