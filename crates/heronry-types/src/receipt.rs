//! Receipts: the state of a message and of its copies.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    AckOutcome, ContentRef, CopyState, Cursor, Durability, MessageId, MessageStatus, Response,
    ResponseContract, RunId, Timestamp, vocab::vocabulary,
};

vocabulary! {
    /// The reason why a copy could not be handed over.
    Undeliverable {
        Left = "left",
        RunEnded = "run_ended",
        Lost = "member_lost",
        Policy = "policy",
        InboxFull = "inbox_full",
    }
}

vocabulary! {
    /// The reason why a message failed.
    MessageFailure {
        NoSuchMember = "no_such_member",
        NoRecipient = "no_recipient",
        RunEnded = "run_ended",
        Policy = "policy",
        ForeignPool = "foreign_pool",
        Unsatisfiable = "unsatisfiable",
        NotPeered = "not_peered",
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
    /// The point in the life of a message that somebody waits for. A message that is over has
    /// reached all these points, since nothing else is to come.
    ReceiptUntil {
        /// The message is over, however it ended.
        Ended = "ended",
        /// No copy is queued or claimed any more: each was acknowledged, or ended otherwise.
        Acked = "acked",
        /// The replies that the message asks for have come, or it is over without them.
        Responded = "responded",
    }
}

/// The standing of one recipient's copy.
#[derive(Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CopyStanding {
    /// The state of the copy.
    #[n(0)]
    pub state: CopyState,
    /// The number of claims of the copy that count as attempts.
    #[n(1)]
    pub attempt: u32,
    /// The reason why the copy is undeliverable; absent when it is not.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Undeliverable>,
    /// The outcome that the reader gave when it acknowledged the copy; absent until then.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AckOutcome>,
}

/// One recipient in a [`Receipt`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecipientStanding {
    /// The recipient.
    pub run_id: RunId,
    /// The state of the recipient's copy.
    pub state: CopyState,
    /// The reason why the copy is undeliverable, or `member_lost` while the recipient of a live copy is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Undeliverable>,
    /// The number of claims of the copy that count as attempts.
    pub attempt: u32,
    /// The outcome that the reader gave when it acknowledged the copy; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AckOutcome>,
}

/// One step in a [`Receipt`]'s timeline.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimelineEntry {
    /// The time at which the step was recorded.
    pub at: Timestamp,
    /// The cursor of the record.
    pub cursor: Cursor,
    /// The step that the message or the copy took.
    pub state: TimelineState,
    /// The recipient whose copy took the step; absent when the step is of the whole message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// The state of a message and of its copies, read at `as_of`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// The id of the message.
    pub message_id: MessageId,
    /// The run that sent the message.
    pub from: RunId,
    /// The status of the message.
    pub status: MessageStatus,
    /// The reason why the message failed; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MessageFailure>,
    /// The reference of the message's body.
    pub content_ref: ContentRef,
    /// The cursor of the record in which the message was accepted; the same in every answer about it.
    pub cursor: Cursor,
    /// The head at which the receipt was read.
    pub as_of: Cursor,
    /// The durability with which the store keeps the message.
    pub durability: Durability,
    /// The replies that the message asks for; absent when it asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_contract: Option<ResponseContract>,
    /// The time at which the message stops waiting for replies; absent without a timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The replies so far that count, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<Response>,
    /// Every recipient, sorted by run id.
    pub recipients: Vec<RecipientStanding>,
    /// The runs that were addressed and get no copy, because they have no edge with the sender.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_peered: Vec<RunId>,
    /// The steps of the message and of its copies, oldest first.
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
