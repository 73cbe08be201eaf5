//! The two sides of a comparison: fields and literals.

use std::ops::Range;

use heronry_types::{Timestamp, nearest};

use super::{ComparedPlace, Lowering};
use crate::filter::{
    error::{CompileError, ErrorKind},
    field::{Field, NOT_FILTERED, NumberField, Text},
    literal::TextPlace,
    syntax::{Expression, Node},
};

/// A literal.
pub(super) enum Constant {
    Text(String),
    Integer(i64),
    Bool(bool),
    Time(Timestamp),
}

impl Constant {
    fn is_a(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Time(_) => "a time",
        }
    }
}

impl Expression {
    pub(super) fn is_broken(&self) -> bool {
        self.node == Node::Broken
    }

    /// Returns true for literals, and for what can only stand for one.
    pub(super) fn is_constant(&self) -> bool {
        match &self.node {
            Node::Text(_) | Node::Integer(_) | Node::Bool(_) | Node::List(_) => true,
            Node::Call(call) => call.receiver.is_none() && call.name == "timestamp",
            Node::Broken
            | Node::Name(_)
            | Node::Member(..)
            | Node::Index(..)
            | Node::Not(_)
            | Node::Compare(..)
            | Node::All(_)
            | Node::Any(_) => false,
        }
    }
}

impl Lowering<'_> {
    /// Returns the literal with its place.
    pub(super) fn constant(&mut self, expression: &Expression) -> Option<(Constant, Range<usize>)> {
        let constant = match &expression.node {
            Node::Text(text) => Constant::Text(text.clone()),
            Node::Integer(value) => Constant::Integer(*value),
            Node::Bool(value) => Constant::Bool(*value),
            Node::Call(call) if expression.is_constant() => {
                self.time(&call.arguments, expression)?
            }
            Node::Broken => return None,
            Node::List(_)
            | Node::Call(_)
            | Node::Name(_)
            | Node::Member(..)
            | Node::Index(..)
            | Node::Not(_)
            | Node::Compare(..)
            | Node::All(_)
            | Node::Any(_) => {
                let message = "expected a literal here: \"text\", 42, true or timestamp(\"…\")";
                self.mismatch(&expression.span, message);
                return None;
            }
        };
        Some((constant, expression.span.clone()))
    }

    fn time(&mut self, arguments: &[Expression], whole: &Expression) -> Option<Constant> {
        let [
            Expression {
                node: Node::Text(text),
                span,
            },
        ] = arguments
        else {
            let message = "write timestamp(\"2026-11-20T08:15:30.125Z\")";
            self.mismatch(&whole.span, message);
            return None;
        };
        match Timestamp::parse(text) {
            Ok(time) => Some(Constant::Time(time)),
            Err(error) => {
                self.mismatch(span, &error.to_string());
                None
            }
        }
    }

    /// Returns the number that a field is compared with.
    pub(super) fn number(
        &mut self,
        field: NumberField,
        constant: &Constant,
        span: &Range<usize>,
    ) -> Option<i64> {
        match (field, constant) {
            (NumberField::Position, Constant::Integer(value)) => Some(*value),
            (NumberField::OccurredAt | NumberField::RecordedAt, Constant::Time(time)) => {
                Some(time.as_millis())
            }
            (NumberField::Position, other) => {
                let found = other.is_a();
                self.mismatch(span, &format!("position is a number, found {found}"));
                None
            }
            (NumberField::OccurredAt | NumberField::RecordedAt, other) => {
                let (name, found) = (field.name(), other.is_a());
                let message = format!("{name} is a time, found {found}; write timestamp(\"…\")");
                self.mismatch(span, &message);
                None
            }
        }
    }

    /// Returns the text that a place is compared with, when it can ever be that text.
    pub(super) fn text(
        &mut self,
        place: &TextPlace,
        constant: &Constant,
        span: &Range<usize>,
    ) -> Option<Text> {
        let Constant::Text(text) = constant else {
            let found = constant.is_a();
            self.mismatch(span, &format!("the field is a text, found {found}"));
            return None;
        };
        let TextPlace::Field(field) = place else {
            return Some(Text::from(text.as_str()));
        };
        let is_absent = text.is_empty() && field.is_optional();
        match field.vocabulary() {
            Some(names) if !is_absent && !names.contains(&text.as_str()) => {
                self.unknown_name(field.name(), text, &names, span);
                None
            }
            Some(_) | None => Some(Text::from(text.as_str())),
        }
    }

    pub(super) fn unknown_name(
        &mut self,
        field: &str,
        found: &str,
        names: &[&str],
        span: &Range<usize>,
    ) {
        let found: String = found.chars().take(64).collect();
        self.faults.add(CompileError {
            span: span.clone(),
            kind: ErrorKind::UnknownName,
            message: format!("{field} is never {found:?}"),
            suggestion: nearest(&found, names.iter().copied()).map(|name| format!("{name:?}")),
        });
    }

    /// Refuses a prefix that no name of the field's vocabulary begins with.
    pub(super) fn known_prefix(
        &mut self,
        place: &TextPlace,
        prefix: &str,
        span: &Range<usize>,
    ) -> Option<()> {
        let TextPlace::Field(field) = place else {
            return Some(());
        };
        let names = field.vocabulary().unwrap_or_default();
        if names.is_empty() || names.iter().any(|name| name.starts_with(prefix)) {
            return Some(());
        }
        let shown: String = prefix.chars().take(64).collect();
        let message = format!("{} never starts with {shown:?}", field.name());
        self.faults.push(ErrorKind::UnknownName, span, message);
        None
    }

    /// Returns the place that an expression names.
    pub(super) fn place(&mut self, expression: &Expression) -> Option<ComparedPlace> {
        let span = &expression.span;
        match &expression.node {
            Node::Broken => None,
            Node::Name(name) => self.field(name, span),
            Node::Member(of, name) => {
                let Node::Name(group) = &of.node else {
                    return self.no_field(&of.span);
                };
                if group == "correlation" {
                    return self.entry_as_member("a correlation", group, name, span);
                }
                if group == "labels" {
                    return self.entry_as_member("a label", group, name, span);
                }
                self.field(&format!("{group}.{name}"), span)
            }
            Node::Index(of, key) => self.entry(of, key),
            Node::Bool(_)
            | Node::Integer(_)
            | Node::Text(_)
            | Node::List(_)
            | Node::Not(_)
            | Node::Compare(..)
            | Node::All(_)
            | Node::Any(_) => self.no_field(span),
            Node::Call(call) => {
                self.unsupported_call(call);
                None
            }
        }
    }

    fn no_field(&mut self, span: &Range<usize>) -> Option<ComparedPlace> {
        self.mismatch(span, "expected a field of the event here");
        None
    }

    fn entry_as_member(
        &mut self,
        what: &str,
        group: &str,
        key: &str,
        span: &Range<usize>,
    ) -> Option<ComparedPlace> {
        self.faults.add(CompileError {
            span: span.clone(),
            kind: ErrorKind::Unsupported,
            message: format!("{what} is named in brackets"),
            suggestion: Some(format!("{group}[\"{key}\"]")),
        });
        None
    }

    fn entry(&mut self, of: &Expression, key: &Expression) -> Option<ComparedPlace> {
        let Node::Name(name) = &of.node else {
            return self.no_field(&of.span);
        };
        let (place, mismatch): (fn(Text) -> TextPlace, _) = match name.as_str() {
            "correlation" => (
                TextPlace::Correlation,
                "a correlation key is a text literal",
            ),
            "labels" => (TextPlace::Label, "the name of a label is a text literal"),
            _ => {
                let message =
                    format!("`{name}[..]` is not supported; only correlation and labels have keys");
                self.faults.push(ErrorKind::Unsupported, &of.span, message);
                return None;
            }
        };
        let Node::Text(key) = &key.node else {
            self.mismatch(&key.span, mismatch);
            return None;
        };
        let key = Text::from(key.as_str());
        Some(ComparedPlace::Text(place(key)))
    }

    fn field(&mut self, name: &str, span: &Range<usize>) -> Option<ComparedPlace> {
        match Field::named(name) {
            Some(Field::Text(field)) => return Some(ComparedPlace::Text(TextPlace::Field(field))),
            Some(field) => return Some(ComparedPlace::Field(field)),
            None => {}
        }
        let (message, suggestion) = unknown_field(name);
        self.faults.add(CompileError {
            span: span.clone(),
            kind: ErrorKind::UnknownField,
            message,
            suggestion,
        });
        None
    }
}

/// Returns the reason why a name is no field, and the field that was probably meant.
fn unknown_field(name: &str) -> (String, Option<String>) {
    let shown: String = name.chars().take(64).collect();
    let (group, member) = name.split_once('.').unwrap_or((name, ""));
    if NOT_FILTERED.contains(&name) {
        return (format!("filters do not look at `{shown}`"), None);
    }
    let members = |group| match group {
        "subject" | "source" | "destination" => Some(["kind", "id"]),
        _ => None,
    };
    if let Some(members) = members(group) {
        let nearest = nearest(member, members).map(|member| format!("{group}.{member}"));
        return (
            format!("`{shown}` is no field; write {group}.kind or {group}.id"),
            nearest,
        );
    }
    let known = Field::all().map(|(name, _)| name);
    let suggestion = nearest(name, known).map(str::to_owned);
    (format!("an event has no field `{shown}`"), suggestion)
}
