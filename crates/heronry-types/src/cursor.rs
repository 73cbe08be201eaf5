//! Positions in a journal, timelines, and the one cursor.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A position in a pool's journal: dense, from 1. Position 0 is before the first record.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    Default,
    Deserialize,
    Encode,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position(#[n(0)] pub u64);

impl Position {
    /// The point before the first record.
    pub const ZERO: Self = Self(0);

    /// Returns the position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the position `count` later.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// Returns the position before this one; zero stays zero.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The generation of a run: the position of its join record. It rises, and is never used again.
#[derive(
    Clone, Copy, Debug, Decode, Deserialize, Encode, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Generation(#[n(0)] pub Position);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A timeline of a pool: 128 random bits, drawn when it starts. Text and JSON: 32 hex digits.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[0-9a-f]{32}$")))]
pub struct Epoch(#[cfg_attr(feature = "schema", schemars(with = "String"))] pub [u8; 16]);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At once: a cursor is written with every event.
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        let halves = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let mut text = [0; 32];
        for (place, half) in text.iter_mut().zip(halves) {
            digit(half).encode_utf8(std::slice::from_mut(place));
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A text that is not an epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an epoch; write 32 lower-case hex digits, as a cursor has them")]
#[non_exhaustive]
pub struct EpochError;

impl FromStr for Epoch {
    type Err = EpochError;
    fn from_str(text: &str) -> Result<Self, EpochError> {
        parse_hex(text).map(Self).ok_or(EpochError)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Reads exactly two lower-case hex digits for each byte.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

impl<C> Encode<C> for Epoch {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Epoch {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        <[u8; 16]>::try_from(decoder.bytes()?)
            .map(Self)
            .map_err(|_| minicbor::decode::Error::message("an epoch has 16 bytes"))
    }
}

/// A point in one timeline of a journal: everything up to and including `position` is behind it.
///
/// Text and JSON: `<32 hex>-<decimal>`. Always exclusive: `after`, `since` and `Last-Event-ID`
/// mean positions greater than it.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub struct Cursor {
    /// The timeline.
    #[n(0)]
    pub epoch: Epoch,
    /// The last position that is behind this cursor.
    #[n(1)]
    pub position: Position,
}

/// The error for a text that is not a cursor.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{found:?} is not a cursor; write <32 hex digits>-<position>, as an earlier answer gave it"
)]
#[non_exhaustive]
pub struct CursorError {
    /// The text that was found, cut to 64 characters.
    pub found: String,
}

impl Cursor {
    /// Returns the cursor at a position of a timeline.
    pub fn new(epoch: Epoch, position: Position) -> Self {
        Self { epoch, position }
    }

    /// Reads cursor text.
    ///
    /// # Errors
    /// [`CursorError`] when the text is not of the exact form that `Display` writes.
    pub fn parse(text: &str) -> Result<Self, CursorError> {
        let parsed = || {
            let (epoch, position) = text.split_once('-')?;
            let digits = position.bytes().all(|b| b.is_ascii_digit());
            let canonical = position == "0" || !position.starts_with('0');
            let position = position.parse().ok().filter(|_| digits && canonical)?;
            Some(Self {
                epoch: epoch.parse().ok()?,
                position: Position(position),
            })
        };
        parsed().ok_or_else(|| CursorError {
            found: text.chars().take(64).collect(),
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.position)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9a-f]{32}-(0|[1-9][0-9]*)$",
            "description": "A position on one timeline of a pool: the epoch as 32 hex digits, and the number of the record.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_text_round_trips() {
        let cursor = Cursor::new(Epoch([0xa7; 16]), Position(42));
        assert_eq!(cursor.to_string(), format!("{}-42", "a7".repeat(16)));
        assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
    }

    #[test]
    fn malformed_cursors_are_refused() {
        let hex = "a7".repeat(16);
        for text in [
            "",
            "-",
            "42",
            &hex,
            &format!("{hex}-"),
            &format!("{hex}-042"),
            &format!("{hex}-+4"),
            &format!("{hex}-4 "),
            &format!("{hex}-18446744073709551616"),
            &format!("{}-4", hex.to_uppercase()),
            &format!("{}-4", &hex[1..]),
        ] {
            assert!(Cursor::parse(text).is_err(), "{text:?}");
        }
    }
}
