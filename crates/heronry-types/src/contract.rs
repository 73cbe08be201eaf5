//! What a sender asks for beyond delivery: replies.

use std::{collections::BTreeSet, num::NonZeroU32};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ContentRef, Cursor, MessageId, Millis, RunId, vocab::vocabulary};

/// How many replies a message asks for, from whom, and for how long it waits.
///
/// Each recipient counts once, and the sender never. Who acknowledges its copy without a reply has
/// declined.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseContract {
    /// How many recipients have to reply.
    #[n(0)]
    pub expected_responses: NonZeroU32,
    /// How long after its acceptance the message waits for them; absent: until they have come, or
    /// cannot come any more.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Millis>,
    /// Whose replies count; absent: those of every recipient.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<BTreeSet<RunId>>,
}

impl ResponseContract {
    /// Returns a contract for so many replies, of whichever recipients, without a timeout.
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
    /// What a reply is to the contract of the message that it replies to.
    ReplyStanding {
        /// The message asks for no reply, or not for this one.
        Uncounted = "uncounted",
        /// It counts.
        Counted = "counted",
        /// It came after the message was over.
        Late = "late",
    }
}

/// A reply that counts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Response {
    /// Who replied.
    pub run_id: RunId,
    /// The reply.
    pub message_id: MessageId,
    /// Its acceptance.
    pub cursor: Cursor,
    /// Its body.
    pub content_ref: ContentRef,
}
