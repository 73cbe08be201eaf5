//! The part of its past that a pool keeps.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::Millis;

/// The part of its journal that a pool keeps. What is older than `age_ms`, or more than `bytes`, is trimmed in the
/// background; without either everything is kept.
#[derive(
    Clone, Copy, Debug, Decode, Default, Deserialize, Encode, Eq, Hash, PartialEq, Serialize,
)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Retention {
    /// The time in milliseconds for which records are kept.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<Millis>,
    /// The size in bytes up to which the records are kept, bodies not counted.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The number of the latest records that are kept in any case.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_min: Option<u64>,
}

impl Retention {
    /// Returns true when nothing is ever trimmed.
    pub fn keeps_everything(&self) -> bool {
        self.age_ms.is_none() && self.bytes.is_none()
    }

    /// Returns the setting as a pool has it: `None` when everything is kept, however many records are kept in any
    /// case.
    pub fn normalised(self) -> Option<Self> {
        (!self.keeps_everything()).then_some(self)
    }
}
