//! What a server is.

use serde::{Deserialize, Serialize};

/// What a server is: the answer of `GET /v1/version`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// `heronry`.
    pub name: String,
    /// The version of the build, as `0.1.0`.
    pub version: String,
    /// The version of the API: `v1`.
    pub api: String,
}
