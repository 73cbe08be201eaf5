//! Options of delivery: urgency, delay, order, and the case of a full inbox.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Importance, Millis, vocab::vocabulary};

vocabulary! {
    /// The treatment of a message when the inbox of a recipient is full.
    OnFull {
        /// The whole message is refused; its sender may try again.
        Refuse = "refuse",
        /// The recipient gets no copy; the others do.
        Skip = "skip",
    }
}

/// The options of delivery of a message; every default is the usual way.
#[derive(Clone, Copy, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryOptions {
    /// The urgency of the message. More urgent copies are claimed before others.
    #[n(0)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "is_usual")]
    pub importance: Importance,
    /// The delay in milliseconds, from the acceptance of the message, before its copies can be
    /// claimed. Absent: no delay.
    #[n(1)]
    #[serde(
        default,
        rename = "deliver_after_ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub deliver_after: Option<Millis>,
    /// True when the message keeps the order of its sender: a recipient is given no other ordered
    /// message of that sender until its copy of this one has ended.
    #[n(2)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "is_usual")]
    pub ordered: bool,
    /// The treatment of the message when an inbox is full. Absent: `refuse` for a message to a run,
    /// `skip` for any other address.
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
