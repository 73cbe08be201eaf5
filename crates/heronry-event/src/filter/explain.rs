//! Explanations of why a filter did not keep an event.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    field::MembersField,
    formula::Term,
    literal::{Literal, TextPlace},
    print,
};
use crate::Envelope;

/// The largest number of values of a collection that are shown.
const SHOWN_MAX: usize = 10;

/// The answer of a filter to one event, with the comparisons that failed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Explanation {
    /// The filter keeps the event.
    Kept,
    /// The filter keeps nothing at all.
    KeepsNothing,
    /// Each alternative of the filter failed; the one that came closest is first.
    Missed {
        /// The alternatives.
        near: Vec<NearMiss>,
    },
}

/// One alternative of a filter that an event did not pass.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NearMiss {
    /// The number of clauses that held.
    pub held: usize,
    /// The clauses that failed; never empty.
    pub failed: Vec<FailedClause>,
}

/// A clause that failed, with the value that the event had.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedClause {
    /// The clause, as filter text.
    pub clause: String,
    /// The value that the envelope has in that place.
    pub seen: String,
}

pub(super) fn explain(terms: &[Term], envelope: &Envelope) -> Explanation {
    let mut near = Vec::new();
    for term in terms {
        let failed: Vec<_> = term
            .iter()
            .filter(|literal| !literal.holds(envelope))
            .map(|literal| FailedClause {
                clause: print::literal(literal),
                seen: seen(literal, envelope),
            })
            .collect();
        if failed.is_empty() {
            return Explanation::Kept;
        }
        let held = term.len() - failed.len();
        near.push(NearMiss { held, failed });
    }
    near.sort_by_key(|miss| miss.failed.len());
    if near.is_empty() {
        return Explanation::KeepsNothing;
    }
    Explanation::Missed { near }
}

fn seen(literal: &Literal, envelope: &Envelope) -> String {
    match literal {
        Literal::Terminal(_) => envelope.kind.is_terminal().to_string(),
        Literal::Text(place @ TextPlace::Field(_), _) => match place.read(envelope) {
            Some("") | None => "absent".to_owned(),
            Some(text) => print::quoted(text),
        },
        Literal::Text(place @ (TextPlace::Correlation(_) | TextPlace::Label(_)), _) => place
            .read(envelope)
            .map_or_else(|| "absent".to_owned(), print::quoted),
        Literal::Number(field, _) => print::number(*field, field.read(envelope)),
        Literal::Members(MembersField::Recipients, _) => {
            let recipients = &envelope.exchange.recipients;
            listed(recipients.iter().map(|run| print::quoted(run.as_str())))
        }
        Literal::Members(MembersField::Tags, _) => listed(
            envelope
                .about
                .tags
                .iter()
                .map(|tag| print::quoted(tag.as_str())),
        ),
        Literal::Related(_) => {
            let related = envelope.about.related.iter();
            listed(related.map(|r| format!("{} {}", r.kind, print::quoted(r.id.as_str()))))
        }
    }
}

/// Writes the first values of a collection, and the number of those that are left out.
fn listed(values: impl ExactSizeIterator<Item = String>) -> String {
    let more = values.len().saturating_sub(SHOWN_MAX);
    let shown: Vec<_> = values.take(SHOWN_MAX).collect();
    let shown = shown.join(", ");
    match more {
        0 => format!("[{shown}]"),
        more => format!("[{shown}] and {more} more"),
    }
}

impl fmt::Display for FailedClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed, seen: {}", self.clause, self.seen)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("the filter keeps the event"),
            Self::KeepsNothing => f.write_str("the filter can never keep an event"),
            Self::Missed { near } => {
                let failed = near.iter().flat_map(|miss| &miss.failed);
                let lines: Vec<_> = failed.map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}
