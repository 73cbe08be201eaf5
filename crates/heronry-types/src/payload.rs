//! The payload of an event: never a body.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::EntityRef;

/// The payload that an event carries beside its envelope: never a body.
#[derive(Clone, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Payload {
    /// The event has no payload.
    #[default]
    #[n(0)]
    #[cfg_attr(feature = "schema", schemars(title = "NoPayload"))]
    EnvelopeOnly,
    /// A short text that may be shown, and references.
    #[n(1)]
    #[cfg_attr(feature = "schema", schemars(title = "SummaryPayload"))]
    Summary {
        /// The text.
        #[n(0)]
        summary: String,
        /// The references.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refs: Vec<EntityRef>,
    },
    /// References.
    #[n(2)]
    #[cfg_attr(feature = "schema", schemars(title = "RefsPayload"))]
    Refs {
        /// The references.
        #[n(0)]
        refs: Vec<EntityRef>,
    },
}
