//! What became of a message.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    AckOutcome, ContentRef, CopyState, Cursor, Durability, MessageId, MessageStatus, Response,
    ResponseContract, RunId, Timestamp, vocab::vocabulary,
};

vocabulary! {
    /// Why a copy could not be handed over.
    Undeliverable {
        Left = "left",
        RunEnded = "run_ended",
        Lost = "member_lost",
        Policy = "policy",
        InboxFull = "inbox_full",
    }
}

vocabulary! {
    /// Why a message failed.
    MessageFailure {
        NoSuchMember = "no_such_member",
        NoRecipient = "no_recipient",
        RunEnded = "run_ended",
        Policy = "policy",
        ForeignPool = "foreign_pool",
        Unsatisfiable = "unsatisfiable",
    }
}

vocabulary! {
    /// A step in the life of a message or of one copy.
    TimelineState {
        Accepted = "accepted",
        Delivered = "delivered",
        Claimed = "claimed",
        Released = "released",
        Acked = "acked",
        Undeliverable = "undeliverable",
        Dead = "dead",
        Replayed = "replayed",
        Responded = "responded",
        Failed = "failed",
        TimedOut = "timed_out",
        Expired = "expired",
        Cancelled = "cancelled",
        Settled = "settled",
        Replied = "replied",
    }
}

/// Where one recipient's copy stands.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CopyStanding {
    /// The state.
    #[n(0)]
    pub state: CopyState,
    /// How often the copy has been claimed and counted.
    #[n(1)]
    pub attempt: u32,
    /// Why it is undeliverable.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Undeliverable>,
    /// What the reader said when it acknowledged.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AckOutcome>,
}

/// One recipient in a [`Receipt`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RecipientStanding {
    /// The recipient.
    pub run_id: RunId,
    /// Where its copy stands.
    pub state: CopyState,
    /// Why it is undeliverable, or why it stands still: `member_lost` while the recipient is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Undeliverable>,
    /// How often the copy has been claimed and counted.
    pub attempt: u32,
    /// What the reader said when it acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AckOutcome>,
}

/// One step in a [`Receipt`]'s timeline.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// When it was recorded.
    pub at: Timestamp,
    /// The record.
    pub cursor: Cursor,
    /// What happened.
    pub state: TimelineState,
    /// Whose copy it happened to; absent when it is about the whole message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// What became of a message, read at `as_of`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Receipt {
    /// The message.
    pub message_id: MessageId,
    /// Who sent it.
    pub from: RunId,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MessageFailure>,
    /// Its body.
    pub content_ref: ContentRef,
    /// Its acceptance, in every answer about it.
    pub cursor: Cursor,
    /// The head at which the receipt was read.
    pub as_of: Cursor,
    /// How safely the store keeps it.
    pub durability: Durability,
    /// The replies that it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_contract: Option<ResponseContract>,
    /// When it stops waiting for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The replies so far that count, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<Response>,
    /// Every recipient, sorted by run id.
    pub recipients: Vec<RecipientStanding>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
}
