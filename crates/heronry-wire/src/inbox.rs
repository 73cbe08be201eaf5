//! Claiming copies, and saying what became of them.

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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receive {
    /// Names the call: the same one returns the same live claims. Absent: a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub receive_id: Option<ReceiveId>,
    /// How many copies at the most. Absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// How long to wait for a first copy. Absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub wait_ms: Option<Millis>,
    /// How long the claims hold. Absent: 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub claim_ms: Option<Millis>,
    /// Whether items carry their bodies. Absent: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<bool>,
    /// Claim only copies of the messages with these acceptances, as `cursor` of an item or of a
    /// receipt's response names them. Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub only: Option<Vec<Cursor>>,
}

/// Names a claim, as the item said: `<position>@<position>`. Opaque to a client.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimName(pub String);

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One copy of a message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    /// The message.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message_id: MessageId,
    /// Who sent it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub from: RunId,
    /// Its acceptance.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// Which attempt this is, from 1; before it is claimed, how many there were.
    pub attempt: u32,
    /// The claim; absent when the copy was only looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimName>,
    /// When the claim lapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub claim_expires_at: Option<Timestamp>,
    /// Its body.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub content_ref: ContentRef,
    /// The media type of its body.
    pub media_type: String,
    /// The body, when bodies were asked for and it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyText>,
    /// The body, when bodies were asked for and it is not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<BodyBytes>,
    /// Why the body, which was asked for, could not be read: `corrupt` when it is damaged, and else the
    /// `cause` or the name of the problem that asking for it by itself would answer. The copy is
    /// claimed like the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_error: Option<String>,
    /// The message it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub reply_to: Option<MessageId>,
    /// Correlations.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = HashMap<String, String>))]
    pub correlation: Correlation,
    /// How urgently it is handed over.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub importance: Importance,
    /// Present and true for a reply that came after the message which asked for it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<bool>,
}

/// Copies that were claimed, or looked at.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxPage {
    /// The copies, in the order in which they are handed over.
    pub items: Vec<Item>,
    /// How many more wait.
    pub unread: u64,
    /// The record that claimed them; the head when nothing was claimed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// How safely the store keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
}

/// Acknowledges claims. The body of `POST …/members/{run}/inbox/ack`: either `claims` or `up_to`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ack {
    /// These claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimName>>,
    /// This claim and the earlier ones of the same receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<ClaimName>,
    /// What became of them. Absent: `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub outcome: Option<AckOutcome>,
    /// A short text, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Gives claims back. The body of `POST …/members/{run}/inbox/release`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleaseClaims {
    /// These claims.
    pub claims: Vec<ClaimName>,
    /// How long until the copies can be claimed again. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub delay_ms: Option<Millis>,
}

/// Holds claims longer. The body of `POST …/members/{run}/inbox/extend`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtendClaims {
    /// These claims.
    pub claims: Vec<ClaimName>,
    /// How long from now.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub claim_ms: Millis,
}

/// Claims are held longer. The answer of `POST …/members/{run}/inbox/extend`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimsExtended {
    /// Those of the claims that are held; the others were acknowledged before.
    pub held: Vec<ClaimName>,
    /// The record of the change; the head when nothing had to change.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Cursor,
    /// How safely the store keeps it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub durability: Durability,
}
