//! Compiling a filter without using it.

use heronry_event::filter::{Cost, Fingerprint};
use serde::{Deserialize, Serialize};

/// Checks and compiles a filter. The body of `POST /v1/filters/compile`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::compile_filter())
)]
pub struct CompileFilter {
    /// The text of the filter.
    pub filter: String,
}

/// A filter that is valid.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CompiledFilter {
    /// The fingerprint: `sha256:` and the hex digest of the canonical form.
    pub fingerprint: Fingerprint,
    /// The canonical form of the filter, as text.
    pub normal_form: String,
    /// The size of the filter, as alternatives and comparisons, and its cost for an event.
    pub cost: Cost,
}
