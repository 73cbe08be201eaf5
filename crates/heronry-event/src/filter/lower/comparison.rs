//! The meaning of a comparison once its sides are known.

use crate::filter::{
    field::{Field, MembersField, NumberField, Text},
    formula::Formula,
    literal::{Literal, Sign, TextPlace},
    numbers::NumberTest,
    syntax::Operator,
    texts::{TextTest, Values},
};

/// The meaning of a comparison, before its sign.
pub(super) enum Test {
    True,
    False,
    Literal(Literal),
}

impl Test {
    pub(super) fn of(literal: Literal) -> Self {
        Self::Literal(literal)
    }

    pub(super) fn signed(self, sign: Sign) -> Formula {
        match (self, sign) {
            (Self::True, Sign::Plus) | (Self::False, Sign::Minus) => Formula::TRUE,
            (Self::True, Sign::Minus) | (Self::False, Sign::Plus) => Formula::FALSE,
            (Self::Literal(literal), Sign::Plus) => Formula::literal(literal),
            (Self::Literal(literal), Sign::Minus) => Formula::literal(literal.negated()),
        }
    }
}

/// The place that an expression names.
pub(super) enum ComparedPlace {
    Text(TextPlace),
    /// Any field that does not hold one text.
    Field(Field),
}

impl ComparedPlace {
    /// Returns advice on comparing the place, for those who did it in another way.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Text(_) | Self::Field(Field::Text(_)) => {
                "a text is compared with == != in or startsWith"
            }
            Self::Field(Field::Terminal) => "write terminal or !terminal",
            Self::Field(Field::Members(MembersField::Recipients)) => {
                "recipients is a collection; write \"run\" in recipients"
            }
            Self::Field(Field::Members(MembersField::Tags)) => {
                "tags is a collection; write \"tag\" in tags"
            }
            Self::Field(Field::Related) => "write related.exists(r, r.id == \"…\")",
            Self::Field(Field::Correlation) => "write correlation[\"key\"] == \"value\"",
            Self::Field(Field::Labels) => "write labels[\"name\"] == \"value\"",
            Self::Field(Field::Number(_)) => "a number is compared with == != < <= > >= or in",
        }
        .to_owned()
    }
}

/// A text is one of several, or (minus) is present and none of them.
pub(super) fn one_of(place: &TextPlace, texts: impl IntoIterator<Item = Text>, sign: Sign) -> Test {
    let mut values = Values::of(texts);
    if let TextPlace::Field(field) = place
        && !field.is_optional()
    {
        values.texts.remove("");
    }
    let test = match (place, sign) {
        (_, Sign::Plus) => TextTest::In(values),
        (TextPlace::Field(_), Sign::Minus) => TextTest::NotIn(values),
        (TextPlace::Correlation(_) | TextPlace::Label(_), Sign::Minus) => {
            TextTest::NotIn(values.with_absent())
        }
    };
    Test::of(Literal::Text(place.clone(), test))
}

/// A number and a bound; a bound outside the field's domain holds always or never.
pub(super) fn bounded(field: NumberField, operator: Operator, number: i64) -> Test {
    let (low, high) = field.domain();
    let at_least = |bound: Option<i64>| match bound {
        Some(bound) if bound <= low => Test::True,
        Some(bound) if bound <= high => {
            Test::of(Literal::Number(field, NumberTest::AtLeast(bound)))
        }
        Some(_) | None => Test::False,
    };
    let at_most = |bound: Option<i64>| match bound {
        Some(bound) if bound >= high => Test::True,
        Some(bound) if bound >= low => Test::of(Literal::Number(field, NumberTest::AtMost(bound))),
        Some(_) | None => Test::False,
    };
    match operator {
        Operator::AtLeast => at_least(Some(number)),
        Operator::Greater => at_least(number.checked_add(1)),
        Operator::AtMost => at_most(Some(number)),
        Operator::Less => at_most(number.checked_sub(1)),
        Operator::Equal | Operator::In => {
            Test::of(Literal::Number(field, NumberTest::In([number].into())))
        }
        Operator::Unequal => Test::of(Literal::Number(field, NumberTest::NotIn([number].into()))),
    }
}
