//! The features that one envelope has, of those that filters name.

use super::features::{FeatureId, Features};
use crate::{Envelope, filter::features_of};

/// The number of 64-bit words whose bits tell quickly which features an envelope lacks.
const WORDS: usize = 128;
/// The bit that is always set, the last one.
const ALWAYS: u16 = 8_191;

/// The features that an envelope must have to be worth a closer look, by their bits: one of two and
/// one of two others, or one of four. A guard stands beside each alternative in a list, so that
/// most of the list is passed over without looking elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard([u16; 4]);

impl Guard {
    /// Marks the first bit when one of all four is enough.
    const ONE_OF_FOUR: u16 = 1 << 15;

    /// Returns the guard of sets of which an envelope must have one feature each.
    pub(super) fn of(sets: &[Vec<FeatureId>]) -> Self {
        let mut pairs = sets.iter().filter_map(|set| match set.as_slice() {
            [one] => Some([bit_of(*one), bit_of(*one)]),
            [one, other] => Some([bit_of(*one), bit_of(*other)]),
            [] | [_, _, _, ..] => None,
        });
        let Some([one, other]) = pairs.next() else {
            return Self::of_many(sets);
        };
        let [third, fourth] = pairs.next().unwrap_or([ALWAYS; 2]);
        Self([one, other, third, fourth])
    }

    fn of_many(sets: &[Vec<FeatureId>]) -> Self {
        let mut fours = sets.iter().filter_map(|set| match set.as_slice() {
            [one, other, third] => Some([*one, *other, *third, *third]),
            [one, other, third, fourth] => Some([*one, *other, *third, *fourth]),
            [] | [_] | [_, _] | [_, _, _, _, _, ..] => None,
        });
        let Some(four) = fours.next() else {
            return Self([ALWAYS; 4]);
        };
        let [one, other, third, fourth] = four.map(bit_of);
        Self([one | Self::ONE_OF_FOUR, other, third, fourth])
    }
}

fn bit_of(id: FeatureId) -> u16 {
    u16::try_from(id.number() % u32::from(ALWAYS)).unwrap_or(ALWAYS)
}

/// The place of a round in the count of rounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Round {
    /// The count starts again: what was kept of an earlier round says nothing any more.
    First,
    /// The round follows the one before.
    Next,
}

/// The features that an envelope has.
#[derive(Clone)]
pub(super) struct SeenFeatures {
    /// The number of the round; it rises with each envelope.
    round: u32,
    /// The number of the round in which each feature was seen last.
    last: Vec<u32>,
    features: Vec<FeatureId>,
    bits: [u64; WORDS],
}

impl Default for SeenFeatures {
    fn default() -> Self {
        Self {
            round: 0,
            last: Vec::new(),
            features: Vec::new(),
            bits: [0; WORDS],
        }
    }
}

impl SeenFeatures {
    /// Makes room for this many features, so that looking takes none.
    pub(super) fn make_room(&mut self, slots: usize) {
        if self.last.len() < slots {
            self.last.resize(slots, 0);
        }
        self.features
            .reserve(slots.saturating_sub(self.features.len()));
    }

    /// Looks at an envelope, and forgets the one before.
    pub(super) fn look(&mut self, features: &Features, envelope: &Envelope) -> Round {
        if self.round == u32::MAX {
            self.last.fill(0);
            self.round = 0;
        }
        self.round += 1;
        self.features.clear();
        self.bits = [0; WORDS];
        self.set_bit(ALWAYS);
        self.add(FeatureId::ALWAYS);
        let is_asked = |place| features.is_asked(place);
        features_of(envelope, is_asked, |feature| {
            if let Some(id) = features.find(feature) {
                self.add(id);
            }
        });
        if self.round == 1 {
            Round::First
        } else {
            Round::Next
        }
    }

    /// Returns the number of the envelope's round, never 0.
    pub(super) fn round(&self) -> u32 {
        self.round
    }

    fn add(&mut self, id: FeatureId) {
        let Some(last) = self.last.get_mut(id.index()) else {
            return;
        };
        if *last != self.round {
            *last = self.round;
            self.features.push(id);
            self.set_bit(bit_of(id));
        }
    }

    fn set_bit(&mut self, bit: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(bit) / 64 % WORDS) {
            *word |= 1 << (bit % 64);
        }
    }

    fn has_bit(&self, bit: u16) -> bool {
        let word = self.bits.get(usize::from(bit) / 64 % WORDS);
        word.is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Returns the features, each once.
    pub(super) fn features(&self) -> &[FeatureId] {
        &self.features
    }

    /// Returns true when the envelope has a feature.
    pub(super) fn has(&self, id: FeatureId) -> bool {
        self.has_bit(bit_of(id)) && self.last.get(id.index()) == Some(&self.round)
    }

    /// Returns false when the envelope certainly lacks what the guard wants.
    pub(super) fn may_pass(&self, guard: Guard) -> bool {
        let Guard([one, other, third, fourth]) = guard;
        let first = self.has_bit(one) | self.has_bit(other);
        let is_one_of_four = one & Guard::ONE_OF_FOUR != 0;
        // Once the first pair has decided, which it mostly has, the second one is not looked at.
        if first == is_one_of_four {
            return first;
        }
        self.has_bit(third) | self.has_bit(fourth)
    }
}
