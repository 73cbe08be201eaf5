//! An independent interpreter of CEL keeps the same events, by this translation:
//!
//! - an absent text is `""`;
//! - a comparison with `correlation["k"]` becomes `("k" in correlation && ..)`, and likewise for `labels["k"]`;
//! - a time becomes its milliseconds.
//!
//! `PROPTEST_CASES=32000` asks about a million pairs of filter and envelope.

use std::collections::HashMap;

use cel::{Context, Program, Value};
use heronry_event::{Envelope, Filter};
use proptest::prelude::*;

use crate::support::{Expr, FIELDS, TextLocation, cases, envelope, expr, quoted, written};

/// Writes an expression as CEL.
fn translated(expr: &Expr) -> String {
    match expr {
        Expr::Equal(TextLocation::Correlation(key), _)
        | Expr::Unequal(TextLocation::Correlation(key), _)
        | Expr::OneOf(TextLocation::Correlation(key), _)
        | Expr::Starts(TextLocation::Correlation(key), _) => {
            format!("({} in correlation && {})", quoted(key), written(expr))
        }
        Expr::Equal(TextLocation::Label(name), _)
        | Expr::Unequal(TextLocation::Label(name), _)
        | Expr::OneOf(TextLocation::Label(name), _)
        | Expr::Starts(TextLocation::Label(name), _) => {
            format!("({} in labels && {})", quoted(name), written(expr))
        }
        Expr::Recorded(operator, millis) => format!("recorded_at {operator} {millis}"),
        Expr::Not(inner) => format!("!({})", translated(inner)),
        Expr::All(parts) => joined(parts, " && "),
        Expr::Any(parts) => joined(parts, " || "),
        Expr::Equal(..)
        | Expr::Unequal(..)
        | Expr::OneOf(..)
        | Expr::Starts(..)
        | Expr::Truth(_)
        | Expr::Terminal
        | Expr::HasKey(_)
        | Expr::HasLabel(_)
        | Expr::Recipient(_)
        | Expr::Tag(_)
        | Expr::Related(..)
        | Expr::Position(..) => written(expr),
    }
}

fn joined(parts: &[Expr], operator: &str) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| format!("({})", translated(part)))
        .collect();
    parts.join(operator)
}

fn entity(kind: &str, id: &str) -> Value {
    HashMap::from([("kind", kind), ("id", id)]).into()
}

fn texts<T: AsRef<str>>(texts: &[T]) -> Value {
    texts
        .iter()
        .map(AsRef::as_ref)
        .collect::<Vec<&str>>()
        .into()
}

/// Returns the variables of an envelope for CEL.
fn variables(envelope: &Envelope) -> Context<'static, 'static> {
    let mut context = Context::default();
    for field in FIELDS.into_iter().filter(|field| !field.contains('.')) {
        let text = TextLocation::Field(field).read(envelope).unwrap();
        context.add_variable_from_value(field, text);
    }
    for group in ["subject", "destination"] {
        let [kind, id] = match group {
            "subject" => ["subject.kind", "subject.id"],
            _ => ["destination.kind", "destination.id"],
        }
        .map(|field| TextLocation::Field(field).read(envelope).unwrap());
        context.add_variable_from_value(group, entity(&kind, &id));
    }
    let about = &envelope.about;
    let related = about.related.iter();
    let related: Vec<_> = related
        .map(|r| entity(&r.kind.to_string(), r.id.as_str()))
        .collect();
    let entries = about.correlation.iter();
    let entries: HashMap<_, _> = entries.map(|(key, v)| (key.as_str(), v.as_str())).collect();
    context.add_variable_from_value("related", related);
    context.add_variable_from_value("correlation", entries);
    let value = |name| about.labels.value(name).unwrap();
    let labels = about.labels.names();
    let labels: HashMap<&str, &str> = labels.map(|name| (name, value(name))).collect();
    context.add_variable_from_value("labels", labels);
    context.add_variable_from_value("tags", texts(&about.tags));
    context.add_variable_from_value("recipients", texts(&envelope.exchange.recipients));
    context.add_variable_from_value("terminal", envelope.kind.is_terminal());
    let position = i64::try_from(envelope.stamp.cursor.position.0).unwrap();
    context.add_variable_from_value("position", position);
    context.add_variable_from_value("recorded_at", envelope.stamp.recorded_at.as_millis());
    context
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a41_filters_agree_with_an_independent_interpreter(
        expr in expr(),
        envelopes in prop::collection::vec(envelope(), 8),
    ) {
        let text = translated(&expr);
        let program = Program::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        if let Ok(filter) = Filter::compile(&written(&expr)) {
            for envelope in &envelopes {
                let expected = program.execute(&variables(envelope));
                let expected = expected.unwrap_or_else(|error| panic!("{text}: {error}"));
                prop_assert_eq!(Value::Bool(filter.matches(envelope)), expected, "{}", text);
            }
        }
    }
}
