//! Labels: what people and programs note about a pool or a run.

use std::collections::{BTreeMap, btree_map};

use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The most labels of one pool or run.
pub const LABELS_MAX: usize = 16;
/// The largest name or value of a label, in UTF-8 bytes.
pub const LABEL_BYTES_MAX: usize = 256;

/// Labels by their names: at most [`LABELS_MAX`], each name and value of at most [`LABEL_BYTES_MAX`] bytes
/// without control characters. Names are not empty. JSON: an object of texts.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("maxProperties" = LABELS_MAX)))]
pub struct Labels(BTreeMap<String, String>);

/// The error for texts that are no labels.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// There are more labels than there may be.
    #[error("there are {found} labels; give at most {LABELS_MAX}")]
    TooMany {
        /// The number of labels.
        found: usize,
    },
    /// The name of a label is empty.
    #[error("the name of a label is empty; give 1 to {LABEL_BYTES_MAX} bytes")]
    NoName,
    /// A name or value is too long.
    #[error("label {name:?} has {found} bytes in its {part}; shorten it to {LABEL_BYTES_MAX}")]
    TooLong {
        /// The first bytes of the label's name.
        name: String,
        /// The part: `name` or `value`.
        part: &'static str,
        /// The length of the part, in bytes.
        found: usize,
    },
    /// A name or value has a control character.
    #[error("label {name:?} has a control character in its {part}; remove it")]
    ControlCharacter {
        /// The label's name.
        name: String,
        /// The part: `name` or `value`.
        part: &'static str,
    },
    /// A name stands twice.
    #[error("label {name:?} stands twice; give it once")]
    Twice {
        /// The label's name.
        name: String,
    },
}

/// The most bytes of a name that an error shows.
const SHOWN_BYTES: usize = 32;

/// A label: its name and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl<K: Into<String>, V: Into<String>> From<(K, V)> for Label {
    fn from((name, value): (K, V)) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl Labels {
    /// Returns labels of names and values.
    ///
    /// # Errors
    /// [`LabelsError`] for the first label that cannot be one, or when there are too many.
    pub fn parse(labels: impl IntoIterator<Item = impl Into<Label>>) -> Result<Self, LabelsError> {
        let mut parsed = BTreeMap::new();
        for label in labels {
            let Label { name, value } = label.into();
            check(&name, &value)?;
            if parsed.contains_key(&name) {
                return Err(LabelsError::Twice { name });
            }
            parsed.insert(name, value);
        }
        if parsed.len() > LABELS_MAX {
            let found = parsed.len();
            return Err(LabelsError::TooMany { found });
        }
        Ok(Self(parsed))
    }

    /// Returns the value of a label.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Walks names and values, in the order of the names.
    pub fn iter(&self) -> btree_map::Iter<'_, String, String> {
        self.0.iter()
    }

    /// Returns the number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true when there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check(name: &str, value: &str) -> Result<(), LabelsError> {
    if name.is_empty() {
        return Err(LabelsError::NoName);
    }
    for (part, text) in [("name", name), ("value", value)] {
        if text.len() > LABEL_BYTES_MAX {
            return Err(LabelsError::TooLong {
                name: shown(name),
                part,
                found: text.len(),
            });
        }
        if text.contains(char::is_control) {
            let name = shown(name);
            return Err(LabelsError::ControlCharacter { name, part });
        }
    }
    Ok(())
}

fn shown(name: &str) -> String {
    let fitting = name
        .char_indices()
        .take_while(|(at, c)| at + c.len_utf8() <= SHOWN_BYTES);
    fitting.map(|(_, c)| c).collect()
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a String, &'a String);
    type IntoIter = btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Labels as they are read: a name that stands twice is told.
struct ReadLabels;

impl<'de> de::Visitor<'de> for ReadLabels {
    type Value = Labels;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("labels: an object of texts")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut labels: Vec<(String, String)> = Vec::new();
        while let Some(label) = map.next_entry()? {
            labels.push(label);
            if labels.len() > LABELS_MAX {
                let found = labels.len();
                return Err(de::Error::custom(LabelsError::TooMany { found }));
            }
        }
        Labels::parse(labels).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadLabels)
    }
}

impl<C> Encode<C> for Labels {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        cx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.encode(encoder, cx)
    }

    fn is_nil(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Labels {
    fn decode(decoder: &mut Decoder<'b>, cx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let labels = BTreeMap::<String, String>::decode(decoder, cx)?;
        Self::parse(labels).map_err(minicbor::decode::Error::custom)
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(labels: &[(&str, &str)], expected: &str) {
        let made = Labels::parse(labels.iter().copied());
        assert_eq!(made.unwrap_err().to_string(), expected);
    }

    #[test]
    fn labels_keep_to_their_limits() {
        let longest = "é".repeat(128);
        assert!(Labels::parse([(longest.as_str(), longest.as_str())]).is_ok());
        assert!(Labels::parse([("empty value", "")]).is_ok());
        let names: Vec<String> = (0..=LABELS_MAX).map(|n| format!("n{n:02}")).collect();
        let most = names.iter().skip(1).map(|name| (name.as_str(), "v"));
        assert_eq!(Labels::parse(most).unwrap().len(), LABELS_MAX);
        let over: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
        refused(&over, "there are 17 labels; give at most 16");
        refused(
            &[("", "v")],
            "the name of a label is empty; give 1 to 256 bytes",
        );
        let long = "x".repeat(257);
        let shown = "x".repeat(32);
        let name = format!("label {shown:?} has 257 bytes in its name; shorten it to 256");
        refused(&[(&long, "v")], &name);
        refused(
            &[("k", &long)],
            "label \"k\" has 257 bytes in its value; shorten it to 256",
        );
        refused(
            &[("k", "a\nb")],
            "label \"k\" has a control character in its value; remove it",
        );
        refused(
            &[("k", "1"), ("k", "2")],
            "label \"k\" stands twice; give it once",
        );
    }

    #[test]
    fn labels_are_read_as_they_are_written_and_refused_as_they_are_made() {
        let labels = Labels::parse([("team", "red"), ("tier", "")]).unwrap();
        let json = serde_json::to_string(&labels).unwrap();
        assert_eq!(json, r#"{"team":"red","tier":""}"#);
        assert_eq!(serde_json::from_str::<Labels>(&json).unwrap(), labels);
        let bytes = minicbor::to_vec(&labels).unwrap();
        assert_eq!(minicbor::decode::<Labels>(&bytes).unwrap(), labels);
        let twice = serde_json::from_str::<Labels>(r#"{"k":"1","k":"2"}"#).unwrap_err();
        assert!(twice.to_string().contains("stands twice"), "{twice}");
        let bytes = minicbor::to_vec(BTreeMap::from([("", "v")])).unwrap();
        assert!(minicbor::decode::<Labels>(&bytes).is_err());
    }
}
