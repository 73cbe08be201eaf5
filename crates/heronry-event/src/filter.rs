#![doc = include_str!("../docs/FILTERS.md")]

mod build;
mod clause;
mod error;
mod explain;
mod feature;
mod field;
mod fingerprint;
mod formula;
mod lex;
mod literal;
mod lower;
mod members;
mod numbers;
mod outline;
mod parse;
mod print;
mod related;
mod syntax;
mod texts;

use std::{fmt, str::FromStr, sync::Arc};

pub use build::{CorrelationEntry, FilterBuilder, RelatedEntity};
pub use error::{CompileError, CompileErrors, ErrorKind, Limit};
pub use explain::{Explanation, FailedClause, NearMiss};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use outline::{Case, Known, Outline};

pub(crate) use clause::{Check, Clause};
pub(crate) use feature::{Feature, FeatureField, features_of};

use error::{Faults, exceeded};
use formula::{Formula, Term};
use literal::Literal;

use crate::{Envelope, Identity};

/// The newest version of the filter language. What an older version compiled means the same in a newer one.
pub const LANGUAGE_VERSION: u16 = 2;
/// The largest number of alternatives in a normal form.
pub const TERMS_MAX: usize = 64;
/// The largest number of comparisons in a text or in its normal form; a list is one.
pub const LITERALS_MAX: usize = 1024;
/// The largest depth to which parentheses, `!`, lists and calls may be nested, in levels.
pub const DEPTH_MAX: usize = 64;
/// The largest size of a text or of its normal form, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A compiled filter: a question about envelopes. Cheap to clone.
///
/// Filters are equal when their fingerprints are, and then they keep the same events.
#[derive(Clone)]
pub struct Filter {
    compiled: Arc<Compiled>,
}

struct Compiled {
    terms: Vec<Term>,
    text_bytes: usize,
    normal_form: String,
    fingerprint: Fingerprint,
    literals: usize,
}

/// The size of a filter, and the cost of waiting with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[non_exhaustive]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "FilterCost")
)]
pub struct Cost {
    /// The number of alternatives in the normal form.
    pub terms: usize,
    /// The number of comparisons in the normal form; a list is one.
    pub literals: usize,
    /// The number of values that one event is compared with at the worst, while a wake waits with
    /// the filter. Each value of a list is one. A range or a prefix counts 4. An alternative that
    /// names no value which an event must have counts 16 more: it is looked at for every event.
    #[serde(default)]
    pub per_event: usize,
}

impl Filter {
    /// Compiles filter text.
    ///
    /// # Errors
    /// [`CompileErrors`] with every error of the text, each with its place.
    pub fn compile(text: &str) -> Result<Self, CompileErrors> {
        Self::compile_in_slices(text, || {})
    }

    /// Compiles filter text, and calls `pause` after each slice of the work: others may go on then.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_in_slices(text: &str, mut pause: impl FnMut()) -> Result<Self, CompileErrors> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(exceeded(Limit::TextBytesMax, 0..text.len()).into());
        }
        let mut faults = Faults::default();
        let tokens = lex::tokens(text, &mut faults);
        let expression = parse::expression(&tokens, text.len(), &mut faults);
        let formula = lower::formula(&expression, &mut faults);
        match faults.into_errors() {
            Some(errors) => Err(errors),
            None => Self::of(&formula, Some(text.len()), &mut pause)
                .map_err(|limit| exceeded(limit, 0..text.len()).into()),
        }
    }

    /// Returns the filter that keeps every event; its text is `true`.
    pub fn all() -> Self {
        Self::of_terms(vec![Term::new()], Some(0))
    }

    /// Returns the filter that keeps no event; its text is `false`.
    pub fn nothing() -> Self {
        Self::of_terms(Vec::new(), Some(0))
    }

    /// Returns a builder of filters that name sets of values.
    pub fn builder() -> FilterBuilder {
        FilterBuilder::default()
    }

    /// Returns the filter that keeps the events which both filters keep.
    ///
    /// # Errors
    /// [`CompileErrors`] when it would be too large.
    pub fn and(&self, other: &Self) -> Result<Self, CompileErrors> {
        self.joined(other, Formula::all)
    }

    /// Returns the filter that keeps the events which one of the filters keeps.
    ///
    /// # Errors
    /// [`CompileErrors`] when it would be too large.
    pub fn or(&self, other: &Self) -> Result<Self, CompileErrors> {
        self.joined(other, Formula::any)
    }

    fn joined(
        &self,
        other: &Self,
        join: impl FnOnce([Formula; 2]) -> Formula,
    ) -> Result<Self, CompileErrors> {
        let formula = join([self.formula(), other.formula()]);
        let text_bytes = self.text_bytes() + other.text_bytes();
        let joined = Self::of(&formula, Some(text_bytes), &mut || {});
        joined.map_err(|limit| exceeded(limit, 0..0).into())
    }

    fn formula(&self) -> Formula {
        let terms = self.compiled.terms.iter();
        Formula::any(terms.map(|term| {
            let literals = term.iter().cloned();
            Formula::all(literals.map(Formula::literal))
        }))
    }

    fn of(
        formula: &Formula,
        text_bytes: Option<usize>,
        pause: &mut dyn FnMut(),
    ) -> Result<Self, Limit> {
        let filter = Self::of_terms(formula::expand(formula, pause)?, text_bytes);
        if filter.compiled.literals > LITERALS_MAX {
            return Err(Limit::LiteralsMax);
        }
        if filter.normal_form().len() > TEXT_BYTES_MAX {
            return Err(Limit::TextBytesMax);
        }
        Ok(filter)
    }

    fn of_terms(terms: Vec<Term>, text_bytes: Option<usize>) -> Self {
        let normal_form = print::terms(&terms);
        let literals = terms.iter().flatten().map(print::comparisons).sum();
        Self {
            compiled: Arc::new(Compiled {
                fingerprint: Fingerprint::of(&normal_form),
                text_bytes: text_bytes.unwrap_or(normal_form.len()),
                terms,
                normal_form,
                literals,
            }),
        }
    }

    /// Returns true when the filter keeps an event with this envelope. Touches no heap and parses
    /// nothing.
    pub fn matches(&self, envelope: &Envelope) -> bool {
        let mut terms = self.compiled.terms.iter();
        terms.any(|term| term.iter().all(|literal| literal.holds(envelope)))
    }

    /// Returns the fingerprint, which identifies the filter's meaning: the SHA-256 of its normal form.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.compiled.fingerprint
    }

    /// Returns the canonical text, which compiles to an equal filter.
    pub fn normal_form(&self) -> &str {
        &self.compiled.normal_form
    }

    /// Returns the oldest version of the language that can say what the filter says: 1, and 2 when it asks
    /// for labels.
    pub fn language(&self) -> u16 {
        let literals = self.compiled.terms.iter().flatten();
        literals.map(Literal::language).max().unwrap_or(1)
    }

    /// Returns the size of the text that was compiled, in bytes: that of the canonical text for a
    /// filter that was built, and 0 for [`all`](Self::all) and [`nothing`](Self::nothing). It is no
    /// part of the filter's meaning.
    pub fn text_bytes(&self) -> usize {
        self.compiled.text_bytes
    }

    /// Returns the size of the filter, and its cost for an event while a wake waits with it.
    pub fn cost(&self) -> Cost {
        Cost {
            terms: self.compiled.terms.len(),
            literals: self.compiled.literals,
            per_event: self.cost_per_event(),
        }
    }

    /// Returns true when the filter was found to keep no event at all.
    pub fn is_nothing(&self) -> bool {
        self.compiled.terms.is_empty()
    }

    /// Returns true when the filter could keep some event of this run, agent and session.
    pub fn could_be_by(&self, identity: &Identity) -> bool {
        let mut terms = self.compiled.terms.iter();
        terms.any(|term| term.iter().all(|literal| literal.lets_in(identity)))
    }

    /// Says if the filter keeps an event with this envelope, and if not, which comparisons failed.
    pub fn explain(&self, envelope: &Envelope) -> Explanation {
        explain::explain(&self.compiled.terms, envelope)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({})", self.fingerprint())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.normal_form())
    }
}

impl FromStr for Filter {
    type Err = CompileErrors;
    fn from_str(text: &str) -> Result<Self, CompileErrors> {
        Self::compile(text)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.normal_form() == other.normal_form()
    }
}

impl Eq for Filter {}
