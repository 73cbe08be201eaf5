//! `--field a,b`: values of an answer as tab-separated lines.

mod known;

use serde_json::Value;

pub(crate) use known::{AnswerRows, check};

use crate::text::escape_field;

/// The path to one value: names of fields and positions in lists, as `matches.0.id`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FieldPath(Vec<String>);

/// A text that is not a list of field paths.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a field has no name; write names with commas between them, as message_id,claim")]
pub(crate) struct FieldPathError;

impl std::str::FromStr for FieldPath {
    type Err = FieldPathError;
    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        let steps: Vec<String> = text.split('.').map(|s| s.trim().to_owned()).collect();
        if steps.iter().any(String::is_empty) {
            return Err(FieldPathError);
        }
        Ok(Self(steps))
    }
}

impl FieldPath {
    fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            Value::Object(fields) => fields
                .get(step)
                .or_else(|| fields.get(&other_spelling(step))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

/// Returns the other spelling of a name: ids have one with `_id` and one without.
fn other_spelling(name: &str) -> String {
    let short = name.strip_suffix("_id");
    short.map_or_else(|| format!("{name}_id"), str::to_owned)
}

/// Writes the values as one line; one that is absent is empty, an object or list is JSON.
pub(crate) fn line(paths: &[FieldPath], value: &Value) -> String {
    let values: Vec<String> = paths
        .iter()
        .map(|path| match path.find(value) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => escape_field(text),
            Some(other) => escape_field(&other.to_string()),
        })
        .collect();
    values.join("\t")
}

/// Checks that these are the names of the fields of a value.
#[cfg(test)]
#[track_caller]
pub(crate) fn check_names(value: &impl serde::Serialize, names: &[&str]) {
    let value = serde_json::to_value(value).unwrap();
    let found: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut names = names.to_vec();
    names.sort_unstable();
    assert_eq!(found, names);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(fields: &str, expected: &str) {
        let value = json!({
            "a": "x\ty", "n": 7, "o": {"k": [1, {"z": true}]}, "nil": null,
            "run_id": "r", "message": "m", "both": 1, "both_id": 2
        });
        let paths: Vec<FieldPath> = fields.split(',').map(|f| f.parse().unwrap()).collect();
        assert_eq!(line(&paths, &value), expected);
    }

    #[test]
    fn values_are_found_by_path_and_escaped() {
        check("a,n", "x\\ty\t7");
        check("o.k.0,o.k.1.z,o.k.9,nil,none", "1\ttrue\t\t\t");
        check("o", r#"{"k":[1,{"z":true}]}"#);
        check("run,run_id,message_id,both,both_id", "r\tr\tm\t1\t2");
        assert!("a..b".parse::<FieldPath>().is_err());
        assert!("".parse::<FieldPath>().is_err());
    }
}
