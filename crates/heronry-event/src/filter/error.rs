//! The errors for which a filter is refused: all at once, each with its place.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// The largest number of errors that are reported at once. An exceeded limit is reported all the same.
const ERRORS_MAX: usize = 32;

/// A limit of filters. Its value is in [`Limit::max`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "FilterLimit")
)]
pub enum Limit {
    /// Alternatives in the normal form.
    TermsMax,
    /// Comparisons in the text or its normal form; a list is one.
    LiteralsMax,
    /// Nesting of parentheses, `!`, lists and calls.
    DepthMax,
    /// Bytes of the text or its normal form.
    TextBytesMax,
}

impl Limit {
    /// Returns the value of the limit.
    pub const fn max(self) -> usize {
        match self {
            Self::TermsMax => super::TERMS_MAX,
            Self::LiteralsMax => super::LITERALS_MAX,
            Self::DepthMax => super::DEPTH_MAX,
            Self::TextBytesMax => super::TEXT_BYTES_MAX,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::TermsMax => "TERMS_MAX (64) alternatives are exceeded; register several filters",
            Self::LiteralsMax => {
                "LITERALS_MAX (1024) comparisons are exceeded; use lists with `in`"
            }
            Self::DepthMax => "DEPTH_MAX (64) nesting levels are exceeded; remove parentheses",
            Self::TextBytesMax => "TEXT_BYTES_MAX (16384) bytes are exceeded; shorten the filter",
        }
    }
}

/// The kind of an error of a filter.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "FilterErrorKind")
)]
pub enum ErrorKind {
    /// The text is not an expression.
    Syntax,
    /// The envelope has no such field, or it cannot be filtered on.
    UnknownField,
    /// A vocabulary has no such name, so that the comparison could never hold.
    UnknownName,
    /// The construct is CEL but not part of the filter language.
    Unsupported,
    /// A field is compared with a value that it can never have.
    Mismatch,
    /// A set in a builder is empty.
    EmptySet,
    /// A limit is exceeded.
    Limit(Limit),
}

/// One error of a filter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[error("{message}{} (bytes {}..{})", Suggested(suggestion.as_deref()), span.start, span.end)]
#[non_exhaustive]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "FilterError")
)]
pub struct CompileError {
    /// The place of the error, in bytes of the text.
    #[cfg_attr(feature = "schema", schemars(with = "TextSpan"))]
    pub span: Range<usize>,
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The message: the fault, and what to write instead.
    pub message: String,
    /// The text that was probably meant in place of the span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// A place in a text.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[expect(
    dead_code,
    reason = "the names of a range's members, for schemas alone"
)]
struct TextSpan {
    /// The number of bytes before the place.
    start: usize,
    /// The number of bytes up to the end of the place.
    end: usize,
}

struct Suggested<'a>(Option<&'a str>);

impl fmt::Display for Suggested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |meant| write!(f, "; did you mean {meant}?"))
    }
}

/// Every error of a filter, in order of their places; never empty.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CompileErrors(Vec<CompileError>);

impl CompileErrors {
    /// Walks the errors.
    pub fn iter(&self) -> std::slice::Iter<'_, CompileError> {
        self.0.iter()
    }

    /// Returns the errors.
    pub fn as_slice(&self) -> &[CompileError] {
        &self.0
    }

    /// Returns the first limit that is exceeded; nothing when no limit is.
    pub fn limit(&self) -> Option<Limit> {
        self.iter().find_map(|error| match error.kind {
            ErrorKind::Limit(limit) => Some(limit),
            ErrorKind::Syntax
            | ErrorKind::UnknownField
            | ErrorKind::UnknownName
            | ErrorKind::Unsupported
            | ErrorKind::Mismatch
            | ErrorKind::EmptySet => None,
        })
    }
}

impl fmt::Display for CompileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.iter();
        if let Some(first) = errors.next() {
            write!(f, "{first}")?;
        }
        errors.try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl std::error::Error for CompileErrors {}

impl<'a> IntoIterator for &'a CompileErrors {
    type Item = &'a CompileError;
    type IntoIter = std::slice::Iter<'a, CompileError>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<CompileError> for CompileErrors {
    fn from(error: CompileError) -> Self {
        Self(vec![error])
    }
}

/// Collects errors while a filter is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<CompileError>);

impl Faults {
    pub(super) fn push(&mut self, kind: ErrorKind, span: &Range<usize>, message: String) {
        self.add(CompileError {
            span: span.clone(),
            kind,
            message,
            suggestion: None,
        });
    }

    /// Keeps the error, unless its place was refused already or there are enough; a limit is always
    /// named.
    pub(super) fn add(&mut self, error: CompileError) {
        let is_repeated = self.0.iter().any(|earlier| earlier.span == error.span);
        let is_limit = matches!(error.kind, ErrorKind::Limit(_));
        if is_limit || (self.0.len() < ERRORS_MAX && !is_repeated) {
            self.0.push(error);
        }
    }

    pub(super) fn limit(&mut self, limit: Limit, span: &Range<usize>) {
        self.add(exceeded(limit, span.clone()));
    }

    /// Returns the errors in order of their places, or nothing when there are none.
    pub(super) fn into_errors(mut self) -> Option<CompileErrors> {
        self.0
            .sort_by_key(|error| (error.span.start, error.span.end));
        (!self.0.is_empty()).then_some(CompileErrors(self.0))
    }
}

/// Returns the error that names a limit.
pub(super) fn exceeded(limit: Limit, span: Range<usize>) -> CompileError {
    CompileError {
        span,
        kind: ErrorKind::Limit(limit),
        message: limit.advice().to_owned(),
        suggestion: None,
    }
}
