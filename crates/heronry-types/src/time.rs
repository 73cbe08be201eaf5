//! Points and spans of time, in milliseconds.

use std::{fmt, str::FromStr, time::Duration};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// JSON: RFC 3339 in UTC with milliseconds, `2026-11-20T08:15:30.125Z`.
#[derive(Clone, Copy, Debug, Default, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] i64);

/// Why a text is not a timestamp.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not a time; write RFC 3339 with an offset, as 2026-11-20T08:15:30.125Z")]
#[non_exhaustive]
pub struct TimestampError {
    /// The text that was found.
    pub found: String,
}

/// The last millisecond that can be written: 9999-12-30T21:59:59.999Z.
const MILLIS_MAX: i64 = 253_402_207_199_999;
/// The first millisecond of the year 0.
const MILLIS_MIN: i64 = -62_167_219_200_000;

impl Timestamp {
    /// Returns the point this many milliseconds after 1970-01-01T00:00:00Z, held within the years 0 to 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(MILLIS_MIN, MILLIS_MAX))
    }

    /// Returns milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 text; more precise text is cut to milliseconds.
    ///
    /// # Errors
    /// [`TimestampError`] when the text is not a time with an offset.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self::from_millis(t.as_millisecond()))
            .map_err(|_| TimestampError {
                found: text.chars().take(64).collect(),
            })
    }

    /// Returns this point moved later, held at the year 9999.
    #[must_use]
    pub fn after(self, span: Millis) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)),
        )
    }

    /// Returns how long it is from `earlier` to here; nothing when `earlier` is later.
    pub fn since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl<'b, C> Decode<'b, C> for Timestamp {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let millis = decoder.i64()?;
        let time = Self::from_millis(millis);
        if time.0 == millis {
            Ok(time)
        } else {
            Err(minicbor::decode::Error::message(
                "a time is outside the years 0 to 9999",
            ))
        }
    }
}

/// A span of time in milliseconds. JSON: an integer in a field that ends in `_ms`.
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
pub struct Millis(#[n(0)] pub u64);

impl Millis {
    /// Returns a span of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }
}

impl From<Millis> for Duration {
    fn from(span: Millis) -> Self {
        Self::from_millis(span.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(Timestamp::parse(text).unwrap().to_string(), expected);
    }

    #[test]
    fn rfc_3339_is_read_and_written_in_utc_with_milliseconds() {
        check("2026-11-20T08:15:30.125Z", "2026-11-20T08:15:30.125Z");
        check("2026-11-20T09:15:30+01:00", "2026-11-20T08:15:30.000Z");
        check("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
        assert!(Timestamp::parse("2026-11-20").is_err());
        assert!(Timestamp::parse("").is_err());
    }

    #[test]
    fn times_stay_within_what_can_be_written() {
        let late = Timestamp::from_millis(i64::MAX);
        assert_eq!(Timestamp::parse(&late.to_string()).unwrap(), late);
        let early = Timestamp::from_millis(i64::MIN);
        assert_eq!(Timestamp::parse(&early.to_string()).unwrap(), early);
        assert_eq!(late.after(Millis(u64::MAX)), late);
        assert_eq!(early.since(late), Millis(0));
    }
}
