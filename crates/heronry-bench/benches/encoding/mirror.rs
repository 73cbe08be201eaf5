//! The reference send as plain structures that every encoding can write and read.
//!
//! Fields, ids and their order are those of the journal's records; hashes are byte strings in
//! each encoding, and absent fields are left out where the encoding can.

use std::{collections::BTreeMap, fmt};

use heronry_types::{
    AgentId, CorrelationKey, CorrelationValue, IdempotencyKey, MessageId, PolicyRef, PoolId, RunId,
    SessionId, TopicId, TurnId,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Sixteen bytes that are written as bytes, not as a list of numbers.
#[derive(Clone, Copy, Decode, Encode)]
#[cbor(transparent)]
pub(crate) struct Bits(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) [u8; 16],
);

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(BitsVisitor)
        } else {
            deserializer.deserialize_bytes(BitsVisitor)
        }
    }
}

struct BitsVisitor;

impl de::Visitor<'_> for BitsVisitor {
    type Value = Bits;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sixteen bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bits, E> {
        bytes.try_into().map(Bits).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bits, E> {
        let bits = u128::from_str_radix(text, 16).map_err(E::custom)?;
        Ok(Bits(bits.to_be_bytes()))
    }
}

#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) struct Lineage {
    #[n(0)]
    pub(crate) pool: PoolId,
    #[n(1)]
    pub(crate) run: Option<RunId>,
    #[n(2)]
    pub(crate) agent: Option<AgentId>,
    #[n(3)]
    pub(crate) session: Option<SessionId>,
    #[n(4)]
    pub(crate) turn: Option<TurnId>,
    #[n(5)]
    pub(crate) correlation: BTreeMap<CorrelationKey, CorrelationValue>,
    #[n(6)]
    pub(crate) caused_by: Option<u64>,
    #[n(7)]
    pub(crate) trace: Option<Bits>,
}

#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) enum Actor {
    #[n(0)]
    Engine,
    #[n(1)]
    Member {
        #[n(0)]
        run: RunId,
        #[n(1)]
        generation: u64,
    },
}

#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) enum Address {
    #[n(2)]
    Topic {
        #[n(0)]
        topic_id: TopicId,
    },
}

#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) struct Accepted {
    #[n(0)]
    pub(crate) message_id: MessageId,
    #[n(1)]
    pub(crate) to: Address,
    #[n(2)]
    pub(crate) content_ref: Bits,
    #[n(3)]
    pub(crate) media_type: String,
    #[n(4)]
    pub(crate) body_bytes: u64,
    #[n(5)]
    pub(crate) reply_to: Option<MessageId>,
    #[n(6)]
    pub(crate) expires_at: Option<i64>,
    #[n(7)]
    pub(crate) policies: Vec<PolicyRef>,
    #[n(8)]
    pub(crate) idempotency_key: IdempotencyKey,
    #[n(9)]
    pub(crate) request_hash: Bits,
}

#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) struct Delivered {
    #[n(0)]
    pub(crate) accepted: u64,
    #[n(1)]
    pub(crate) message_id: MessageId,
    #[n(2)]
    pub(crate) reply_to: Option<MessageId>,
    #[n(3)]
    pub(crate) topic: Option<TopicId>,
    #[n(4)]
    pub(crate) recipients: Vec<RunId>,
}

#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) struct Record<B> {
    #[n(0)]
    pub(crate) number: u16,
    #[n(1)]
    pub(crate) version: u16,
    #[n(2)]
    pub(crate) lineage: Lineage,
    #[n(3)]
    pub(crate) actor: Actor,
    #[n(4)]
    pub(crate) visibility: u8,
    #[n(5)]
    pub(crate) body: B,
}

/// Both records of a send.
#[derive(Decode, Deserialize, Encode, Serialize)]
pub(crate) struct SendRecords {
    #[n(0)]
    pub(crate) accepted: Record<Accepted>,
    #[n(1)]
    pub(crate) delivered: Record<Delivered>,
}

impl From<heronry_types::Lineage> for Lineage {
    fn from(lineage: heronry_types::Lineage) -> Self {
        Self {
            pool: lineage.pool,
            run: lineage.run,
            agent: lineage.agent,
            session: lineage.session,
            turn: lineage.turn,
            correlation: lineage
                .correlation
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            caused_by: lineage.caused_by.map(|position| position.0),
            trace: None,
        }
    }
}
