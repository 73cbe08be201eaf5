//! One alternative of a filter, packed: a million of them wait in memory.

use std::num::NonZeroU32;

use super::{
    checks::{CheckId, Checks},
    conditions::Conditions,
    features::{FeatureId, Features},
    seen::SeenFeatures,
    slot,
};
use crate::Envelope;

/// An alternative of a filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TermId(NonZeroU32);

impl TermId {
    pub(super) fn at(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(slot(index)))
    }

    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The first of the words of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Word {
    /// The envelope has this feature.
    Has(FeatureId),
    /// The envelope has one of as many features, which follow.
    AnyOf(usize),
    /// The envelope has none of as many features, which follow.
    NoneOf(usize),
    /// The envelope passes this check.
    Check(CheckId),
}

impl Word {
    const NUMBER_BITS: u32 = 30;

    fn packed(self) -> u32 {
        let (tag, number) = match self {
            Self::Has(feature) => (0, feature.number()),
            Self::AnyOf(count) => (1, slot(count)),
            Self::NoneOf(count) => (2, slot(count)),
            Self::Check(check) => (3, check.number()),
        };
        tag << Self::NUMBER_BITS | number
    }

    fn unpacked(word: u32) -> Self {
        let number = word & ((1 << Self::NUMBER_BITS) - 1);
        match word >> Self::NUMBER_BITS {
            0 => Self::Has(FeatureId::from_number(number)),
            1 => Self::AnyOf(number as usize),
            2 => Self::NoneOf(number as usize),
            _ => Self::Check(CheckId::from_number(number)),
        }
    }
}

/// An alternative of the filter of a key.
#[derive(Clone)]
pub(super) struct IndexTerm<K> {
    pub(super) key: K,
    /// Another alternative of the same filter.
    pub(super) next: Option<TermId>,
    /// The number of features by which the term is found.
    found_by: u32,
    /// The round in which it was looked at last, when several features can find it.
    round: u32,
    /// The features that it is found by, sorted; its position in the list of each; the conditions
    /// that are left to ask.
    words: Box<[u32]>,
}

impl<K: Copy> IndexTerm<K> {
    /// Returns the key when the alternative keeps an envelope that has a feature by which it is found.
    /// An envelope may have many of them: it is looked at once a round.
    pub(super) fn look(
        &mut self,
        seen: &SeenFeatures,
        checks: &Checks,
        envelope: &Envelope,
    ) -> Option<K> {
        let is_again =
            self.found_by > 1 && std::mem::replace(&mut self.round, seen.round()) == seen.round();
        (!is_again && self.holds(seen, checks, envelope)).then_some(self.key)
    }
}

impl<K> IndexTerm<K> {
    /// Packs an alternative that stands at these positions in the lists that it is found by.
    pub(super) fn new(
        key: K,
        next: Option<TermId>,
        conditions: &Conditions,
        positions: &[u32],
    ) -> Self {
        let found_by = conditions.found_by();
        let mut words: Vec<u32> = numbers(found_by).chain(positions.iter().copied()).collect();
        let (any_of, none_of, checks) = conditions.rest();
        for set in any_of {
            match set.as_slice() {
                [feature] => words.push(Word::Has(*feature).packed()),
                set => {
                    words.push(Word::AnyOf(set.len()).packed());
                    words.extend(numbers(set));
                }
            }
        }
        if !none_of.is_empty() {
            words.push(Word::NoneOf(none_of.len()).packed());
            words.extend(numbers(none_of));
        }
        words.extend(checks.iter().map(|check| Word::Check(*check).packed()));
        Self {
            key,
            next,
            found_by: slot(found_by.len()),
            round: 0,
            words: words.into_boxed_slice(),
        }
    }

    fn parts(&self) -> (&[u32], &[u32], &[u32]) {
        let count = self.found_by as usize;
        let (features, rest) = self.words.split_at_checked(count).unwrap_or_default();
        let (positions, conditions) = rest.split_at_checked(count).unwrap_or_default();
        (features, positions, conditions)
    }

    /// Walks the features that the alternative is found by, with its position in the list of each.
    pub(super) fn found_by(&self) -> impl Iterator<Item = (FeatureId, u32)> {
        let (features, positions, _) = self.parts();
        let features = features.iter().copied().map(FeatureId::from_number);
        features.zip(positions.iter().copied())
    }

    /// Notes that the alternative moved in the list of a feature that it is found by.
    pub(super) fn set_position(&mut self, feature: FeatureId, position: u32) {
        let (features, _, _) = self.parts();
        let Ok(index) = features.binary_search(&feature.number()) else {
            return;
        };
        if let Some(word) = self.words.get_mut(self.found_by as usize + index) {
            *word = position;
        }
    }

    /// Forgets in which round the alternative was looked at.
    pub(super) fn forget_round(&mut self) {
        self.round = 0;
    }

    /// Returns true when an envelope that has a feature by which the alternative is found passes
    /// everything else.
    fn holds(&self, seen: &SeenFeatures, checks: &Checks, envelope: &Envelope) -> bool {
        let (_, _, conditions) = self.parts();
        let has = |word: &u32| seen.has(FeatureId::from_number(*word));
        walk(conditions, |word, set| match word {
            Word::Has(feature) => seen.has(feature),
            Word::AnyOf(_) => set.iter().any(has),
            Word::NoneOf(_) => !set.iter().any(has),
            Word::Check(check) => checks.hold(check, envelope),
        })
    }

    /// Lets go of everything that the alternative names.
    pub(super) fn release(&self, features: &mut Features, checks: &mut Checks) {
        let (found_by, _, conditions) = self.parts();
        let release_all = |features: &mut Features, set: &[u32]| {
            let ids = set.iter().copied().map(FeatureId::from_number);
            ids.for_each(|id| features.release(id));
        };
        release_all(features, found_by);
        walk(conditions, |word, set| {
            match word {
                Word::Has(feature) => features.release(feature),
                Word::AnyOf(_) | Word::NoneOf(_) => release_all(features, set),
                Word::Check(check) => checks.release(check),
            }
            true
        });
    }
}

fn numbers(features: &[FeatureId]) -> impl Iterator<Item = u32> {
    features.iter().map(|feature| feature.number())
}

/// Walks packed conditions, each with the features that follow it, while `visit` says so; returns
/// true when it came to the end.
fn walk(mut words: &[u32], mut visit: impl FnMut(Word, &[u32]) -> bool) -> bool {
    while let Some((first, rest)) = words.split_first() {
        let word = Word::unpacked(*first);
        let count = match word {
            Word::AnyOf(count) | Word::NoneOf(count) => count,
            Word::Has(_) | Word::Check(_) => 0,
        };
        let (set, rest) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        if !visit(word, set) {
            return false;
        }
        words = rest;
    }
    true
}
