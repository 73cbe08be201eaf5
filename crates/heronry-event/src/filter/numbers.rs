//! Tests of one number: sets and bounds, and what follows from several at once.

use std::collections::BTreeSet;

/// A test of one number.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum NumberTest {
    In(BTreeSet<i64>),
    NotIn(BTreeSet<i64>),
    /// Above the smallest value that the field can have.
    AtLeast(i64),
    /// Below the largest value that the field can have.
    AtMost(i64),
}

impl NumberTest {
    pub(super) fn holds(&self, value: i64) -> bool {
        match self {
            Self::In(values) => values.contains(&value),
            Self::NotIn(values) => !values.contains(&value),
            Self::AtLeast(low) => value >= *low,
            Self::AtMost(high) => value <= *high,
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::In(values) => Self::NotIn(values),
            Self::NotIn(values) => Self::In(values),
            Self::AtLeast(low) => Self::AtMost(low.saturating_sub(1)),
            Self::AtMost(high) => Self::AtLeast(high.saturating_add(1)),
        }
    }

    /// Returns the size of the test in values, as a measure of work.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::In(values) | Self::NotIn(values) => 1 + values.len(),
            Self::AtLeast(_) | Self::AtMost(_) => 1,
        }
    }
}

/// The conjunction of several tests of the same number.
struct Together {
    low: i64,
    high: i64,
    only: Option<BTreeSet<i64>>,
    never: BTreeSet<i64>,
}

impl Together {
    fn add(&mut self, test: NumberTest) {
        match test {
            NumberTest::In(values) => match &mut self.only {
                Some(only) => only.retain(|value| values.contains(value)),
                None => self.only = Some(values),
            },
            NumberTest::NotIn(values) => self.never.extend(values),
            NumberTest::AtLeast(low) => self.low = self.low.max(low),
            NumberTest::AtMost(high) => self.high = self.high.min(high),
        }
    }

    /// Moves the bounds inwards past values that are ruled out one by one.
    fn tighten(&mut self) {
        while self.low <= self.high && self.never.contains(&self.low) {
            self.low = self.low.saturating_add(1);
        }
        while self.low <= self.high && self.never.contains(&self.high) {
            self.high = self.high.saturating_sub(1);
        }
        let (low, high) = (self.low, self.high);
        self.never.retain(|value| (low..=high).contains(value));
    }
}

/// Returns the fewest tests that say the same together; nothing when they contradict each other.
pub(super) fn conjoin(tests: Vec<NumberTest>, domain: (i64, i64)) -> Option<Vec<NumberTest>> {
    let mut together = Together {
        low: domain.0,
        high: domain.1,
        only: None,
        never: BTreeSet::new(),
    };
    for test in tests {
        together.add(test);
    }
    if let Some(mut only) = together.only.take() {
        let range = together.low..=together.high;
        only.retain(|value| range.contains(value) && !together.never.contains(value));
        return (!only.is_empty()).then(|| vec![NumberTest::In(only)]);
    }
    together.tighten();
    let Together {
        low, high, never, ..
    } = together;
    if low > high {
        return None;
    }
    if low == high {
        return Some(vec![NumberTest::In(BTreeSet::from([low]))]);
    }
    let mut tests = Vec::new();
    if !never.is_empty() {
        tests.push(NumberTest::NotIn(never));
    }
    if low > domain.0 {
        tests.push(NumberTest::AtLeast(low));
    }
    if high < domain.1 {
        tests.push(NumberTest::AtMost(high));
    }
    Some(tests)
}
