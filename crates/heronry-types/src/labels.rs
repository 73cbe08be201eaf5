//! Labels: what people and programs note about a pool or a run.

use std::collections::BTreeMap;

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
    #[error("there are more than {LABELS_MAX} labels; give fewer")]
    TooMany,
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

impl Labels {
    /// Returns no labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a label.
    ///
    /// # Errors
    /// [`LabelsError`] when it cannot be one, stands there already, or there are too many.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), LabelsError> {
        let (name, value) = (name.into(), value.into());
        check(&name, &value)?;
        if self.0.contains_key(&name) {
            return Err(LabelsError::Twice { name });
        }
        if self.0.len() >= LABELS_MAX {
            return Err(LabelsError::TooMany);
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// Returns the value of a label.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Walks the names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
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

/// Labels as they are read: a name that stands twice is told.
struct ReadLabels;

impl<'de> de::Visitor<'de> for ReadLabels {
    type Value = Labels;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("labels: an object of texts")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut labels = Labels::new();
        while let Some(name) = map.next_key::<String>()? {
            let value: String = map.next_value()?;
            labels.add(name, value).map_err(de::Error::custom)?;
        }
        Ok(labels)
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
        let mut labels = Self::new();
        for (name, value) in BTreeMap::<String, String>::decode(decoder, cx)? {
            let added = labels.add(name, value);
            added.map_err(minicbor::decode::Error::custom)?;
        }
        Ok(labels)
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(all: &[[&str; 2]]) -> Result<Labels, LabelsError> {
        let mut labels = Labels::new();
        let mut all = all.iter();
        all.try_for_each(|[name, value]| labels.add(*name, *value))?;
        Ok(labels)
    }

    #[track_caller]
    fn refused(all: &[[&str; 2]], expected: &str) {
        assert_eq!(labels(all).unwrap_err().to_string(), expected);
    }

    #[test]
    fn labels_keep_to_their_limits() {
        let longest = "é".repeat(128);
        assert!(labels(&[[&longest, &longest], ["empty value", ""]]).is_ok());
        let names: Vec<String> = (0..=LABELS_MAX).map(|n| format!("n{n:02}")).collect();
        let over: Vec<[&str; 2]> = names.iter().map(|name| [name.as_str(), "v"]).collect();
        assert_eq!(labels(&over[1..]).unwrap().len(), LABELS_MAX);
        refused(&over, "there are more than 16 labels; give fewer");
        refused(
            &[["", "v"]],
            "the name of a label is empty; give 1 to 256 bytes",
        );
        let long = "x".repeat(257);
        let shown = "x".repeat(32);
        let name = format!("label {shown:?} has 257 bytes in its name; shorten it to 256");
        refused(&[[&long, "v"]], &name);
        refused(
            &[["k", &long]],
            "label \"k\" has 257 bytes in its value; shorten it to 256",
        );
        refused(
            &[["k", "a\nb"]],
            "label \"k\" has a control character in its value; remove it",
        );
        refused(
            &[["k", "1"], ["k", "2"]],
            "label \"k\" stands twice; give it once",
        );
    }

    #[test]
    fn labels_are_read_as_they_are_written_and_refused_as_they_are_made() {
        let labels = labels(&[["team", "red"], ["tier", ""]]).unwrap();
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
