//! Claiming copies, and reporting their outcome.

use std::fmt;

use heronry_types::{
    AckOutcome, ContentRef, Correlation, Cursor, Durability, Importance, MessageId, Millis,
    ReceiveId, RunId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{BodyBytes, BodyText};

/// Asks to claim copies. The body of `POST …/members/{run}/inbox/receive`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::receive())
)]
pub struct Receive {
    /// The name of the call: the same one returns the same live claims. Absent: a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_id: Option<ReceiveId>,
    /// The largest number of copies to claim. Absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The time that the call waits for a first copy, in milliseconds. Absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<Millis>,
    /// The time that the claims hold, in milliseconds. Absent: 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_ms: Option<Millis>,
    /// True when items are to carry their bodies. Absent: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<bool>,
    /// The acceptances of messages, as `cursor` of an item or of a receipt's response names them:
    /// only copies of these messages are claimed. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<Cursor>>,
}

/// The name of a claim, as the item gave it: `<position>@<position>`. Opaque to a client.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimName(pub String);

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One copy of a message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Item {
    /// The id of the message.
    pub message_id: MessageId,
    /// The run that sent the message.
    pub from: RunId,
    /// The cursor of the message's acceptance.
    pub cursor: Cursor,
    /// The number of the attempt, from 1; before the copy is claimed, the number of attempts so far.
    pub attempt: u32,
    /// The claim; absent when the copy was only looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimName>,
    /// The time at which the claim lapses; absent without a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_expires_at: Option<Timestamp>,
    /// The reference of the message's body.
    pub content_ref: ContentRef,
    /// The media type of the body.
    pub media_type: String,
    /// The body, when bodies were asked for and it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyText>,
    /// The body, when bodies were asked for and it is not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<BodyBytes>,
    /// The reason why the body, which was asked for, could not be read: `corrupt` when it is damaged, and else the
    /// `cause` or the name of the problem that asking for it by itself would answer. The copy is
    /// claimed like the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_error: Option<String>,
    /// The message that this one replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Correlations.
    #[serde(default)]
    pub correlation: Correlation,
    /// The urgency of the message.
    pub importance: Importance,
    /// Present and true for a reply that came after the message which asked for it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<bool>,
}

/// Copies that were claimed, or looked at.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InboxPage {
    /// The copies, in the order in which they are handed over.
    pub items: Vec<Item>,
    /// The number of copies that still wait in the inbox.
    pub unread: u64,
    /// The cursor of the record that claimed the copies; the head when nothing was claimed.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
}

/// Acknowledges claims: either `claims` or `up_to`. The body of `POST …/members/{run}/inbox/ack`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::ack()), schemars(extend("x-exactly-one-of" = ["claims", "up_to"]))
)]
pub struct Ack {
    /// The claims to acknowledge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimName>>,
    /// The last claim to acknowledge, with the earlier ones of the same receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<ClaimName>,
    /// The outcome that the reader reports. Absent: `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AckOutcome>,
    /// A short text, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Gives claims back. The body of `POST …/members/{run}/inbox/release`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::release_claims())
)]
pub struct ReleaseClaims {
    /// The claims to give back.
    pub claims: Vec<ClaimName>,
    /// The delay in milliseconds before the copies can be claimed again. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<Millis>,
}

/// Holds claims longer. The body of `POST …/members/{run}/inbox/extend`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::extend_claims())
)]
pub struct ExtendClaims {
    /// The claims to hold longer.
    pub claims: Vec<ClaimName>,
    /// The time that the claims hold from now on, in milliseconds.
    pub claim_ms: Millis,
}

/// Claims are held longer. The answer of `POST …/members/{run}/inbox/extend`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimsExtended {
    /// The claims that are held; the others were acknowledged before.
    pub held: Vec<ClaimName>,
    /// The cursor of the record of the change; the head when nothing had to change.
    pub cursor: Cursor,
    /// The durability of the store.
    pub durability: Durability,
}
