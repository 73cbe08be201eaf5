//! The features that one envelope has, of those that filters name.

use super::features::{FeatureId, Features};
use crate::{Envelope, filter::features_of};

/// How many bits tell quickly which features an envelope lacks.
const BITS: u32 = 1_024;
/// The bit that is always set.
const ALWAYS: u32 = BITS - 1;

/// Up to three features of which an envelope must have one, by their bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard(u32);

impl Guard {
    /// How many features a guard can stand for.
    pub(super) const FEATURES_MAX: usize = 3;
    /// The guard that lets every envelope pass.
    pub(super) const NONE: Self = Self(ALWAYS);

    /// Returns the guard that wants one of these features.
    pub(super) fn of(features: &[FeatureId]) -> Self {
        let [one, other, third] = match features {
            [one] => [*one; 3],
            [one, other] => [*one, *other, *other],
            [one, other, third] => [*one, *other, *third],
            [] | [_, _, _, _, ..] => return Self::NONE,
        }
        .map(bit_of);
        Self(one | other << 10 | third << 20)
    }

    fn bits(self) -> [u32; 3] {
        [self.0, self.0 >> 10, self.0 >> 20].map(|bits| bits % BITS)
    }
}

fn bit_of(id: FeatureId) -> u32 {
    id.number() % ALWAYS
}

/// The features that an envelope has.
#[derive(Clone)]
pub(super) struct Seen {
    /// Rises with each envelope.
    round: u32,
    /// In which round each feature was seen last.
    last: Vec<u32>,
    features: Vec<FeatureId>,
    bits: [u64; (BITS / 64) as usize],
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            round: 0,
            last: Vec::new(),
            features: Vec::new(),
            bits: [0; (BITS / 64) as usize],
        }
    }
}

impl Seen {
    /// Makes room for this many features, so that looking takes none.
    pub(super) fn make_room(&mut self, slots: usize) {
        if self.last.len() < slots {
            self.last.resize(slots, 0);
        }
        self.features
            .reserve(slots.saturating_sub(self.features.len()));
    }

    /// Looks at an envelope, and forgets the one before.
    pub(super) fn look(&mut self, features: &Features, envelope: &Envelope) {
        if self.round == u32::MAX {
            self.last.fill(0);
            self.round = 0;
        }
        self.round += 1;
        self.features.clear();
        self.bits = [0; (BITS / 64) as usize];
        self.set_bit(ALWAYS);
        self.add(FeatureId::ALWAYS);
        let is_asked = |place| features.is_asked(place);
        features_of(envelope, is_asked, |feature| {
            if let Some(id) = features.find(feature) {
                self.add(id);
            }
        });
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

    fn set_bit(&mut self, bit: u32) {
        if let Some(word) = self.bits.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    fn has_bit(&self, bit: u32) -> bool {
        let word = self.bits.get((bit / 64) as usize).copied().unwrap_or(0);
        word >> (bit % 64) & 1 == 1
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
        let [one, other, third] = guard.bits().map(|bit| self.has_bit(bit));
        one | other | third
    }
}
