//! The replies that a sender asks for.

use std::{collections::BTreeSet, num::NonZeroU32};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ContentRef, Cursor, MessageId, Millis, RunId, vocab::vocabulary};

/// The replies that a message asks for: their number, their senders, and the time that it waits.
///
/// Each recipient counts once, and the sender never. A recipient that acknowledges its copy without
/// a reply has declined.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResponseContract {
    /// The number of recipients that have to reply; at least 1.
    #[n(0)]
    pub expected_responses: NonZeroU32,
    /// The time that the message waits for its replies, in milliseconds from its acceptance.
    /// Absent: it waits until they have come, or cannot come any more.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Millis>,
    /// The recipients whose replies count. Absent: all recipients.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<BTreeSet<RunId>>,
}

impl ResponseContract {
    /// Returns a contract for this many replies from any recipients, without a timeout.
    pub fn new(expected_responses: NonZeroU32) -> Self {
        Self {
            expected_responses,
            timeout_ms: None,
            from: None,
        }
    }

    /// Returns true when replies of this recipient count.
    pub fn asks(&self, run: &RunId) -> bool {
        self.from.as_ref().is_none_or(|from| from.contains(run))
    }
}

vocabulary! {
    /// The standing of a reply under the contract of the message that it replies to.
    ReplyStanding {
        /// The message asks for no reply, or not for this one.
        Uncounted = "uncounted",
        /// The reply counts.
        Counted = "counted",
        /// The reply came after the message was over.
        Late = "late",
    }
}

/// A reply that counts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Response {
    /// The recipient that replied.
    pub run_id: RunId,
    /// The id of the reply.
    pub message_id: MessageId,
    /// The cursor of the record in which the reply was accepted.
    pub cursor: Cursor,
    /// The body of the reply.
    pub content_ref: ContentRef,
}
