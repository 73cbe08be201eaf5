//! Tests of several texts at once: one of a set is among them, or none is.

use std::collections::BTreeSet;

use super::field::Text;

/// A test of a field that holds several texts.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum MembersTest {
    AnyOf(BTreeSet<Text>),
    NoneOf(BTreeSet<Text>),
}

impl MembersTest {
    pub(super) fn negated(self) -> Self {
        match self {
            Self::AnyOf(texts) => Self::NoneOf(texts),
            Self::NoneOf(texts) => Self::AnyOf(texts),
        }
    }

    /// Returns the texts that are looked for.
    pub(super) fn texts(&self) -> &BTreeSet<Text> {
        match self {
            Self::AnyOf(texts) | Self::NoneOf(texts) => texts,
        }
    }
}

/// Returns the fewest tests that say the same together; nothing when they contradict each other.
pub(super) fn conjoin(tests: Vec<MembersTest>) -> Option<Vec<MembersTest>> {
    let mut none = BTreeSet::new();
    let mut any = Vec::new();
    for test in tests {
        match test {
            MembersTest::AnyOf(wanted) => any.push(wanted),
            MembersTest::NoneOf(unwanted) => none.extend(unwanted),
        }
    }
    for texts in &mut any {
        texts.retain(|text| !none.contains(text));
    }
    if any.iter().any(BTreeSet::is_empty) {
        return None;
    }
    any.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let mut kept: Vec<BTreeSet<Text>> = Vec::new();
    for texts in any {
        if !kept.iter().any(|smaller| smaller.is_subset(&texts)) {
            kept.push(texts);
        }
    }
    let mut tests: Vec<_> = kept.into_iter().map(MembersTest::AnyOf).collect();
    if !none.is_empty() {
        tests.push(MembersTest::NoneOf(none));
    }
    tests.sort();
    Some(tests)
}
