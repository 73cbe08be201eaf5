//! Tests of related entities: one lies in a region of kinds and ids, or none does.

use std::collections::{BTreeMap, BTreeSet};

use heronry_types::{EntityKind, EntityRef};

use super::{feature::Feature, field::Text};

/// Kinds and ids that are looked for together; nothing stands for any.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Pattern {
    pub(super) kinds: Option<BTreeSet<EntityKind>>,
    pub(super) ids: Option<BTreeSet<Text>>,
}

impl Pattern {
    /// Returns the pattern of the entities that lie in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            kinds: both(self.kinds.as_ref(), other.kinds.as_ref()),
            ids: both(self.ids.as_ref(), other.ids.as_ref()),
        }
    }
}

fn both<T: Clone + Ord>(
    one: Option<&BTreeSet<T>>,
    other: Option<&BTreeSet<T>>,
) -> Option<BTreeSet<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one & other),
        (Some(only), None) | (None, Some(only)) => Some(only.clone()),
        (None, None) => None,
    }
}

/// A union of patterns, in the one form that it has.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Region {
    /// Kinds with any id.
    kinds: BTreeSet<EntityKind>,
    /// Ids of any kind.
    ids: BTreeSet<Text>,
    /// Ids of one kind, none of which is covered above.
    pairs: BTreeMap<EntityKind, BTreeSet<Text>>,
}

impl Region {
    /// Returns the union of patterns. A pattern without kinds and ids adds nothing.
    pub(super) fn of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let mut region = Self::default();
        for pattern in patterns {
            match (pattern.kinds, pattern.ids) {
                (Some(kinds), None) => region.kinds.extend(kinds),
                (None, Some(ids)) => region.ids.extend(ids),
                (Some(kinds), Some(ids)) => {
                    let pairs = kinds.into_iter().map(|kind| (kind, ids.clone()));
                    region.add_pairs(pairs);
                }
                (None, None) => {}
            }
        }
        region.tidy();
        region
    }

    fn tidy(&mut self) {
        let Self { kinds, ids, pairs } = self;
        pairs.retain(|kind, of_kind| {
            of_kind.retain(|id| !ids.contains(id));
            !kinds.contains(kind) && !of_kind.is_empty()
        });
    }

    fn add(&mut self, other: Self) {
        self.kinds.extend(other.kinds);
        self.ids.extend(other.ids);
        self.add_pairs(other.pairs);
        self.tidy();
    }

    fn add_pairs(&mut self, pairs: impl IntoIterator<Item = (EntityKind, BTreeSet<Text>)>) {
        for (kind, ids) in pairs {
            self.pairs.entry(kind).or_default().extend(ids);
        }
    }

    /// Takes out whole kinds, whole ids and pairs that lie in `other`.
    fn remove(&mut self, other: &Self) {
        self.kinds.retain(|kind| !other.kinds.contains(kind));
        self.ids.retain(|id| !other.ids.contains(id));
        self.pairs.retain(|kind, ids| {
            ids.retain(|id| !other.holds(*kind, id));
            !ids.is_empty()
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.ids.is_empty() && self.pairs.is_empty()
    }

    fn is_within(&self, other: &Self) -> bool {
        self.kinds.is_subset(&other.kinds)
            && self.ids.is_subset(&other.ids)
            && self
                .pairs
                .iter()
                .all(|(kind, ids)| ids.iter().all(|id| other.holds(*kind, id)))
    }

    fn holds(&self, kind: EntityKind, id: &str) -> bool {
        self.kinds.contains(&kind)
            || self.ids.contains(id)
            || self.pairs.get(&kind).is_some_and(|ids| ids.contains(id))
    }

    fn size(&self) -> usize {
        let pairs: usize = self.pairs.values().map(|ids| 1 + ids.len()).sum();
        1 + self.kinds.len() + self.ids.len() + pairs
    }

    /// Walks the features of which an envelope has one when it has something in the region.
    pub(super) fn features(&self) -> impl Iterator<Item = Feature<&str>> {
        let kinds = self.kinds.iter().map(|kind| Feature::RelatedKind(*kind));
        let ids = self.ids.iter().map(|id| Feature::RelatedId(&**id));
        let pairs = self.pairs.iter();
        let pairs =
            pairs.flat_map(|(kind, ids)| ids.iter().map(|id| Feature::Related(*kind, &**id)));
        kinds.chain(ids).chain(pairs)
    }

    /// Returns patterns that make up the region, kinds with equal ids together.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let mut by_ids: BTreeMap<&BTreeSet<Text>, BTreeSet<EntityKind>> = BTreeMap::new();
        for (kind, ids) in &self.pairs {
            by_ids.entry(ids).or_default().insert(*kind);
        }
        let pairs = by_ids.into_iter().map(|(ids, kinds)| Pattern {
            kinds: Some(kinds),
            ids: Some(ids.clone()),
        });
        let kinds = (!self.kinds.is_empty()).then(|| Pattern {
            kinds: Some(self.kinds.clone()),
            ids: None,
        });
        let ids = (!self.ids.is_empty()).then(|| Pattern {
            kinds: None,
            ids: Some(self.ids.clone()),
        });
        kinds.into_iter().chain(ids).chain(pairs).collect()
    }
}

/// A test of the related entities.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum RelatedTest {
    AnyIn(Region),
    NoneIn(Region),
}

impl RelatedTest {
    pub(super) fn holds(&self, related: &[EntityRef]) -> bool {
        let found = |region: &Region| related.iter().any(|r| region.holds(r.kind, r.id.as_str()));
        match self {
            Self::AnyIn(region) => found(region),
            Self::NoneIn(region) => !found(region),
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::AnyIn(region) => Self::NoneIn(region),
            Self::NoneIn(region) => Self::AnyIn(region),
        }
    }

    /// Returns the size of the test in kinds and ids, as a measure of work.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::AnyIn(region) | Self::NoneIn(region) => region.size(),
        }
    }
}

/// Returns the fewest tests that say the same together; nothing when they contradict each other.
pub(super) fn conjoin(tests: Vec<RelatedTest>) -> Option<Vec<RelatedTest>> {
    let mut none = Region::default();
    let mut any = Vec::new();
    for test in tests {
        match test {
            RelatedTest::AnyIn(region) => any.push(region),
            RelatedTest::NoneIn(region) => none.add(region),
        }
    }
    for region in &mut any {
        region.remove(&none);
    }
    if any.iter().any(Region::is_empty) {
        return None;
    }
    any.sort();
    any.dedup();
    let mut tests: Vec<_> = any
        .iter()
        .filter(|region| !any.iter().any(|r| r != *region && r.is_within(region)))
        .cloned()
        .map(RelatedTest::AnyIn)
        .collect();
    if !none.is_empty() {
        tests.push(RelatedTest::NoneIn(none));
    }
    Some(tests)
}
