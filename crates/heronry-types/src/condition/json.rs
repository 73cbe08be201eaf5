//! A condition as JSON: the text of a filter, or an object with one member.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

use super::Condition;
#[cfg(feature = "schema")]
use super::Count;

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Filter(filter) => serializer.serialize_str(filter),
            Self::AnyOf(parts) => serializer.collect_map([("any_of", parts)]),
            Self::AllOf(parts) => serializer.collect_map([("all_of", parts)]),
            Self::Count(count) => serializer.collect_map([("count", count)]),
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfCondition)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let filter = generator.subschema_for::<String>();
        let with_one_member = generator.subschema_for::<ConditionObject>();
        schemars::json_schema!({
            "anyOf": [filter, with_one_member],
            "description": "A condition of a wake: the text of a filter, or an object with one member.",
        })
    }
}

/// A condition that is an object. It has a schema of its own, so that conditions stand in each other by
/// name.
#[cfg(feature = "schema")]
struct ConditionObject;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ConditionObject {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConditionObject".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let filter = generator.subschema_for::<String>();
        let list = generator.subschema_for::<Vec<Condition>>();
        let count = generator.subschema_for::<Count>();
        schemars::json_schema!({
            "type": "object",
            "properties": {"filter": filter, "any_of": list, "all_of": list, "count": count},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "description": "A condition that is an object: it has one of these members.",
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConditionKey {
    Filter,
    AnyOf,
    AllOf,
    Count,
}

struct OfCondition;

impl<'de> Visitor<'de> for OfCondition {
    type Value = Condition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a filter, or an object with one of filter, any_of, all_of, count")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Condition, E> {
        Ok(Condition::Filter(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Condition, A::Error> {
        let condition = match map.next_key::<ConditionKey>()? {
            Some(ConditionKey::Filter) => Condition::Filter(map.next_value()?),
            Some(ConditionKey::AnyOf) => Condition::AnyOf(map.next_value()?),
            Some(ConditionKey::AllOf) => Condition::AllOf(map.next_value()?),
            Some(ConditionKey::Count) => Condition::Count(map.next_value()?),
            None => return Err(de::Error::invalid_length(0, &self)),
        };
        if map.next_key::<ConditionKey>()?.is_some() {
            return Err(de::Error::invalid_length(2, &self));
        }
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, again: &str) {
        let condition: Condition = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&condition).unwrap(), again);
        let condition_again: Condition = serde_json::from_str(again).unwrap();
        assert_eq!(condition_again, condition);
    }

    #[test]
    fn conditions_are_texts_or_objects_with_one_member() {
        check(r#""terminal""#, r#""terminal""#);
        check(r#"{"filter":"terminal"}"#, r#""terminal""#);
        check(
            r#"{"any_of":["a",{"all_of":["b",{"filter":"c"}]}]}"#,
            r#"{"any_of":["a",{"all_of":["b","c"]}]}"#,
        );
        check(
            r#"{"count":{"n":3,"filter":"a"}}"#,
            r#"{"count":{"n":3,"filter":"a","distinct_by":"subject"}}"#,
        );
    }

    #[test]
    fn what_is_not_one_condition_is_refused() {
        for text in [
            "{}",
            "7",
            r#"{"any_of":["a"],"all_of":["b"]}"#,
            r#"{"none_of":["a"]}"#,
            r#"{"count":{"n":3}}"#,
            r#"{"count":{"n":3,"filter":"a","distinct_by":"topic"}}"#,
            r#"{"count":{"n":3,"filter":{"any_of":["a"]}}}"#,
        ] {
            assert!(serde_json::from_str::<Condition>(text).is_err(), "{text}");
        }
    }
}
