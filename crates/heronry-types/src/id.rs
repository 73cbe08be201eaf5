//! Identifiers that hosts choose: one generic type with a kind marker.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest id, in UTF-8 bytes.
pub const ID_BYTES_MAX: usize = 512;

/// The error for a text that is not an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    /// The text has no bytes.
    #[error("id is empty; give 1 to {ID_BYTES_MAX} bytes")]
    Empty,
    /// The text has more bytes than an id may have.
    #[error("id has {actual} bytes; shorten it to {max}")]
    TooLong {
        /// The largest length in bytes.
        max: usize,
        /// The length that was found, in bytes.
        actual: usize,
    },
    /// The text means a folder in a path, so that no path can name it.
    #[error("{found:?} cannot stand in a path; choose another id")]
    Folder {
        /// The text: `.` or `..`.
        found: &'static str,
    },
    /// The text has a control character.
    #[error("id has a control character at byte {index}; remove it")]
    ControlCharacter {
        /// Byte index of the first control character.
        index: usize,
    },
}

/// The kind of thing that an [`Id`] names. Implemented by the marker types in [`kind`].
pub trait IdKind: 'static {
    /// The Rust name of the id type, shown by `Debug`.
    const NAME: &'static str;
}

/// A host-chosen identifier: UTF-8, 1 to 512 bytes, no control characters.
///
/// Cheap to clone. Ordered as plain text. `Display` shows the value; `Debug` shows only
/// the kind and a short stable hash, so that logs correlate without leaking a host's id.
pub struct Id<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K: IdKind> Id<K> {
    /// Reads an id from text.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, longer than [`ID_BYTES_MAX`], or has a control character.
    pub fn parse(text: impl AsRef<str>) -> Result<Self, IdError> {
        let text = text.as_ref();
        check(text)?;
        Ok(Self {
            text: Arc::from(text),
            kind: PhantomData,
        })
    }

    /// Checks that the id can stand in the path of a URL, as one that is chosen anew has to. One
    /// that a journal holds already is an id all the same.
    ///
    /// # Errors
    /// [`IdError::Folder`] for `.` and `..`, which URLs resolve before they are sent.
    pub fn check_path(&self) -> Result<(), IdError> {
        match self.as_str() {
            "." => Err(IdError::Folder { found: "." }),
            ".." => Err(IdError::Folder { found: ".." }),
            _ => Ok(()),
        }
    }

    /// Returns the same id as another kind of id, for a reference: the rules of all kinds are the same.
    pub fn retype<L: IdKind>(&self) -> Id<L> {
        Id {
            text: Arc::clone(&self.text),
            kind: PhantomData,
        }
    }

    /// Returns the value.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong {
            max: ID_BYTES_MAX,
            actual: text.len(),
        });
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        // Nearly every id; reading a journal spends much of its time here.
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((index, _)) => Err(IdError::ControlCharacter { index }),
        None => Ok(()),
    }
}

/// FNV-1a folded to 24 bits: stable across processes, and too short to be an identity.
fn short_hash(text: &str) -> u32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ (hash >> 24)) & 0x00ff_ffff
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(#{:06x})", K::NAME, short_hash(&self.text))
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self {
            text: Arc::clone(&self.text),
            kind: PhantomData,
        }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> AsRef<str> for Id<K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<K> Borrow<str> for Id<K> {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<K: IdKind> TryFrom<String> for Id<K> {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl<K: IdKind> schemars::JsonSchema for Id<K> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        K::NAME.into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": ID_BYTES_MAX,
            "description": format!(
                "An identifier: 1 to {ID_BYTES_MAX} bytes of UTF-8 without control characters."
            ),
        })
    }
}

impl<K, C> minicbor::Encode<C> for Id<K> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.text)?.ok()
    }
}

impl<'b, K: IdKind, C> minicbor::Decode<'b, C> for Id<K> {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Self::parse(decoder.str()?).map_err(minicbor::decode::Error::custom)
    }
}

/// Markers for the kinds of ids.
pub mod kind {
    use super::IdKind;

    macro_rules! kinds {
        ($($(#[$doc:meta])* $marker:ident => $name:literal;)*) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $marker {}
            impl IdKind for $marker {
                const NAME: &'static str = $name;
            }
        )*};
    }

    kinds! {
        /// Marks a [`PoolId`](super::PoolId).
        Pool => "PoolId";
        /// Marks a [`RunId`](super::RunId).
        Run => "RunId";
        /// Marks an [`AgentId`](super::AgentId).
        Agent => "AgentId";
        /// Marks a [`TopicId`](super::TopicId).
        Topic => "TopicId";
        /// Marks a [`SessionId`](super::SessionId).
        Session => "SessionId";
        /// Marks a [`TurnId`](super::TurnId).
        Turn => "TurnId";
        /// Marks an [`AttemptId`](super::AttemptId).
        Attempt => "AttemptId";
        /// Marks a [`MessageId`](super::MessageId).
        Message => "MessageId";
        /// Marks a [`WakeId`](super::WakeId).
        Wake => "WakeId";
        /// Marks an [`IdempotencyKey`](super::IdempotencyKey).
        Idempotency => "IdempotencyKey";
        /// Marks a [`PolicyId`](super::PolicyId).
        Policy => "PolicyId";
        /// Marks a [`SourceId`](super::SourceId).
        Source => "SourceId";
        /// Marks a [`SourceItemId`](super::SourceItemId).
        SourceItem => "SourceItemId";
        /// Marks a [`DestinationId`](super::DestinationId).
        Destination => "DestinationId";
        /// Marks an [`EntityId`](super::EntityId).
        Entity => "EntityId";
        /// Marks a [`CorrelationKey`](super::CorrelationKey).
        CorrelationKey => "CorrelationKey";
        /// Marks a [`CorrelationValue`](super::CorrelationValue).
        CorrelationValue => "CorrelationValue";
        /// Marks an [`EventTag`](super::EventTag).
        EventTag => "EventTag";
        /// Marks an [`InstanceId`](super::InstanceId).
        Instance => "InstanceId";
        /// Marks a [`PolicyVersion`](super::PolicyVersion).
        PolicyVersion => "PolicyVersion";
        /// Marks a [`ReceiveId`](super::ReceiveId).
        Receive => "ReceiveId";
        /// Marks a [`ConsumerId`](super::ConsumerId).
        Consumer => "ConsumerId";
        /// Marks a [`ModuleId`](super::ModuleId).
        Module => "ModuleId";
        /// Marks a [`ChannelId`](super::ChannelId).
        Channel => "ChannelId";
        /// Marks a [`HostId`](super::HostId).
        Host => "HostId";
        /// Marks a [`RuntimeErrorId`](super::RuntimeErrorId).
        RuntimeError => "RuntimeErrorId";
    }
}

/// Names a pool.
pub type PoolId = Id<kind::Pool>;
/// Names a run: one logical execution of an agent.
pub type RunId = Id<kind::Run>;
/// Names an agent: a kind of worker, of which runs are executions.
pub type AgentId = Id<kind::Agent>;
/// Names a topic that members list.
pub type TopicId = Id<kind::Topic>;
/// Names a session of several runs.
pub type SessionId = Id<kind::Session>;
/// Names a turn within a run.
pub type TurnId = Id<kind::Turn>;
/// Names an attempt within a turn.
pub type AttemptId = Id<kind::Attempt>;
/// Names a message; unique per (pool, sending run).
pub type MessageId = Id<kind::Message>;
/// Names a wake condition; unique per (pool, waiting run).
pub type WakeId = Id<kind::Wake>;
/// Names a request, so that its repeat has the same outcome.
pub type IdempotencyKey = Id<kind::Idempotency>;
/// Names a policy.
pub type PolicyId = Id<kind::Policy>;
/// The version of a policy.
pub type PolicyVersion = Id<kind::PolicyVersion>;
/// Names the source of something.
pub type SourceId = Id<kind::Source>;
/// Names an event within a source that has no order.
pub type SourceItemId = Id<kind::SourceItem>;
/// Names the destination of something.
pub type DestinationId = Id<kind::Destination>;
/// Names any entity.
pub type EntityId = Id<kind::Entity>;
/// Names one correlation.
pub type CorrelationKey = Id<kind::CorrelationKey>;
/// The value of one correlation.
pub type CorrelationValue = Id<kind::CorrelationValue>;
/// A tag on an event.
pub type EventTag = Id<kind::EventTag>;
/// Names one process that acts as a run; another instance takes the run over.
pub type InstanceId = Id<kind::Instance>;
/// Names one receive call, so that its repeat returns the same claims.
pub type ReceiveId = Id<kind::Receive>;
/// Names a consumer of events; unique per pool.
pub type ConsumerId = Id<kind::Consumer>;
/// Names a module: a helper that runs beside the members of a pool.
pub type ModuleId = Id<kind::Module>;
/// Names a channel of a recipient, to which an alias leads.
pub type ChannelId = Id<kind::Channel>;
/// Names a host: what starts members, such as `process`.
pub type HostId = Id<kind::Host>;
/// Names an error of a runtime that keeps a pool as it was declared.
pub type RuntimeErrorId = Id<kind::RuntimeError>;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str, expected: IdError) {
        assert_eq!(RunId::parse(text).unwrap_err(), expected);
        let json = serde_json::to_string(text).unwrap();
        let error = serde_json::from_str::<RunId>(&json).unwrap_err();
        assert!(error.to_string().contains(&expected.to_string()), "{error}");
    }

    #[test]
    fn a1_hostile_ids_are_refused_in_rust_and_in_json() {
        refused("", IdError::Empty);
        refused("a\nb", IdError::ControlCharacter { index: 1 });
        refused("\t", IdError::ControlCharacter { index: 0 });
        refused("ab\u{7}", IdError::ControlCharacter { index: 2 });
        refused("\u{7f}", IdError::ControlCharacter { index: 0 });
        refused("é\u{85}", IdError::ControlCharacter { index: 2 });
        refused(
            &"x".repeat(513),
            IdError::TooLong {
                max: 512,
                actual: 513,
            },
        );
        refused(
            &"é".repeat(257),
            IdError::TooLong {
                max: 512,
                actual: 514,
            },
        );
    }

    #[test]
    fn what_means_a_folder_is_an_id_that_no_path_names() {
        for text in [".", ".."] {
            let id = PoolId::parse(text).unwrap();
            let refused = id.check_path().unwrap_err().to_string();
            assert_eq!(
                refused,
                format!("{text:?} cannot stand in a path; choose another id")
            );
        }
        for text in ["...", "a.", ".a", "a"] {
            assert_eq!(PoolId::parse(text).unwrap().check_path(), Ok(()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a1_any_other_text_round_trips_as_value_and_as_key(text in "[^\\p{Cc}]{1,128}") {
            let id = TopicId::parse(&text).unwrap();
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(&serde_json::from_str::<TopicId>(&json).unwrap(), &id);
            let map = BTreeMap::from([(id.clone(), 1)]);
            let json = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(serde_json::from_str::<BTreeMap<TopicId, i32>>(&json).unwrap(), map);
            let bytes = minicbor::to_vec(&id).unwrap();
            prop_assert_eq!(minicbor::decode::<TopicId>(&bytes).unwrap(), id);
        }
    }

    #[test]
    fn a1_the_longest_id_is_taken() {
        let text = "é".repeat(256);
        assert_eq!(RunId::parse(&text).unwrap().as_str(), text);
    }

    #[test]
    fn a2_debug_never_shows_an_id_and_is_equal_for_equal_ids() {
        let secret = "patient-4711";
        let shown = format!("{:?}", RunId::parse(secret).unwrap());
        assert!(
            !shown.contains(secret) && shown.starts_with("RunId(#"),
            "{shown}"
        );
        assert_eq!(shown, format!("{:?}", RunId::parse(secret).unwrap()));
        assert_ne!(
            shown,
            format!("{:?}", RunId::parse("patient-4712").unwrap())
        );
    }
}
