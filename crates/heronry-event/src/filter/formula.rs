//! Boolean expressions of literals, simplified as they are built, and their normal form.

use super::{
    TERMS_MAX,
    error::Limit,
    literal::{self, Literal},
};

/// The largest work of an expansion, in compared values, before it counts as too many terms.
const WORK_MAX: usize = 1 << 21;
/// The work of an expansion between two pauses, in compared values.
const SLICE: usize = 1 << 12;
/// The largest number of terms that an expansion may hold before it drops those that add nothing.
const EXPANSION_MAX: usize = 4 * TERMS_MAX;

/// A boolean expression without negation: every literal carries its own sign.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Formula {
    Literal(Literal),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

impl Formula {
    /// Holds always.
    pub(super) const TRUE: Self = Self::All(Vec::new());
    /// Holds never.
    pub(super) const FALSE: Self = Self::Any(Vec::new());

    /// Returns one comparison.
    pub(super) fn literal(literal: Literal) -> Self {
        Self::all([Self::Literal(literal)])
    }

    /// Returns the formula that holds when every part does.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut literals = Vec::new();
        let mut rest = Vec::new();
        let mut sort_in = |part| match part {
            Self::Literal(literal) => literals.push(literal),
            Self::Any(_) => rest.push(part),
            Self::All(_) => {}
        };
        for part in parts {
            match part {
                Self::All(inner) => inner.into_iter().for_each(&mut sort_in),
                part @ (Self::Literal(_) | Self::Any(_)) => sort_in(part),
            }
        }
        if rest.contains(&Self::FALSE) {
            return Self::FALSE;
        }
        literal::conjoin(literals).map_or(Self::FALSE, |literals| joined(literals, rest, Self::All))
    }

    /// Returns the formula that holds when one part does.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut literals = Vec::new();
        let mut rest = Vec::new();
        let mut sort_in = |part| match part {
            Self::Literal(literal) => literals.push(literal),
            Self::All(_) => rest.push(part),
            Self::Any(_) => {}
        };
        for part in parts {
            match part {
                Self::Any(inner) => inner.into_iter().for_each(&mut sort_in),
                part @ (Self::Literal(_) | Self::All(_)) => sort_in(part),
            }
        }
        if rest.contains(&Self::TRUE) {
            return Self::TRUE;
        }
        literal::disjoin(literals).map_or(Self::TRUE, |literals| joined(literals, rest, Self::Any))
    }
}

/// Puts sorted, distinct parts together; a single part stands for itself.
fn joined(
    literals: Vec<Literal>,
    mut rest: Vec<Formula>,
    join: fn(Vec<Formula>) -> Formula,
) -> Formula {
    rest.sort();
    rest.dedup();
    let mut parts: Vec<_> = literals.into_iter().map(Formula::Literal).collect();
    parts.append(&mut rest);
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        join(parts)
    }
}

/// Literals that must all hold, sorted.
pub(super) type Term = Vec<Literal>;

/// Returns the terms of which one must hold: merged, sorted, none covered by another. Pauses after each
/// slice of the work.
pub(super) fn expand(formula: &Formula, pause: &mut dyn FnMut()) -> Result<Vec<Term>, Limit> {
    let mut work = ExpansionWork {
        left: WORK_MAX,
        slice_left: SLICE,
        pause,
    };
    let terms = work.expand(formula)?;
    let (single, rest): (Vec<_>, Vec<_>) = terms.into_iter().partition(|term| term.len() == 1);
    let Some(single) = literal::disjoin(single.into_iter().flatten()) else {
        return Ok(vec![Term::new()]);
    };
    let single = single.into_iter().map(|literal| vec![literal]);
    let terms = work.tidy(single.chain(rest).collect())?;
    Ok(terms)
}

/// The work of an expansion.
struct ExpansionWork<'p> {
    /// The work that is left, in compared values.
    left: usize,
    /// The work that is left before the next pause.
    slice_left: usize,
    pause: &'p mut dyn FnMut(),
}

impl ExpansionWork<'_> {
    fn charge(&mut self, amount: usize) -> Result<(), Limit> {
        self.left = self.left.checked_sub(amount).ok_or(Limit::TermsMax)?;
        self.slice_left = self.slice_left.saturating_sub(amount);
        if self.slice_left == 0 {
            self.slice_left = SLICE;
            (self.pause)();
        }
        Ok(())
    }

    fn expand(&mut self, formula: &Formula) -> Result<Vec<Term>, Limit> {
        match formula {
            Formula::Literal(literal) => Ok(vec![vec![literal.clone()]]),
            Formula::Any(parts) => {
                let mut terms = Vec::new();
                for part in parts {
                    terms.append(&mut self.expand(part)?);
                    check_expansion(&terms)?;
                }
                self.tidy(terms)
            }
            Formula::All(parts) => {
                let mut common = Term::new();
                let mut factors = Vec::new();
                for part in parts {
                    match part {
                        Formula::Literal(literal) => common.push(literal.clone()),
                        part @ (Formula::Any(_) | Formula::All(_)) => factors.push(part),
                    }
                }
                let mut terms = vec![common];
                for factor in factors {
                    let more = self.expand(factor)?;
                    terms = self.multiply(&terms, &more)?;
                }
                Ok(terms)
            }
        }
    }

    fn multiply(&mut self, left: &[Term], right: &[Term]) -> Result<Vec<Term>, Limit> {
        let mut terms = Vec::new();
        for one in left {
            for other in right {
                self.charge(weight(one) + weight(other))?;
                terms.extend(literal::conjoin(one.iter().chain(other).cloned()));
            }
            terms.sort_unstable();
            terms.dedup();
            check_expansion(&terms)?;
        }
        self.tidy(terms)
    }

    /// Sorts terms and drops those that another one covers.
    fn tidy(&mut self, mut terms: Vec<Term>) -> Result<Vec<Term>, Limit> {
        terms.sort_unstable();
        terms.dedup();
        let mut index = 0;
        while index < terms.len() {
            if self.is_covered(&terms, index)? {
                terms.remove(index);
            } else {
                index += 1;
            }
        }
        if terms.len() > TERMS_MAX {
            return Err(Limit::TermsMax);
        }
        Ok(terms)
    }

    /// Returns true when another term keeps everything that this one does.
    fn is_covered(&mut self, terms: &[Term], index: usize) -> Result<bool, Limit> {
        let Some(candidate) = terms.get(index) else {
            return Ok(false);
        };
        for (other_index, other) in terms.iter().enumerate() {
            if other_index != index && self.covers(other, candidate)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns true when everything that `narrow` keeps is kept by `wide` too.
    fn covers(&mut self, wide: &Term, narrow: &Term) -> Result<bool, Limit> {
        self.charge(1)?;
        for literal in wide {
            if !self.implies(narrow, literal)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns true when the literal holds whenever the term does: its opposite contradicts the term.
    fn implies(&mut self, term: &Term, literal: &Literal) -> Result<bool, Limit> {
        self.charge(term.len())?;
        let same_field = |other: &&Literal| literal.is_about_same(other);
        let premises: Vec<&Literal> = term.iter().filter(same_field).collect();
        if premises.is_empty() || premises.contains(&literal) {
            return Ok(!premises.is_empty());
        }
        let sizes: usize = premises.iter().map(|premise| premise.size()).sum();
        self.charge(sizes + literal.size())?;
        if let [premise] = premises.as_slice()
            && let Some(implies) = premise.implies_alone(literal)
        {
            return Ok(implies);
        }
        let opposite = literal.clone().negated();
        let against = premises.into_iter().cloned().chain([opposite]);
        Ok(literal::conjoin(against).is_none())
    }
}

fn weight(term: &Term) -> usize {
    1 + term.iter().map(Literal::size).sum::<usize>()
}

fn check_expansion(terms: &[Term]) -> Result<(), Limit> {
    if terms.len() > EXPANSION_MAX {
        Err(Limit::TermsMax)
    } else {
        Ok(())
    }
}
