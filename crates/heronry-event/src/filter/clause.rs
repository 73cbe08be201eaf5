//! The questions of a filter to an envelope, as an index needs them: sets of features, and checks.

use super::{
    Filter,
    feature::Feature,
    field::{MembersField, TextField},
    literal::{Literal, Sign, TextPlace},
    members::MembersTest,
    related::RelatedTest,
    texts::{TextTest, Values},
};
use crate::Envelope;

/// One condition of an alternative; the alternative holds when all of its conditions do.
#[derive(Debug)]
pub(crate) enum Clause<'f> {
    /// The envelope has at least one of these features.
    AnyOf(Vec<Feature<&'f str>>),
    /// The envelope has none of these features.
    NoneOf(Vec<Feature<&'f str>>),
    /// The envelope passes a check that is not about features.
    Check(Check),
}

/// A comparison that features cannot express: a range, a prefix, or a key that may be missing.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Check(Literal);

impl Check {
    /// Returns true when the envelope passes. Touches no heap.
    pub(crate) fn holds(&self, envelope: &Envelope) -> bool {
        self.0.holds(envelope)
    }
}

/// The cost of a check: it looks at the envelope, where a value is only looked up.
const CHECK_COST: usize = 4;
/// The further cost of an alternative that is looked at for every event.
const UNNAMED_COST: usize = 16;

impl Filter {
    /// Returns the number of values that an event is compared with at the worst; at least 1.
    pub(super) fn cost_per_event(&self) -> usize {
        let alternatives = self.alternatives().map(|alternative| cost_of(&alternative));
        alternatives.sum::<usize>().max(1)
    }

    /// Walks the alternatives of the normal form, each with its clauses.
    pub(crate) fn alternatives(&self) -> impl Iterator<Item = Vec<Clause<'_>>> {
        let terms = self.compiled.terms.iter();
        terms.map(|term| term.iter().flat_map(clauses).collect())
    }
}

fn cost_of(alternative: &[Clause<'_>]) -> usize {
    let named = alternative
        .iter()
        .any(|clause| matches!(clause, Clause::AnyOf(_)));
    let costs = alternative.iter().map(|clause| match clause {
        Clause::AnyOf(set) | Clause::NoneOf(set) => set.len(),
        Clause::Check(_) => CHECK_COST,
    });
    costs.sum::<usize>() + if named { 0 } else { UNNAMED_COST }
}

fn clauses(literal: &Literal) -> Vec<Clause<'_>> {
    let clause = match literal {
        Literal::Terminal(Sign::Plus) => Clause::AnyOf(vec![Feature::Terminal]),
        Literal::Terminal(Sign::Minus) => Clause::NoneOf(vec![Feature::Terminal]),
        Literal::Text(TextPlace::Field(field), test) => field_clause(*field, test, literal),
        Literal::Text(TextPlace::Correlation(key), test) => {
            return correlation_clauses(key, test, literal);
        }
        Literal::Members(field, MembersTest::AnyOf(texts)) => {
            Clause::AnyOf(texts.iter().map(|text| member(*field, text)).collect())
        }
        Literal::Members(field, MembersTest::NoneOf(texts)) => {
            Clause::NoneOf(texts.iter().map(|text| member(*field, text)).collect())
        }
        Literal::Related(RelatedTest::AnyIn(region)) => Clause::AnyOf(region.features().collect()),
        Literal::Related(RelatedTest::NoneIn(region)) => {
            Clause::NoneOf(region.features().collect())
        }
        // Few events have labels, and few filters ask for one: they are compared one by one.
        Literal::Text(TextPlace::Label(_), _) | Literal::Number(..) => {
            Clause::Check(Check(literal.clone()))
        }
    };
    vec![clause]
}

fn member(field: MembersField, text: &str) -> Feature<&str> {
    match field {
        MembersField::Recipients => Feature::Recipient(text),
        MembersField::Tags => Feature::Tag(text),
    }
}

/// Absent is the empty text here, so a set says all by its texts.
fn field_clause<'f>(field: TextField, test: &'f TextTest, literal: &Literal) -> Clause<'f> {
    let one_of = |values: &'f Values| {
        let texts = values.texts.iter();
        texts.map(|text| Feature::Text(field, &**text)).collect()
    };
    match test {
        TextTest::In(values) => Clause::AnyOf(one_of(values)),
        TextTest::NotIn(values) => Clause::NoneOf(one_of(values)),
        TextTest::Prefix(prefix) => starting_with(field, prefix)
            .map_or_else(|| Clause::Check(Check(literal.clone())), Clause::AnyOf),
        TextTest::NotPrefix(prefix) => starting_with(field, prefix)
            .map_or_else(|| Clause::Check(Check(literal.clone())), Clause::NoneOf),
    }
}

/// Returns the texts that a field can have, absent included, and that start so; nothing when the
/// field has no vocabulary.
fn starting_with(field: TextField, prefix: &str) -> Option<Vec<Feature<&'static str>>> {
    let texts = field.vocabulary()?.into_iter().chain([""]);
    let texts = texts.filter(|text| text.starts_with(prefix));
    Some(texts.map(|text| Feature::Text(field, text)).collect())
}

fn correlation_clauses<'f>(key: &'f str, test: &'f TextTest, literal: &Literal) -> Vec<Clause<'f>> {
    let one_of = |values: &'f Values| {
        let texts = values.texts.iter();
        texts.map(|text| Feature::Correlation(key, text)).collect()
    };
    let has_key = || vec![Feature::CorrelationKey(key)];
    match test {
        TextTest::In(values) if !values.holds_absent() => vec![Clause::AnyOf(one_of(values))],
        TextTest::In(values) if values.texts.is_empty() => vec![Clause::NoneOf(has_key())],
        TextTest::NotIn(values) if !values.holds_absent() => vec![Clause::NoneOf(one_of(values))],
        TextTest::NotIn(values) => {
            vec![Clause::AnyOf(has_key()), Clause::NoneOf(one_of(values))]
        }
        // Whoever starts with a text is there.
        TextTest::Prefix(_) => vec![
            Clause::AnyOf(has_key()),
            Clause::Check(Check(literal.clone())),
        ],
        TextTest::In(_) | TextTest::NotPrefix(_) => vec![Clause::Check(Check(literal.clone()))],
    }
}
