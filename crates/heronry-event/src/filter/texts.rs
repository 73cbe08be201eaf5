//! Tests of one text: sets and prefixes, and what follows from several at once.

use std::collections::BTreeSet;

use super::field::Text;

/// A set of texts, and possibly "absent". Only correlations and labels tell absent from empty.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Values {
    pub(super) absent: Presence,
    pub(super) texts: BTreeSet<Text>,
}

/// The membership of "absent" in a set.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Presence {
    #[default]
    Excluded,
    Included,
}

impl Values {
    pub(super) fn of(texts: impl IntoIterator<Item = Text>) -> Self {
        Self {
            absent: Presence::Excluded,
            texts: texts.into_iter().collect(),
        }
    }

    pub(super) fn absent() -> Self {
        Self {
            absent: Presence::Included,
            texts: BTreeSet::new(),
        }
    }

    pub(super) fn with_absent(mut self) -> Self {
        self.absent = Presence::Included;
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.absent == Presence::Excluded && self.texts.is_empty()
    }

    pub(super) fn holds_absent(&self) -> bool {
        self.absent == Presence::Included
    }

    pub(super) fn contains(&self, value: Option<&str>) -> bool {
        value.map_or(self.holds_absent(), |text| self.texts.contains(text))
    }

    fn is_within(&self, other: &Self) -> bool {
        self.absent <= other.absent && self.texts.is_subset(&other.texts)
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        !(self.holds_absent() && other.holds_absent()) && self.texts.is_disjoint(&other.texts)
    }

    fn retain(&mut self, keep: impl Fn(Option<&str>) -> bool) {
        if self.holds_absent() && !keep(None) {
            self.absent = Presence::Excluded;
        }
        self.texts.retain(|text| keep(Some(text)));
    }

    fn add(&mut self, other: Self) {
        self.absent = self.absent.max(other.absent);
        self.texts.extend(other.texts);
    }
}

/// A test of one text that may be absent.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum TextTest {
    In(Values),
    NotIn(Values),
    Prefix(Text),
    NotPrefix(Text),
}

impl TextTest {
    pub(super) fn holds(&self, value: Option<&str>) -> bool {
        match self {
            Self::In(values) => values.contains(value),
            Self::NotIn(values) => !values.contains(value),
            Self::Prefix(prefix) => value.is_some_and(|text| text.starts_with(&**prefix)),
            Self::NotPrefix(prefix) => !value.is_some_and(|text| text.starts_with(&**prefix)),
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::In(values) => Self::NotIn(values),
            Self::NotIn(values) => Self::In(values),
            Self::Prefix(prefix) => Self::NotPrefix(prefix),
            Self::NotPrefix(prefix) => Self::Prefix(prefix),
        }
    }

    /// Returns whether another test of the same text holds whenever this one does; nothing where that is more
    /// than a comparison of two sets.
    pub(super) fn implies(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::In(one), Self::In(other)) => Some(one.is_within(other)),
            (Self::In(one), Self::NotIn(other)) => Some(one.is_apart_from(other)),
            (Self::NotIn(one), Self::NotIn(other)) => Some(other.is_within(one)),
            (Self::NotIn(_), Self::In(_)) => Some(false),
            (Self::In(_) | Self::NotIn(_) | Self::Prefix(_) | Self::NotPrefix(_), _) => None,
        }
    }

    /// Returns the size of the test in texts, as a measure of work.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::In(values) | Self::NotIn(values) => 1 + values.texts.len(),
            Self::Prefix(_) | Self::NotPrefix(_) => 1,
        }
    }
}

/// The conjunction of several tests of the same text.
#[derive(Default)]
struct Together {
    only: Option<Values>,
    never: Values,
    starts: Option<Text>,
    never_starts: BTreeSet<Text>,
}

impl Together {
    /// Adds a test; returns nothing when it contradicts an earlier one by itself.
    fn add(&mut self, test: TextTest) -> Option<()> {
        match test {
            TextTest::In(values) => {
                if let Some(only) = &mut self.only {
                    only.retain(|value| values.contains(value));
                } else {
                    self.only = Some(values);
                }
            }
            TextTest::NotIn(values) => self.never.add(values),
            TextTest::NotPrefix(prefix) => {
                self.never_starts.insert(prefix);
            }
            TextTest::Prefix(prefix) => match &self.starts {
                Some(longer) if longer.starts_with(&*prefix) => {}
                Some(shorter) if !prefix.starts_with(&**shorter) => return None,
                Some(_) | None => self.starts = Some(prefix),
            },
        }
        Some(())
    }

    fn starts_well(&self, value: Option<&str>) -> bool {
        let starts = self.starts.as_ref();
        starts.is_none_or(|prefix| value.is_some_and(|text| text.starts_with(&**prefix)))
            && !self.is_barred(value)
    }

    fn is_barred(&self, value: Option<&str>) -> bool {
        let mut barred = self.never_starts.iter();
        barred.any(|prefix| value.is_some_and(|text| text.starts_with(&**prefix)))
    }

    /// Keeps the barred prefixes that say something; nothing when all that may be is barred.
    fn bar(&mut self) -> Option<()> {
        let mut shortest: Option<Text> = None;
        self.never_starts.retain(|prefix| {
            let covered = shortest.as_ref().is_some_and(|s| prefix.starts_with(&**s));
            if !covered {
                shortest = Some(Text::clone(prefix));
            }
            !covered
        });
        if let Some(starts) = &self.starts {
            if self.is_barred(Some(starts)) {
                return None;
            }
            self.never_starts.retain(|p| p.starts_with(&**starts));
        }
        Some(())
    }

    fn into_tests(mut self) -> Option<Vec<TextTest>> {
        if let Some(mut only) = self.only.take() {
            only.retain(|value| self.starts_well(value) && !self.never.contains(value));
            return (!only.is_empty()).then(|| vec![TextTest::In(only)]);
        }
        self.bar()?;
        let mut never = std::mem::take(&mut self.never);
        never.retain(|value| self.starts_well(value));
        let mut tests = Vec::new();
        if !never.is_empty() {
            tests.push(TextTest::NotIn(never));
        }
        tests.extend(self.starts.map(TextTest::Prefix));
        tests.extend(self.never_starts.into_iter().map(TextTest::NotPrefix));
        Some(tests)
    }
}

/// Returns the fewest tests that say the same together; nothing when they contradict each other.
pub(super) fn conjoin(tests: Vec<TextTest>) -> Option<Vec<TextTest>> {
    let mut together = Together::default();
    for test in tests {
        together.add(test)?;
    }
    together.into_tests()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set of two texts and "absent".
    fn sets() -> Vec<Values> {
        let texts = [vec![], vec!["a"], vec!["b"], vec!["a", "b"]];
        let sets = texts.map(|texts| Values::of(texts.into_iter().map(Text::from)));
        let with_absent = sets.clone().map(Values::with_absent);
        sets.into_iter().chain(with_absent).collect()
    }

    #[test]
    fn what_one_test_implies_is_what_its_opposite_contradicts() {
        let tests = sets().into_iter();
        let tests = tests.flat_map(|set| [TextTest::In(set.clone()), TextTest::NotIn(set)]);
        // One that never holds is never a premise.
        let tests: Vec<_> = tests
            .filter(|test| conjoin(vec![test.clone()]).is_some())
            .collect();
        let mut implied = 0;
        for one in &tests {
            for other in &tests {
                let against = conjoin(vec![one.clone(), other.clone().negated()]);
                assert_eq!(
                    one.implies(other),
                    Some(against.is_none()),
                    "{one:?} and {other:?}"
                );
                implied += usize::from(against.is_none());
            }
        }
        assert!(implied > tests.len(), "{implied} of {}", tests.len());
    }
}
