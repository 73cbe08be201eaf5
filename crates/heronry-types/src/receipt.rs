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

vocabulary! {
    /// The point in the life of a message that somebody waits for. A message that is over has reached
    /// every one of them: nothing else is to come.
    ReceiptUntil {
        /// It is over, however it ended.
        Ended = "ended",
        /// No copy is queued or claimed any more: each was acknowledged, or ended otherwise.
        Acked = "acked",
        /// The replies that it asks for have come, or it is over without them.
        Responded = "responded",
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

impl Receipt {
    /// Returns true when the message has its terminal outcome.
    pub fn is_over(&self) -> bool {
        self.status.is_over()
    }

    /// Returns true when the message has come to this point, or is over.
    pub fn has_reached(&self, until: ReceiptUntil) -> bool {
        let is_live =
            |it: &RecipientStanding| matches!(it.state, CopyState::Queued | CopyState::Claimed);
        match until {
            ReceiptUntil::Ended | ReceiptUntil::Responded => self.is_over(),
            ReceiptUntil::Acked => self.is_over() || !self.recipients.iter().any(is_live),
        }
    }

    /// Returns true when something happened to the message after this cursor.
    pub fn has_changed_since(&self, seen: Cursor) -> bool {
        let last = self.timeline.last();
        last.is_some_and(|last| last.cursor.position > seen.position)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Vocabulary;

    fn receipt(status: &str, copies: &[&str]) -> Receipt {
        let copies = copies.iter().enumerate();
        let recipients = copies
            .map(|(n, state)| json!({"run_id": format!("r{n}"), "state": state, "attempt": 1}));
        let at = |position: u64| format!("{}-{position}", "07".repeat(16));
        let step = json!({"at": "2026-11-20T08:15:30.125Z", "cursor": at(4), "state": "accepted"});
        serde_json::from_value(json!({
            "message_id": "m", "from": "a", "status": status, "cursor": at(4), "as_of": at(6),
            "content_ref": format!("content:{}", "0a".repeat(16)), "durability": "fsync",
            "recipients": recipients.collect::<Vec<_>>(), "timeline": [step],
        }))
        .unwrap()
    }

    fn check(receipt: &Receipt, expected: &[ReceiptUntil]) {
        let reached = ReceiptUntil::ALL.iter().copied();
        let reached: Vec<_> = reached.filter(|it| receipt.has_reached(*it)).collect();
        assert_eq!(reached, expected, "{receipt:?}");
    }

    #[test]
    fn a_message_that_is_over_has_reached_every_point() {
        for status in MessageStatus::ALL {
            let receipt = receipt(status.wire_name(), &["acked", "claimed"]);
            let is_over = *status != MessageStatus::Delivered;
            check(&receipt, if is_over { ReceiptUntil::ALL } else { &[] });
        }
    }

    #[test]
    fn copies_that_have_ended_are_acked_whatever_became_of_them() {
        let acked = &[ReceiptUntil::Acked];
        check(
            &receipt("delivered", &["acked", "dead", "undeliverable"]),
            acked,
        );
        check(
            &receipt("delivered", &["acked", "expired", "cancelled"]),
            acked,
        );
        check(&receipt("delivered", &["acked", "queued"]), &[]);
    }

    #[test]
    fn a_change_comes_after_what_was_seen() {
        let receipt = receipt("delivered", &[]);
        let at = |position| Cursor::new(receipt.cursor.epoch, crate::Position(position));
        assert!(receipt.has_changed_since(at(3)));
        assert!(!receipt.has_changed_since(at(4)));
    }
}
