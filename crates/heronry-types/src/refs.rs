//! References of an envelope: to entities, sources, destinations and policies.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::sync::Arc;

use minicbor::{Decode, Encode};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
};

use crate::{
    CorrelationKey, CorrelationValue, DestinationId, DestinationKind, EntityId, EntityKind,
    PolicyId, PolicyKind, PolicyVersion, PrivacyClass, RetentionClass, SourceId, SourceKind,
    TrustClass,
};

type CorrelationMap = BTreeMap<CorrelationKey, CorrelationValue>;

/// Correlations of a message or event. JSON: an object of texts; a key given twice is refused.
///
/// Cheap to clone.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Correlation(
    /// The map; absent when there are no correlations.
    Option<Arc<CorrelationMap>>,
);

/// The map that an absent map is read as: empty.
static NONE: CorrelationMap = BTreeMap::new();

impl fmt::Debug for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.map().fmt(f)
    }
}

impl From<CorrelationMap> for Correlation {
    fn from(map: CorrelationMap) -> Self {
        Self((!map.is_empty()).then(|| Arc::new(map)))
    }
}

impl<C> Encode<C> for Correlation {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.map().encode(encoder, context)
    }
}

impl<'b, C> Decode<'b, C> for Correlation {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        CorrelationMap::decode(decoder, context).map(Self::from)
    }
}

impl Serialize for Correlation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.map())
    }
}

impl Correlation {
    /// Returns no correlations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a correlation, and returns the value that stood there before.
    pub fn insert(
        &mut self,
        key: CorrelationKey,
        value: CorrelationValue,
    ) -> Option<CorrelationValue> {
        Arc::make_mut(self.0.get_or_insert_default()).insert(key, value)
    }

    fn map(&self) -> &CorrelationMap {
        self.0.as_deref().unwrap_or(&NONE)
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&CorrelationValue> {
        self.map().get(key)
    }

    /// Returns the number of correlations.
    pub fn len(&self) -> usize {
        self.map().len()
    }

    /// Returns true when there are none.
    pub fn is_empty(&self) -> bool {
        self.map().is_empty()
    }

    /// Walks the correlations in order of their keys.
    pub fn iter(&self) -> btree_map::Iter<'_, CorrelationKey, CorrelationValue> {
        self.map().iter()
    }
}

impl<'a> IntoIterator for &'a Correlation {
    type Item = (&'a CorrelationKey, &'a CorrelationValue);
    type IntoIter = btree_map::Iter<'a, CorrelationKey, CorrelationValue>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(CorrelationKey, CorrelationValue)> for Correlation {
    fn from_iter<I: IntoIterator<Item = (CorrelationKey, CorrelationValue)>>(entries: I) -> Self {
        Self::from(entries.into_iter().collect::<CorrelationMap>())
    }
}

impl<'de> Deserialize<'de> for Correlation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Correlation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Correlation".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<CorrelationValue>();
        schemars::json_schema!({
            "type": "object",
            "additionalProperties": value,
            "description": "Correlations: a value for each key.",
        })
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Correlation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of correlation keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Correlation, A::Error> {
        let mut correlation = Correlation::new();
        while let Some((key, value)) = map.next_entry()? {
            if correlation.insert(key, value).is_some() {
                return Err(A::Error::custom(
                    "a correlation key is given twice; give it once",
                ));
            }
        }
        Ok(correlation)
    }
}

/// A reference to any entity.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EntityRef {
    /// The kind of the entity.
    #[n(0)]
    pub kind: EntityKind,
    /// The id of the entity.
    #[n(1)]
    pub id: EntityId,
    /// The privacy class of the entity.
    #[n(2)]
    #[serde(default)]
    pub privacy: PrivacyClass,
    /// A short description that may be shown.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

impl EntityRef {
    /// Returns a reference with default privacy and no summary.
    pub fn new(kind: EntityKind, id: EntityId) -> Self {
        Self {
            kind,
            id,
            privacy: PrivacyClass::default(),
            summary: None,
        }
    }
}

/// A reference to the source of something.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourceRef {
    /// The kind of the source.
    #[n(0)]
    pub kind: SourceKind,
    /// The id of the source.
    #[n(1)]
    pub id: SourceId,
    /// The degree of trust in the source.
    #[n(2)]
    #[serde(default)]
    pub trust: TrustClass,
    /// The privacy class of the source.
    #[n(3)]
    #[serde(default)]
    pub privacy: PrivacyClass,
    /// The correlations of the source.
    #[n(4)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Correlation::is_empty")]
    pub correlation: Correlation,
    /// A short description that may be shown.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

impl SourceRef {
    /// Returns a reference with default classes, no correlations and no summary.
    pub fn new(kind: SourceKind, id: SourceId) -> Self {
        Self {
            kind,
            id,
            trust: TrustClass::default(),
            privacy: PrivacyClass::default(),
            correlation: Correlation::new(),
            summary: None,
        }
    }
}

/// A reference to the destination of something.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DestinationRef {
    /// The kind of the destination.
    #[n(0)]
    pub kind: DestinationKind,
    /// The id of the destination.
    #[n(1)]
    pub id: DestinationId,
    /// The privacy class of the destination.
    #[n(2)]
    #[serde(default)]
    pub privacy: PrivacyClass,
    /// The retention class of the destination.
    #[n(3)]
    #[serde(default)]
    pub retention: RetentionClass,
    /// The correlations of the destination.
    #[n(4)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Correlation::is_empty")]
    pub correlation: Correlation,
    /// A short description that may be shown.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

impl DestinationRef {
    /// Returns a reference with default classes, no correlations and no summary.
    pub fn new(kind: DestinationKind, id: DestinationId) -> Self {
        Self {
            kind,
            id,
            privacy: PrivacyClass::default(),
            retention: RetentionClass::default(),
            correlation: Correlation::new(),
            summary: None,
        }
    }
}

/// A reference to a policy. It is held when kind, id and version are all equal.
#[derive(
    Clone, Debug, Decode, Deserialize, Encode, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyRef {
    /// The kind of thing that the policy governs.
    #[n(0)]
    pub kind: PolicyKind,
    /// The id of the policy.
    #[n(1)]
    pub id: PolicyId,
    /// The version of the policy.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<PolicyVersion>,
}

impl PolicyRef {
    /// Returns a reference without a version.
    pub fn new(kind: PolicyKind, id: PolicyId) -> Self {
        Self {
            kind,
            id,
            version: None,
        }
    }
}

/// A set of policies: sorted and distinct, in whatever order they were given.
#[derive(Clone, Debug, Decode, Default, Encode, Eq, PartialEq, Serialize)]
#[cbor(transparent)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Policies(#[n(0)] Vec<PolicyRef>);

impl Policies {
    /// Returns true when every policy of `required` is held.
    pub fn covers(&self, required: &Self) -> bool {
        required
            .0
            .iter()
            .all(|policy| self.0.binary_search(policy).is_ok())
    }

    /// Returns the first policy of `required` that is not held.
    pub fn first_missing<'a>(&self, required: &'a Self) -> Option<&'a PolicyRef> {
        required
            .0
            .iter()
            .find(|policy| self.0.binary_search(policy).is_err())
    }

    /// Returns the policies in order.
    pub fn as_slice(&self) -> &[PolicyRef] {
        &self.0
    }

    /// Returns true when the set has no policy.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of policies.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<PolicyRef> for Policies {
    fn from_iter<I: IntoIterator<Item = PolicyRef>>(policies: I) -> Self {
        let mut policies: Vec<_> = policies.into_iter().collect();
        policies.sort_unstable();
        policies.dedup();
        Self(policies)
    }
}

impl<'de> Deserialize<'de> for Policies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<PolicyRef>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing of a host shows in `Debug`, whatever the text stands in.
    fn hides<T: fmt::Debug>(value: &T) {
        let shown = format!("{value:?}");
        assert!(!shown.contains("patient"), "{shown}");
    }

    #[test]
    fn a2_debug_of_refs_never_shows_an_id() {
        let id = || EntityId::parse("patient-4711").unwrap();
        hides(&EntityRef::new(EntityKind::Run, id()));
        hides(&SourceRef::new(SourceKind::Host, id().retype()));
        hides(&DestinationRef::new(DestinationKind::Run, id().retype()));
        hides(&PolicyRef::new(PolicyKind::Host, id().retype()));
        hides(&crate::Address::Run {
            run_id: id().retype(),
        });
        hides(&Correlation::from_iter([(id().retype(), id().retype())]));
        hides(&crate::Body::text("patient-4711"));
    }

    #[test]
    fn a_correlation_key_given_twice_is_refused() {
        let error = serde_json::from_str::<Correlation>(r#"{"k":"1","k":"2"}"#).unwrap_err();
        assert!(error.to_string().contains("given twice"), "{error}");
        assert!(serde_json::from_str::<Correlation>(r#"{"k":"1","l":"2"}"#).is_ok());
    }

    #[test]
    fn optional_fields_and_empty_collections_are_left_out_of_json() {
        let source = SourceRef::new(SourceKind::Host, SourceId::parse("h").unwrap());
        assert_eq!(
            serde_json::to_string(&source).unwrap(),
            r#"{"kind":"host","id":"h","trust":"host_provided","privacy":"content_refs_only"}"#
        );
    }

    #[test]
    fn policies_are_a_set_whatever_their_order() {
        let policy = |id: &str| PolicyRef::new(PolicyKind::Host, PolicyId::parse(id).unwrap());
        let one = Policies::from_iter([policy("b"), policy("a"), policy("b")]);
        let other = Policies::from_iter([policy("a"), policy("b")]);
        assert_eq!(one, other);
        assert!(one.covers(&Policies::from_iter([policy("b")])));
        assert_eq!(
            one.first_missing(&Policies::from_iter([policy("c")])),
            Some(&policy("c"))
        );
    }
}
