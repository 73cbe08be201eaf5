//! Records about messages. The sender (or the acting member) stands in the lineage.
//!
//! A message is referred to by the position of its acceptance, never by its id alone.

use std::{fmt, sync::Arc};

use heronry_types::{
    AckOutcome, Address, ChosenBy, ContentRef, CopyStanding, DeliveryOptions, IdempotencyKey,
    MediaType, MessageFailure, MessageId, Millis, Policies, Position, ReceiveId, ReleaseReason,
    RunId, Timestamp, TopicId, Undeliverable,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::reply::Thread;
use super::skipped::Skipped;
use crate::hex::{deserialize_hex, serialize_hex};

/// A hash of a request as it was asked: 128 bits of BLAKE3.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
#[cbor(transparent)]
pub struct RequestHash(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 16],
);

impl Serialize for RequestHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for RequestHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_hex(deserializer).map(Self)
    }
}

/// A message was accepted: the intent to deliver it.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageAccepted {
    /// The id of the message; unique per (pool, sender).
    #[n(0)]
    pub message_id: MessageId,
    /// The address of the message.
    #[n(1)]
    pub to: Address,
    /// The reference of the message's body.
    #[n(2)]
    pub content_ref: ContentRef,
    /// The media type of the body.
    #[n(3)]
    pub media_type: MediaType,
    /// The size of the body in bytes.
    #[n(4)]
    pub body_bytes: u64,
    /// The message that this one replies to, as the sender named it.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The time at which the message expires; absent when it does not.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The policies that the message carries.
    #[n(7)]
    #[cbor(default)]
    pub policies: Policies,
    /// The key of the request.
    #[n(8)]
    pub idempotency_key: IdempotencyKey,
    /// The hash of the request.
    #[n(9)]
    pub request_hash: RequestHash,
    /// The link to the message that this one replies to, and the replies that it asks for.
    #[n(10)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<Box<Thread>>,
    /// The options of delivery; absent: the usual way. An older build would ignore them, so that
    /// such a record has a version of its own; index 10 is taken.
    #[n(11)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Box<DeliveryOptions>>,
}

/// The recipients of a message: sorted by run id, distinct. Cheap to clone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recipients(pub Arc<[RunId]>);

impl<C> Encode<C> for Recipients {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(self.0.len() as u64)?;
        self.0
            .iter()
            .try_for_each(|run| run.encode(encoder, context))
    }
}

impl<'b, C> Decode<'b, C> for Recipients {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Vec::<RunId>::decode(decoder, context).map(|runs| Self(runs.into()))
    }
}

impl Serialize for Recipients {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Recipients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<RunId>::deserialize(deserializer).map(|runs| Self(runs.into()))
    }
}

/// A message was delivered: the result of its acceptance, always in the same append.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageDelivered {
    /// The position of the acceptance.
    #[n(0)]
    pub accepted: Position,
    /// The id of the message.
    #[n(1)]
    pub message_id: MessageId,
    /// The message that this one replies to.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The topic that was addressed.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicId>,
    /// The runs that get a copy, stored only here.
    #[n(4)]
    pub recipients: Recipients,
    /// The recipients whose inbox was full: their copies end here.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
}

impl MessageDelivered {
    /// Returns true when the recipient of this number from 0 gets no copy.
    pub fn is_skipped(&self, index: usize) -> bool {
        let skipped = self.skipped.as_ref();
        skipped.is_some_and(|skipped| skipped.contains(index))
    }
}

/// A message as records of many messages name it.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CopyName {
    /// The position of the acceptance.
    #[n(0)]
    pub accepted: Position,
    /// The id of the message.
    #[n(1)]
    pub message_id: MessageId,
}

/// A copy that was claimed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FetchedCopy {
    /// The message.
    #[n(0)]
    pub copy: CopyName,
    /// The number of the attempt, from 1.
    #[n(1)]
    pub attempt: u32,
}

/// A copy that ended when it was about to be claimed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UndeliverableCopy {
    /// The message.
    #[n(0)]
    pub copy: CopyName,
    /// The reason why the copy could not be handed over.
    #[n(1)]
    pub why: Undeliverable,
}

/// A member claimed copies: one record for one call.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageFetched {
    /// The id of the call.
    #[n(0)]
    pub receive_id: ReceiveId,
    /// The time at which the claims lapse.
    #[n(1)]
    pub claimed_until: Timestamp,
    /// The time that the claims were asked for, in milliseconds.
    #[n(2)]
    pub claim_ms: Millis,
    /// The copies that were claimed.
    #[n(3)]
    pub copies: Vec<FetchedCopy>,
    /// Copies that could not be handed over any more.
    #[n(4)]
    pub undeliverable: Vec<UndeliverableCopy>,
    /// The way in which the copies were chosen; absent: it was their turn.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<ChosenBy>,
}

/// A claim on one copy. Text: `<acceptance>@<fetch>`; never used again for another claim.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Claim {
    /// The position of the acceptance of the message.
    #[n(0)]
    pub accepted: Position,
    /// The position of the record that claimed the copy.
    #[n(1)]
    pub fetched: Position,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.accepted, self.fetched)
    }
}

impl Serialize for Claim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text that is not a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a claim; write <position>@<position>, as the item that was received says")]
#[non_exhaustive]
pub struct ClaimError;

impl std::str::FromStr for Claim {
    type Err = ClaimError;
    fn from_str(text: &str) -> Result<Self, ClaimError> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let canonical = text == "0" || !text.starts_with('0');
            text.parse()
                .ok()
                .filter(|_| digits && canonical)
                .map(Position)
        };
        let (accepted, fetched) = text.split_once('@').ok_or(ClaimError)?;
        match (number(accepted), number(fetched)) {
            (Some(accepted), Some(fetched)) => Ok(Self { accepted, fetched }),
            (None, _) | (_, None) => Err(ClaimError),
        }
    }
}

/// A member acknowledged copies: one record for one call.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageAcked {
    /// The claims, each with the id of its message.
    #[n(0)]
    pub claims: Vec<(Claim, MessageId)>,
    /// The outcome that the member reported.
    #[n(1)]
    pub outcome: AckOutcome,
    /// A short text from the member.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Claims were given back: one record for one call, or for one member and tick.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageReleased {
    /// The claims, each with the id of its message.
    #[n(0)]
    pub claims: Vec<(Claim, MessageId)>,
    /// The reason why the claims were given back.
    #[n(1)]
    pub reason: ReleaseReason,
    /// The time from which the copies can be claimed again. Absent: at once.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_at: Option<Timestamp>,
}

/// A member extended claims: one record for one call.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageExtended {
    /// The claims, each with the id of its message and the time at which it lapses now.
    #[n(0)]
    pub claims: Vec<(Claim, MessageId, Timestamp)>,
}

/// A message failed at its acceptance: nobody got a copy.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageFailed {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The reason why the message failed.
    #[n(1)]
    pub reason: MessageFailure,
}

/// A message expired.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageExpired {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The standing in which every copy ended, in the order of the stored recipients.
    #[n(1)]
    pub copies: Vec<CopyStanding>,
}

/// A message was cancelled: its queued copies end with it; a copy under a claim goes on.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageCancelled {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The standing of every copy from here on, in the order of the stored recipients.
    #[n(1)]
    pub copies: Vec<CopyStanding>,
}

/// The last copy of a message ended, and nothing else ended it before.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSettled {
    /// The message.
    #[n(0)]
    pub message: CopyName,
    /// The standing in which every copy ended, in the order of the stored recipients.
    #[n(1)]
    pub copies: Vec<CopyStanding>,
}
