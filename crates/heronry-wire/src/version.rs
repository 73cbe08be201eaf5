//! The version of a server.

use serde::{Deserialize, Serialize};

/// The version of a server and of its API. The answer of `GET /v1/version`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Version {
    /// The name: `heronry`.
    pub name: String,
    /// The version of the build, as `0.1.0`.
    pub version: String,
    /// The version of the API: `v1`.
    pub api: String,
}
