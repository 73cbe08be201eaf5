//! Edges: which two runs may talk to each other.

use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{IdError, RunId};

/// An undirected edge between two runs. Its ends are different, and sorted.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Edge {
    a: RunId,
    b: RunId,
}

/// The error for two texts that are no ends of an edge.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// One end is no run.
    #[error("an end of an edge is no run: {0}")]
    End(#[from] IdError),
    /// Both ends are the same run.
    #[error("both ends of an edge are {run:?}; name two runs", run = .0.as_str())]
    OneRun(RunId),
}

impl Edge {
    /// Returns the edge between two runs, in either order.
    ///
    /// # Errors
    /// [`EdgeError::OneRun`] when both are the same run.
    pub fn between(one: RunId, other: RunId) -> Result<Self, EdgeError> {
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Ok(Self { a: one, b: other }),
            std::cmp::Ordering::Greater => Ok(Self { a: other, b: one }),
            std::cmp::Ordering::Equal => Err(EdgeError::OneRun(one)),
        }
    }

    /// Reads an edge from the texts of its ends; blanks around them do not count.
    ///
    /// # Errors
    /// [`EdgeError`] when an end is empty or no run, or when both are the same.
    pub fn parse(one: &str, other: &str) -> Result<Self, EdgeError> {
        Self::between(RunId::parse(one.trim())?, RunId::parse(other.trim())?)
    }

    /// Returns the end whose run is first in the order of text.
    pub fn a(&self) -> &RunId {
        &self.a
    }

    /// Returns the end whose run is last in the order of text.
    pub fn b(&self) -> &RunId {
        &self.b
    }

    /// Returns true when a run is one of the ends.
    pub fn has(&self, run: &RunId) -> bool {
        self.a == *run || self.b == *run
    }

    /// Returns the other end, when a run is one of them.
    pub fn other(&self, run: &RunId) -> Option<&RunId> {
        if self.a == *run {
            Some(&self.b)
        } else {
            (self.b == *run).then_some(&self.a)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    a: String,
    b: String,
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ends = Ends::deserialize(deserializer)?;
        Self::parse(&ends.a, &ends.b).map_err(de::Error::custom)
    }
}

impl<C> Encode<C> for Edge {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        cx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(2)?;
        self.a.encode(encoder, cx)?;
        self.b.encode(encoder, cx)
    }
}

impl<'b, C> Decode<'b, C> for Edge {
    fn decode(decoder: &mut Decoder<'b>, cx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let (a, b) = <(RunId, RunId)>::decode(decoder, cx)?;
        Self::parse(a.as_str(), b.as_str()).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, expected: Result<[&str; 2], &str>) {
        let made = Edge::parse(one, other).map_err(|error| error.to_string());
        let expected = expected.map_err(str::to_owned);
        let ends = made.map(|edge| [edge.a.to_string(), edge.b.to_string()]);
        assert_eq!(ends, expected.map(|ends| ends.map(str::to_owned)));
        // What the constructor refuses, the decoder refuses, with the same words.
        let json = serde_json::json!({ "a": one, "b": other });
        let read = serde_json::from_value::<Edge>(json).map_err(|error| error.to_string());
        let read = read.map(|edge| [edge.a.to_string(), edge.b.to_string()]);
        assert_eq!(read, ends);
    }

    #[test]
    fn r26_constructor_and_decoder_of_an_edge_refuse_the_same() {
        check("b", "a", Ok(["a", "b"]));
        check(" a ", "b\t", Ok(["a", "b"]));
        let empty = "an end of an edge is no run: id is empty; give 1 to 512 bytes";
        check("", "b", Err(empty));
        check("a", "  ", Err(empty));
        check(
            "a",
            "a ",
            Err("both ends of an edge are \"a\"; name two runs"),
        );
        let control =
            "an end of an edge is no run: id has a control character at byte 1; remove it";
        check("a\u{1}", "b", Err(control));
    }

    #[test]
    fn r26_an_edge_on_disk_that_no_constructor_makes_is_refused() {
        let edge = Edge::parse("a", "b").unwrap();
        let bytes = minicbor::to_vec(&edge).unwrap();
        assert_eq!(minicbor::decode::<Edge>(&bytes).unwrap(), edge);
        for ends in [["a", "a"], ["", "b"], [" ", "b"]] {
            let bytes = minicbor::to_vec(ends).unwrap();
            assert!(minicbor::decode::<Edge>(&bytes).is_err(), "{ends:?}");
        }
    }

    #[test]
    fn an_edge_knows_its_ends() {
        let edge = Edge::parse("b", "a").unwrap();
        let run = |text| RunId::parse(text).unwrap();
        assert!(edge.has(&run("a")) && !edge.has(&run("c")));
        assert_eq!(edge.other(&run("a")), Some(&run("b")));
        assert_eq!(edge.other(&run("c")), None);
    }
}
