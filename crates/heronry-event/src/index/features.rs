//! The features that filters name, each kept once, and the alternatives that are found by them.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{seen::Guard, slot, slots::Slots, term::TermId};
use crate::filter::{Feature, FeatureField};

/// A feature that filters name.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct FeatureId(u32);

impl FeatureId {
    /// The feature that every envelope has. It is there from the start and stays.
    pub(super) const ALWAYS: Self = Self(0);

    pub(super) fn from_number(number: u32) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// An alternative in the list of a feature that it is found by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) term: TermId,
    pub(super) guard: Guard,
}

/// A feature, with the number of its mentions and the alternatives that are found by it.
#[derive(Clone)]
struct KeptFeature {
    feature: Feature<Box<str>>,
    mentions: u32,
    postings: Vec<Posting>,
}

/// The features that filters name. A feature goes when nobody names it any more, and its id is
/// used again.
#[derive(Clone)]
pub(super) struct Features {
    ids: HashTable<FeatureId>,
    kept: Slots<KeptFeature>,
    /// The largest number of ids that were ever in use at once.
    slots: usize,
    /// The number of mentions of features, for each place.
    mentions: [u32; FeatureField::COUNT],
    hasher: DefaultHashBuilder,
}

impl Default for Features {
    fn default() -> Self {
        let mut features = Self {
            ids: HashTable::new(),
            kept: Slots::default(),
            slots: 0,
            mentions: [0; FeatureField::COUNT],
            hasher: DefaultHashBuilder::default(),
        };
        let always = features.name(Feature::Always);
        debug_assert_eq!(always, FeatureId::ALWAYS, "the first id is the smallest");
        features
    }
}

impl Features {
    /// Returns the id of a feature, which is named once more until it is [released](Self::release).
    pub(super) fn name(&mut self, feature: Feature<&str>) -> FeatureId {
        let place = feature.place().number();
        if let Some(mentions) = self.mentions.get_mut(place) {
            *mentions += 1;
        }
        if let Some(id) = self.find(feature) {
            if let Some(kept) = self.kept.get_mut(id.index()) {
                kept.mentions += 1;
            }
            return id;
        }
        let id = FeatureId(slot(self.kept.insert(KeptFeature {
            feature: feature.map(|text| Box::from(*text)),
            mentions: 1,
            postings: Vec::new(),
        })));
        self.slots = self.slots.max(id.index() + 1);
        let (hasher, kept) = (&self.hasher, &self.kept);
        let hash_of = |id: &FeatureId| texts(kept, *id).map_or(0, |known| hasher.hash_one(known));
        self.ids
            .insert_unique(hasher.hash_one(feature), id, hash_of);
        id
    }

    /// Names the feature that every envelope has.
    pub(super) fn name_always(&mut self) -> FeatureId {
        self.name(Feature::Always)
    }

    /// Returns the id of a feature that filters name.
    pub(super) fn find(&self, feature: Feature<&str>) -> Option<FeatureId> {
        let is_same = |id: &FeatureId| texts(&self.kept, *id) == Some(feature);
        let found = self.ids.find(self.hasher.hash_one(feature), is_same);
        found.copied()
    }

    /// Takes one mention back.
    pub(super) fn release(&mut self, id: FeatureId) {
        let Some(kept) = self.kept.get_mut(id.index()) else {
            return;
        };
        kept.mentions -= 1;
        if let Some(mentions) = self.mentions.get_mut(kept.feature.place().number()) {
            *mentions -= 1;
        }
        if kept.mentions == 0 {
            let hash = self.hasher.hash_one(kept.feature.map(|text| &**text));
            if let Ok(entry) = self.ids.find_entry(hash, |other| *other == id) {
                entry.remove();
            }
            self.kept.remove(id.index());
        }
    }

    /// Returns true when some filter names a feature in this place.
    pub(super) fn is_asked(&self, place: FeatureField) -> bool {
        self.mentions.get(place.number()).is_some_and(|n| *n > 0)
    }

    /// Returns the expected likelihood that an event has a feature, from 0 to 1: the mentions of the feature
    /// over those of all features in its place, with the texts that are expected there added to them.
    pub(super) fn likelihood(&self, id: FeatureId) -> f64 {
        let Some(kept) = self.kept.get(id.index()) else {
            return 0.0;
        };
        let place = kept.feature.place();
        let in_place = self.mentions.get(place.number()).copied().unwrap_or(0);
        f64::from(kept.mentions) / (f64::from(in_place) + f64::from(place.variety()))
    }

    /// Returns the number of slots that ids can point to.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Returns the alternatives that are found by a feature.
    pub(super) fn postings(&self, id: FeatureId) -> &[Posting] {
        self.kept.get(id.index()).map_or(&[], |kept| &kept.postings)
    }

    /// Adds an alternative to the list of a feature, and returns its position there.
    pub(super) fn post(&mut self, id: FeatureId, posting: Posting) -> u32 {
        let Some(kept) = self.kept.get_mut(id.index()) else {
            return 0;
        };
        if kept.postings.is_empty() {
            // Many features are named by one filter alone.
            kept.postings.reserve_exact(1);
        }
        kept.postings.push(posting);
        slot(kept.postings.len() - 1)
    }

    /// Takes the alternative at a position out of the list of a feature, and returns the one that
    /// stands there now.
    pub(super) fn unpost(&mut self, id: FeatureId, position: u32) -> Option<TermId> {
        let postings = &mut self.kept.get_mut(id.index())?.postings;
        postings.swap_remove(position as usize);
        if postings.len() < postings.capacity() / 4 {
            postings.shrink_to(postings.capacity() / 2);
        }
        postings.get(position as usize).map(|moved| moved.term)
    }
}

fn texts(kept: &Slots<KeptFeature>, id: FeatureId) -> Option<Feature<&str>> {
    let kept = kept.get(id.index())?;
    Some(kept.feature.map(|text| &**text))
}
