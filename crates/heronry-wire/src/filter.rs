//! Compiling a filter without using it.

use heronry_event::filter::{Cost, Fingerprint};
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
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub fingerprint: Fingerprint,
    /// Its canonical form, as text.
    pub normal_form: String,
    /// How large it is: alternatives and comparisons.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub cost: Cost,
}
