//! Records about messages. The sender (or the acting member) stands in the lineage.
//!
//! A message is referred to by the position of its acceptance, never by its id alone.

use std::{fmt, sync::Arc};

use heronry_types::{
    AckOutcome, Address, AliasName, ChosenBy, ContentRef, DeliveryOptions, EventKind,
    IdempotencyKey, MediaType, MessageId, Millis, Policies, Position, ReceiveId, ReleaseReason,
    RunId, Timestamp, TopicId, Undeliverable,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

use super::reply::{self, Thread};
use super::skipped::Skipped;
use crate::hex::{deserialize_hex, serialize_hex};

#[cfg(test)]
mod samples;

/// So many policies (two ids each), beside as many correlations, have at most 256 KiB together.
const FEW: usize = 128;
/// So many recipients have at most 512 KiB.
const RECIPIENTS_FEW: usize = 1_000;

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
    /// The alias that the message was sent to; absent: it was sent to the address itself. Since version 4.
    #[n(12)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<Box<AliasName>>,
}

impl RecordBody for MessageAccepted {
    const NUMBER: u16 = 20;
    const NEWEST_VERSION: u16 = 4;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        reply::version_of(self)
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageAccepted
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Message(&self.message_id));
        self.reply_to
            .iter()
            .map(Touch::ReplyTo)
            .for_each(&mut *touched);
        self.to
            .topic()
            .map(Touch::Topic)
            .into_iter()
            .for_each(&mut *touched);
        touched(Touch::SentTo(&self.to));
        let alias = self.alias.as_deref();
        alias
            .map(Touch::SentToAlias)
            .into_iter()
            .for_each(&mut *touched);
        touched(Touch::Policies(&self.policies));
        touched(Touch::Reference(self.content_ref));
        if let Some(answered) = self.answering() {
            touched(Touch::Receipt(answered.accepted));
        }
    }

    fn size_class(&self) -> SizeClass {
        if self.policies.len() <= FEW && self.thread.is_none() {
            SizeClass::Small
        } else {
            SizeClass::Unknown
        }
    }
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
    /// The runs that were addressed and have no edge with the sender: they get no copy. Since version 3.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_peered: Option<Recipients>,
}

impl RecordBody for MessageDelivered {
    const NUMBER: u16 = 21;
    const NEWEST_VERSION: u16 = 3;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        match (&self.not_peered, &self.skipped) {
            (Some(_), _) => 3,
            (None, Some(_)) => 2,
            (None, None) => 1,
        }
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageDelivered
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Message(&self.message_id)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Message(&self.message_id));
        touched(Touch::Receipt(self.accepted));
        self.reply_to
            .iter()
            .map(Touch::ReplyTo)
            .for_each(&mut *touched);
        self.topic.iter().map(Touch::Topic).for_each(&mut *touched);
        touched(Touch::Recipients(&self.recipients, self.skipped.as_ref()));
    }

    fn size_class(&self) -> SizeClass {
        let not_peered = self.not_peered.as_ref().map_or(0, |runs| runs.0.len());
        if self.recipients.0.len() + not_peered <= RECIPIENTS_FEW {
            SizeClass::Small
        } else {
            SizeClass::Unknown
        }
    }
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

impl RecordBody for MessageFetched {
    const NUMBER: u16 = 22;
    const NEWEST_VERSION: u16 = 2;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1 + u16::from(self.chosen_by.is_some())
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageFetched
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        // There may be more behind what could not be handed over.
        let has_more = !self.undeliverable.is_empty();
        touched(Touch::OwnInbox { has_more });
        let gone = self.undeliverable.iter().map(|gone| &gone.copy);
        let copies = self.copies.iter().map(|copy| &copy.copy);
        copies.chain(gone).map(CopyName::touch).for_each(touched);
    }
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

impl RecordBody for MessageAcked {
    const NUMBER: u16 = 23;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageAcked
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::OwnInbox { has_more: false });
        let copies = self.claims.iter();
        copies.map(|(claim, id)| claim.touch(id)).for_each(touched);
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
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

impl RecordBody for MessageReleased {
    const NUMBER: u16 = 24;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageReleased
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::OwnInbox { has_more: true });
        let copies = self.claims.iter();
        copies.map(|(claim, id)| claim.touch(id)).for_each(touched);
    }
}

/// A member extended claims: one record for one call.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageExtended {
    /// The claims, each with the id of its message and the time at which it lapses now.
    #[n(0)]
    pub claims: Vec<(Claim, MessageId, Timestamp)>,
}

impl RecordBody for MessageExtended {
    const NUMBER: u16 = 25;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::RunMessageExtended
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::OwnInbox { has_more: false });
        let claimed = self.claims.iter().map(|(_, id, _)| id);
        claimed.map(Touch::Claimed).for_each(touched);
    }
}
