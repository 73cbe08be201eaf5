//! The condition inside `related.exists(r, …)`.

use std::{collections::BTreeSet, ops::Range};

use heronry_types::{EntityKind, Vocabulary};

use super::{Lowering, operand::Constant};
use crate::filter::{
    TERMS_MAX,
    error::{ErrorKind, Limit},
    field::{Text, names},
    related::Pattern,
    syntax::{Expression, Node, Operator},
};

const ADVICE: &str = "inside exists write r.kind or r.id with == or in, joined by && and ||; \
     to negate, write !related.exists(…)";

impl Lowering<'_> {
    /// Returns the patterns of which one must fit.
    pub(super) fn patterns(
        &mut self,
        condition: &Expression,
        variable: &str,
    ) -> Option<Vec<Pattern>> {
        let patterns = match &condition.node {
            Node::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|p| self.patterns(p, variable)).collect();
                parts.into_iter().collect::<Option<Vec<_>>>()?.concat()
            }
            Node::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|p| self.patterns(p, variable)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                self.product(&parts, &condition.span)?
            }
            Node::Compare(operator @ (Operator::Equal | Operator::In), sides) => {
                self.comparisons += 1;
                vec![self.pattern(*operator, sides, variable)?]
            }
            Node::Broken => return None,
            Node::Bool(_)
            | Node::Integer(_)
            | Node::Text(_)
            | Node::List(_)
            | Node::Name(_)
            | Node::Member(..)
            | Node::Index(..)
            | Node::Call(_)
            | Node::Not(_)
            | Node::Compare(..) => {
                let advice = ADVICE.to_owned();
                self.faults
                    .push(ErrorKind::Unsupported, &condition.span, advice);
                return None;
            }
        };
        self.few(patterns, &condition.span)
    }

    /// Refuses more patterns than there may be terms.
    fn few(&mut self, mut patterns: Vec<Pattern>, span: &Range<usize>) -> Option<Vec<Pattern>> {
        patterns.sort_unstable();
        patterns.dedup();
        if patterns.len() > TERMS_MAX {
            self.faults.limit(Limit::TermsMax, span);
            return None;
        }
        Some(patterns)
    }

    fn product(&mut self, parts: &[Vec<Pattern>], span: &Range<usize>) -> Option<Vec<Pattern>> {
        let any = Pattern {
            kinds: None,
            ids: None,
        };
        parts.iter().try_fold(vec![any], |patterns, part| {
            let both = patterns
                .iter()
                .flat_map(|one| part.iter().map(|other| one.and(other)))
                .collect();
            self.few(both, span)
        })
    }

    fn pattern(
        &mut self,
        operator: Operator,
        sides: &(Expression, Expression),
        variable: &str,
    ) -> Option<Pattern> {
        let (left, right) = match (operator, sides) {
            (Operator::Equal, (left, right)) if left.is_constant() => (right, left),
            (_, (left, right)) => (left, right),
        };
        let Some(member) = member_of(left, variable) else {
            self.faults
                .push(ErrorKind::Unsupported, &left.span, ADVICE.to_owned());
            return None;
        };
        let values = match (operator, &right.node) {
            (Operator::In, Node::List(items)) => items.as_slice(),
            (Operator::In, _) => {
                self.mismatch(&right.span, "`in` needs a list on its right inside exists");
                return None;
            }
            (_, _) => std::slice::from_ref(right),
        };
        let texts: Vec<_> = values.iter().map(|value| self.plain_text(value)).collect();
        let texts = texts.into_iter().collect::<Option<Vec<_>>>()?;
        if member == "id" {
            let ids = texts.iter().map(|(text, _)| Text::from(text.as_str()));
            return Some(Pattern {
                kinds: None,
                ids: Some(ids.collect()),
            });
        }
        let kinds: Vec<_> = texts
            .iter()
            .map(|(text, span)| self.kind(text, span))
            .collect();
        Some(Pattern {
            kinds: Some(kinds.into_iter().collect::<Option<BTreeSet<_>>>()?),
            ids: None,
        })
    }

    fn plain_text(&mut self, value: &Expression) -> Option<(String, Range<usize>)> {
        match self.constant(value)? {
            (Constant::Text(text), span) => Some((text, span)),
            (Constant::Integer(_) | Constant::Bool(_) | Constant::Time(_), span) => {
                self.mismatch(&span, "kinds and ids are texts");
                None
            }
        }
    }

    fn kind(&mut self, text: &str, span: &Range<usize>) -> Option<EntityKind> {
        let kind = EntityKind::from_wire(text);
        if kind.is_err() {
            self.unknown_name("r.kind", text, &names::<EntityKind>(), span);
        }
        kind.ok()
    }
}

/// Returns `kind` or `id` when the expression is that member of the variable.
fn member_of<'e>(expression: &'e Expression, variable: &str) -> Option<&'e str> {
    let Node::Member(of, member) = &expression.node else {
        return None;
    };
    let is_variable = matches!(&of.node, Node::Name(name) if name == variable);
    (is_variable && matches!(member.as_str(), "kind" | "id")).then_some(member)
}
