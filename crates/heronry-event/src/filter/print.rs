//! The canonical text of literals and terms.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
};

use heronry_types::{Timestamp, Vocabulary};

use super::{
    field::{NumberField, Text},
    literal::{Literal, Sign, TextPlace},
    members::MembersTest,
    numbers::NumberTest,
    related::{Pattern, Region, RelatedTest},
    texts::{TextTest, Values},
};

/// Returns the canonical text of terms of which one must hold.
pub(super) fn terms(terms: &[Vec<Literal>]) -> String {
    let alternatives: Vec<String> = terms.iter().map(|literals| term(literals)).collect();
    if alternatives.is_empty() {
        return "false".to_owned();
    }
    alternatives.join(" || ")
}

fn term(literals: &[Literal]) -> String {
    let parts: Vec<String> = literals.iter().map(literal).collect();
    if parts.is_empty() {
        return "true".to_owned();
    }
    parts.join(" && ")
}

/// Returns the canonical text of a literal.
pub(super) fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Terminal(Sign::Plus) => "terminal".to_owned(),
        Literal::Terminal(Sign::Minus) => "!terminal".to_owned(),
        Literal::Text(TextPlace::Field(field), test) => {
            let present = Presence::Plain;
            text_test(field.name(), &present, test)
        }
        Literal::Text(TextPlace::Correlation(key), test) => {
            let key = quoted(key);
            let place = format!("correlation[{key}]");
            let present = Presence::Key(format!("{key} in correlation"));
            text_test(&place, &present, test)
        }
        Literal::Text(TextPlace::Label(name), test) => {
            let name = quoted(name);
            let place = format!("labels[{name}]");
            let present = Presence::Key(format!("{name} in labels"));
            text_test(&place, &present, test)
        }
        Literal::Number(field, test) => number_test(*field, test),
        Literal::Members(field, MembersTest::AnyOf(texts)) => any_member(field.name(), texts),
        Literal::Members(field, MembersTest::NoneOf(texts)) => {
            let any = any_member(field.name(), texts);
            format!("!({})", bare(&any))
        }
        Literal::Related(RelatedTest::AnyIn(region)) => related(region),
        Literal::Related(RelatedTest::NoneIn(region)) => format!("!({})", bare(&related(region))),
    }
}

/// Returns the number of comparisons that the literal is written with.
pub(super) fn comparisons(literal: &Literal) -> usize {
    match literal {
        Literal::Text(_, TextTest::In(values) | TextTest::NotIn(values)) => {
            usize::from(values.holds_absent()) + usize::from(!values.texts.is_empty())
        }
        Literal::Members(_, test) => test.texts().len(),
        Literal::Related(RelatedTest::AnyIn(region) | RelatedTest::NoneIn(region)) => region
            .patterns()
            .iter()
            .map(|p| usize::from(p.kinds.is_some()) + usize::from(p.ids.is_some()))
            .sum(),
        Literal::Terminal(_)
        | Literal::Number(..)
        | Literal::Text(_, TextTest::Prefix(_) | TextTest::NotPrefix(_)) => 1,
    }
}

/// The form in which absence is written: the empty text for a field, a test of the key for a correlation.
enum Presence {
    Plain,
    Key(String),
}

fn text_test(place: &str, presence: &Presence, test: &TextTest) -> String {
    match test {
        TextTest::Prefix(prefix) => format!("{place}.startsWith({})", quoted(prefix)),
        TextTest::NotPrefix(prefix) => format!("!{place}.startsWith({})", quoted(prefix)),
        TextTest::In(values) => match (presence, values.holds_absent()) {
            (Presence::Key(key), true) if values.texts.is_empty() => format!("!({key})"),
            (Presence::Key(key), true) => format!("(!({key}) || {})", one_of(place, values)),
            (Presence::Key(_) | Presence::Plain, _) => one_of(place, values),
        },
        TextTest::NotIn(values) => match (presence, values.holds_absent()) {
            (Presence::Key(key), true) if values.texts.is_empty() => key.clone(),
            (Presence::Key(key), true) if values.texts.len() > 1 => {
                format!("{key} && !({})", one_of(place, values))
            }
            (Presence::Key(_), false) => format!("!({})", one_of(place, values)),
            (Presence::Key(_) | Presence::Plain, _) if values.texts.len() > 1 => {
                format!("!({})", one_of(place, values))
            }
            (Presence::Key(_) | Presence::Plain, _) => {
                format!(
                    "{place} != {}",
                    list(values.texts.iter().map(|t| quoted(t)))
                )
            }
        },
    }
}

fn one_of(place: &str, values: &Values) -> String {
    equals(place, values.texts.iter().map(|text| quoted(text)))
}

/// Writes `place == value`, or `place in [values]` when there are several.
fn equals(place: &str, values: impl ExactSizeIterator<Item = String>) -> String {
    let operator = if values.len() == 1 { "==" } else { "in" };
    format!("{place} {operator} {}", list(values))
}

/// Writes one value bare and several as a list.
fn list(values: impl ExactSizeIterator<Item = String>) -> String {
    let is_single = values.len() == 1;
    let values = values.collect::<Vec<_>>().join(", ");
    if is_single {
        values
    } else {
        format!("[{values}]")
    }
}

fn number_test(field: NumberField, test: &NumberTest) -> String {
    let name = field.name();
    let numbers = |values: &BTreeSet<i64>| {
        let written = values.iter().map(|value| number(field, *value));
        written.collect::<Vec<_>>().into_iter()
    };
    match test {
        NumberTest::AtLeast(low) => format!("{name} >= {}", number(field, *low)),
        NumberTest::AtMost(high) => format!("{name} <= {}", number(field, *high)),
        NumberTest::In(values) => equals(name, numbers(values)),
        NumberTest::NotIn(values) if values.len() == 1 => {
            format!("{name} != {}", list(numbers(values)))
        }
        NumberTest::NotIn(values) => format!("!({})", equals(name, numbers(values))),
    }
}

/// Writes a position, or a time as its timestamp.
pub(super) fn number(field: NumberField, value: i64) -> String {
    match field {
        NumberField::Position => value.to_string(),
        NumberField::OccurredAt | NumberField::RecordedAt => {
            format!("timestamp(\"{}\")", Timestamp::from_millis(value))
        }
    }
}

fn any_member(name: &str, texts: &BTreeSet<Text>) -> String {
    any(texts
        .iter()
        .map(|text| format!("{} in {name}", quoted(text))))
}

fn related(region: &Region) -> String {
    any(region.patterns().iter().map(pattern))
}

fn pattern(pattern: &Pattern) -> String {
    let kinds = pattern.kinds.as_ref();
    let kinds = kinds.map(|kinds| equals("r.kind", kinds.iter().map(|k| quoted(k.wire_name()))));
    let ids = pattern.ids.as_ref();
    let ids = ids.map(|ids| equals("r.id", ids.iter().map(|id| quoted(id))));
    let parts: Vec<_> = kinds.into_iter().chain(ids).collect();
    format!("related.exists(r, {})", parts.join(" && "))
}

/// Writes alternatives as one part: in parentheses when there are several.
fn any(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    let joined = parts.join(" || ");
    if parts.len() == 1 {
        joined
    } else {
        format!("({joined})")
    }
}

/// Takes off the parentheses that stand around a whole part.
fn bare(part: &str) -> &str {
    part.strip_prefix('(')
        .and_then(|part| part.strip_suffix(')'))
        .unwrap_or(part)
}

/// Writes a text literal: control characters and quotes escaped, all else as it is.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        let written = match c {
            '"' => quoted.write_str("\\\""),
            '\\' => quoted.write_str("\\\\"),
            '\n' => quoted.write_str("\\n"),
            '\r' => quoted.write_str("\\r"),
            '\t' => quoted.write_str("\\t"),
            c if c.is_control() => write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.write_char(c),
        };
        debug_assert_eq!(written, Ok::<(), fmt::Error>(()), "a string takes all text");
    }
    quoted.push('"');
    quoted
}
