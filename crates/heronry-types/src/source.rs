//! Foreign sources of events: where an event stands in its source.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, data::Type};
use serde::{Deserialize, Serialize};

use crate::{SourceGapReason, SourceItemId};

/// The number of sources that one pool keeps the positions of.
pub const SOURCES_MAX: usize = 1_000;

/// The number of sources that one run can be the first to name, so that it does not take all of its pool.
pub const SOURCES_PER_RUN_MAX: usize = 100;

/// The number of latest events that are remembered of a source without order.
pub const SOURCE_WINDOW: usize = 2_048;

/// The place of an event in its source. JSON: a number, or a text for an id.
///
/// A source numbers all its events, or names all of them.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SourcePosition {
    /// The number of the event: numbers rise, and need not be dense.
    #[cfg_attr(feature = "schema", schemars(title = "SourceNumber"))]
    Number(u64),
    /// The id of the event, in a source without order.
    #[cfg_attr(feature = "schema", schemars(title = "SourceItemId"))]
    Id(SourceItemId),
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl<C> Encode<C> for SourcePosition {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        cx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Number(number) => encoder.u64(*number)?.ok(),
            Self::Id(id) => id.encode(encoder, cx),
        }
    }
}

impl<'b, C> Decode<'b, C> for SourcePosition {
    fn decode(decoder: &mut Decoder<'b>, cx: &mut C) -> Result<Self, minicbor::decode::Error> {
        if decoder.datatype()? == Type::String {
            SourceItemId::decode(decoder, cx).map(Self::Id)
        } else {
            decoder.u64().map(Self::Number)
        }
    }
}

/// Events of a source that are missing, as who reports from it tells.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewSourceGap {
    /// The last position that was taken before the gap. Absent: the last one of the source, when it
    /// numbers its events.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SourcePosition>,
    /// The last position that the gap covers: what stands there is not taken any more. Absent: it is
    /// not known.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<SourcePosition>,
    /// The number of missing events. Absent: it is not known.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// The reason why they are missing.
    #[n(3)]
    pub reason: SourceGapReason,
    /// A short text that may be shown.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl NewSourceGap {
    /// Returns a gap of which nothing but the reason is known.
    pub fn new(reason: SourceGapReason) -> Self {
        Self {
            after: None,
            through: None,
            missed: None,
            reason,
            note: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(position: &SourcePosition, json: &str, cbor: &[u8]) {
        assert_eq!(serde_json::to_string(position).unwrap(), json);
        let read: SourcePosition = serde_json::from_str(json).unwrap();
        assert_eq!(read, *position);
        assert_eq!(minicbor::to_vec(position).unwrap(), cbor);
        assert_eq!(minicbor::decode::<SourcePosition>(cbor).unwrap(), *position);
    }

    #[test]
    fn a_position_is_a_number_or_an_id() {
        check(&SourcePosition::Number(17), "17", &[17]);
        let largest = SourcePosition::Number(u64::MAX);
        check(
            &largest,
            "18446744073709551615",
            &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255],
        );
        let id = SourcePosition::Id(SourceItemId::parse("a").unwrap());
        check(&id, r#""a""#, &[0x61, b'a']);
        for wrong in ["-1", "1.5", r#""""#, "null", "18446744073709551616"] {
            assert!(
                serde_json::from_str::<SourcePosition>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
