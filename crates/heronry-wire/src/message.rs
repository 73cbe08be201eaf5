//! Sending.

use heronry_types::{
    Address, ContentRef, Correlation, DeliveryOptions, IdempotencyKey, Importance, MessageId,
    Millis, OnFull, Policies, ResponseContract, RunId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{BodyBytes, BodyText, chosen};

/// Asks to send a message. The body of `POST …/messages`.
///
/// It has one of `body`, `body_base64` and `content_ref` (`"body": ""` is an empty one), and at most one
/// of `expires_at` and `expires_in_ms`. The idempotency key may come as a header instead.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::send_message()), schemars(extend("x-exactly-one-of" = ["body", "body_base64", "content_ref"]))
)]
pub struct SendMessage {
    /// The message's id; absent: derived from the idempotency key.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "chosen::may"
    )]
    pub message_id: Option<MessageId>,
    /// The run that sends. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RunId>,
    /// The address of the message.
    pub to: Address,
    /// The body, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyText>,
    /// The body, as bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<BodyBytes>,
    /// The reference of a body that was stored before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_ref: Option<ContentRef>,
    /// The media type of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Correlations.
    #[serde(default, skip_serializing_if = "Correlation::is_empty")]
    pub correlation: Correlation,
    /// The message that this one replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The time at which the message expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The time in milliseconds, from the acceptance of the message, after which it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<Millis>,
    /// The idempotency key: the same key with the same request has the same outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// The policies that the message carries.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// The urgency of the message. Absent: `queue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    /// The replies that the message asks for: `{expected_responses, timeout_ms?, from?}`. `from`
    /// names the runs whose replies count; absent: all recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_contract: Option<ResponseContract>,
    /// The delay in milliseconds, from the acceptance of the message, before its copies can be
    /// claimed. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_after_ms: Option<Millis>,
    /// True when the message keeps the order of its sender: a recipient is given no other ordered
    /// message of that sender until its copy of this one has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// The treatment of the message when an inbox is full: `refuse` (absent: for a run) refuses the
    /// message, `skip` (absent: for every other address) leaves that recipient out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_full: Option<OnFull>,
    /// The time in milliseconds that this call waits until the message is over, as it is when the
    /// replies that it asks for have come. Absent: the call does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<Millis>,
}

/// Cancels a message. The body of `POST …/messages/{id}/cancel`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::cancel_message())
)]
pub struct CancelMessage {
    /// The run that sent the message. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RunId>,
}

impl SendMessage {
    /// Returns a request without a body under this key.
    pub fn new(to: Address, idempotency_key: IdempotencyKey) -> Self {
        Self {
            message_id: None,
            from: None,
            to,
            body: None,
            body_base64: None,
            content_ref: None,
            media_type: None,
            correlation: Correlation::new(),
            reply_to: None,
            expires_at: None,
            expires_in_ms: None,
            idempotency_key: Some(idempotency_key),
            policies: Policies::default(),
            importance: None,
            response_contract: None,
            deliver_after_ms: None,
            ordered: None,
            on_full: None,
            wait_ms: None,
        }
    }

    /// Returns the options of delivery that the request names.
    pub fn options(&self) -> DeliveryOptions {
        DeliveryOptions {
            importance: self.importance.unwrap_or_default(),
            deliver_after: self.deliver_after_ms,
            ordered: self.ordered.unwrap_or_default(),
            on_full: self.on_full,
        }
    }
}
