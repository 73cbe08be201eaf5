//! One comparison of a normal form, and what follows from several at once.

use std::collections::BTreeMap;

use heronry_types::Id;

use super::{
    field::{MembersField, NumberField, Text, TextField},
    members::{self, MembersTest},
    numbers::{self, NumberTest},
    related::{self, RelatedTest},
    texts::{self, TextTest},
};
use crate::{Envelope, Identity};

/// The sign of a comparison: it must hold, or it must not.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Sign {
    Plus,
    Minus,
}

impl Sign {
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Plus => Self::Minus,
            Self::Minus => Self::Plus,
        }
    }
}

/// The place of one text in an envelope.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum TextPlace {
    Field(TextField),
    Correlation(Text),
    Label(Text),
}

impl TextPlace {
    /// Reads the text; only a correlation and a label tell absent from empty.
    pub(super) fn read<'e>(&self, envelope: &'e Envelope) -> Option<&'e str> {
        match self {
            Self::Field(field) => Some(field.read(envelope)),
            Self::Correlation(key) => envelope.about.correlation.get(key).map(Id::as_str),
            Self::Label(name) => envelope.about.labels.value(name),
        }
    }
}

/// One comparison of a normal form.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Literal {
    Terminal(Sign),
    Text(TextPlace, TextTest),
    Number(NumberField, NumberTest),
    Members(MembersField, MembersTest),
    Related(RelatedTest),
}

impl Literal {
    /// Returns true when the envelope passes. Touches no heap.
    pub(super) fn holds(&self, envelope: &Envelope) -> bool {
        match self {
            Self::Terminal(sign) => envelope.kind.is_terminal() == (*sign == Sign::Plus),
            Self::Text(place, test) => test.holds(place.read(envelope)),
            Self::Number(field, test) => test.holds(field.read(envelope)),
            Self::Members(field, MembersTest::AnyOf(texts)) => {
                texts.iter().any(|text| field.contains(envelope, text))
            }
            Self::Members(field, MembersTest::NoneOf(texts)) => {
                !texts.iter().any(|text| field.contains(envelope, text))
            }
            Self::Related(test) => test.holds(&envelope.about.related),
        }
    }

    /// Returns true when an event of this run, agent and session could pass.
    pub(super) fn lets_in(&self, identity: &Identity) -> bool {
        let id = match self {
            Self::Text(TextPlace::Field(TextField::Run), _) => {
                identity.run.as_ref().map(Id::as_str)
            }
            Self::Text(TextPlace::Field(TextField::Agent), _) => {
                identity.agent.as_ref().map(Id::as_str)
            }
            Self::Text(TextPlace::Field(TextField::Session), _) => {
                identity.session.as_ref().map(Id::as_str)
            }
            Self::Terminal(_)
            | Self::Text(..)
            | Self::Number(..)
            | Self::Members(..)
            | Self::Related(_) => return true,
        };
        // Only a correlation tells absent from empty.
        if let Self::Text(_, test) = self {
            test.holds(Some(id.unwrap_or("")))
        } else {
            true
        }
    }

    /// Returns the version of the language that it came with.
    pub(super) fn language(&self) -> u16 {
        match self {
            Self::Text(TextPlace::Label(_), _) => 2,
            Self::Terminal(_)
            | Self::Text(TextPlace::Field(_) | TextPlace::Correlation(_), _)
            | Self::Number(..)
            | Self::Members(..)
            | Self::Related(_) => 1,
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Terminal(sign) => Self::Terminal(sign.flipped()),
            Self::Text(place, test) => Self::Text(place, test.negated()),
            Self::Number(field, test) => Self::Number(field, test.negated()),
            Self::Members(field, test) => Self::Members(field, test.negated()),
            Self::Related(test) => Self::Related(test.negated()),
        }
    }

    /// Returns true when both are about the same field.
    pub(super) fn is_about_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Terminal(_), Self::Terminal(_)) | (Self::Related(_), Self::Related(_)) => true,
            (Self::Text(one, _), Self::Text(other, _)) => one == other,
            (Self::Number(one, _), Self::Number(other, _)) => one == other,
            (Self::Members(one, _), Self::Members(other, _)) => one == other,
            (
                Self::Terminal(_)
                | Self::Related(_)
                | Self::Text(..)
                | Self::Number(..)
                | Self::Members(..),
                _,
            ) => false,
        }
    }

    /// Returns whether another literal about the same field holds whenever this one does; nothing where that is
    /// more than a comparison of two sets of texts.
    pub(super) fn implies_alone(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Text(_, one), Self::Text(_, other)) => one.implies(other),
            (
                Self::Terminal(_)
                | Self::Text(..)
                | Self::Number(..)
                | Self::Members(..)
                | Self::Related(_),
                _,
            ) => None,
        }
    }

    /// Returns the size of the literal in values, as a measure of work.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Terminal(_) => 1,
            Self::Text(_, test) => test.size(),
            Self::Number(_, test) => test.size(),
            Self::Members(_, test) => 1 + test.texts().len(),
            Self::Related(test) => test.size(),
        }
    }
}

/// Literals by field.
#[derive(Default)]
struct ByField {
    terminal: Option<Sign>,
    texts: BTreeMap<TextPlace, Vec<TextTest>>,
    numbers: BTreeMap<NumberField, Vec<NumberTest>>,
    members: BTreeMap<MembersField, Vec<MembersTest>>,
    related: Vec<RelatedTest>,
}

impl ByField {
    fn add(&mut self, literal: Literal) -> Option<()> {
        match literal {
            Literal::Terminal(sign) => {
                let earlier = self.terminal.replace(sign);
                return earlier.is_none_or(|earlier| earlier == sign).then_some(());
            }
            Literal::Text(place, test) => self.texts.entry(place).or_default().push(test),
            Literal::Number(field, test) => self.numbers.entry(field).or_default().push(test),
            Literal::Members(field, test) => self.members.entry(field).or_default().push(test),
            Literal::Related(test) => self.related.push(test),
        }
        Some(())
    }

    fn into_literals(self) -> Option<Vec<Literal>> {
        let mut literals: Vec<_> = self.terminal.map(Literal::Terminal).into_iter().collect();
        for (place, tests) in self.texts {
            let tests = texts::conjoin(tests)?.into_iter();
            literals.extend(tests.map(|test| Literal::Text(place.clone(), test)));
        }
        for (field, tests) in self.numbers {
            let tests = numbers::conjoin(tests, field.domain())?.into_iter();
            literals.extend(tests.map(|test| Literal::Number(field, test)));
        }
        for (field, tests) in self.members {
            let tests = members::conjoin(tests)?.into_iter();
            literals.extend(tests.map(|test| Literal::Members(field, test)));
        }
        let tests = related::conjoin(self.related)?.into_iter();
        literals.extend(tests.map(Literal::Related));
        Some(literals)
    }
}

/// Returns the fewest literals that say the same together, sorted; nothing when they contradict
/// each other.
pub(super) fn conjoin(literals: impl IntoIterator<Item = Literal>) -> Option<Vec<Literal>> {
    let mut by_field = ByField::default();
    for literal in literals {
        by_field.add(literal)?;
    }
    by_field.into_literals()
}

/// Returns the fewest literals of which one holds when one of the given holds, sorted; nothing
/// when one always holds.
pub(super) fn disjoin(literals: impl IntoIterator<Item = Literal>) -> Option<Vec<Literal>> {
    let against = conjoin(literals.into_iter().map(Literal::negated))?;
    let mut literals: Vec<_> = against.into_iter().map(Literal::negated).collect();
    literals.sort();
    Some(literals)
}
