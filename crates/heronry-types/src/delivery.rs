//! How a message is handed over, when that is not the usual way.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Importance, Millis, vocab::vocabulary};

vocabulary! {
    /// What becomes of a message when an inbox is full.
    OnFull {
        /// The whole message is refused; its sender may try again.
        Refuse = "refuse",
        /// The recipient gets no copy; the others do.
        Skip = "skip",
    }
}

/// How a message is handed over, when that is not the usual way.
#[derive(Clone, Copy, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryOptions {
    /// How urgent it is: more urgent copies are claimed before others.
    #[n(0)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "is_usual")]
    pub importance: Importance,
    /// How long after its acceptance its copies can be claimed.
    #[n(1)]
    #[serde(
        default,
        rename = "deliver_after_ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub deliver_after: Option<Millis>,
    /// Whether no other ordered message of its sender is handed to the same recipient before its copy
    /// there has ended.
    #[n(2)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "is_usual")]
    pub ordered: bool,
    /// What becomes of it when an inbox is full; absent: what is usual for its address.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_full: Option<OnFull>,
}

impl DeliveryOptions {
    /// Returns true when the message is handed over in the usual way.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
