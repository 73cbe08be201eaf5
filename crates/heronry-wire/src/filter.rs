//! Compiling a filter without using it.

use serde::{Deserialize, Serialize};

/// Asks whether a filter is valid. The body of `POST /v1/filters/compile`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompileFilter {
    /// The text of the filter.
    pub filter: String,
}

/// A filter that is valid.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompiledFilter {
    /// `sha256:` and the hex digest of its canonical form.
    pub fingerprint: String,
    /// Its canonical form, as text.
    pub normal_form: String,
    /// How many clauses a match looks at, at the most.
    pub cost: u64,
}

/// Bytes of a filter's text, from `start` up to and without `end`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// One fault of a filter's text: a member of `errors` in the problem `filter-invalid`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilterFault {
    /// Where it is.
    pub span: Span,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What may have been meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}
