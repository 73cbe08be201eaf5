//! Points and spans of time, in milliseconds.

use std::{fmt, str::FromStr, time::Duration};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// JSON: RFC 3339 in UTC with milliseconds, `2026-11-20T08:15:30.125Z`.
#[derive(Clone, Copy, Debug, Default, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cbor(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("format" = "date-time")))]
pub struct Timestamp(
    #[n(0)]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    i64,
);

/// The error for a text that is not a timestamp.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not a time; write RFC 3339 with an offset, as 2026-11-20T08:15:30.125Z")]
#[non_exhaustive]
pub struct TimestampError {
    /// The text that was found, cut to 64 characters.
    pub found: String,
}

/// The last millisecond of the year 9999.
const MILLIS_MAX: i64 = 253_402_300_799_999;
/// The first millisecond of the year 0.
const MILLIS_MIN: i64 = -62_167_219_200_000;

impl Timestamp {
    /// The first point in time: the start of the year 0.
    pub const FIRST: Self = Self(MILLIS_MIN);
    /// The last point in time: the last millisecond of the year 9999.
    pub const LAST: Self = Self(MILLIS_MAX);

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
    /// [`TimestampError`] when the text is not a time with an offset, or not of the years 0 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let millis = match text.parse::<jiff::Timestamp>() {
            Ok(time) => Some(time.as_millisecond()),
            Err(_) => last_days::parse(text),
        };
        millis
            .filter(|millis| (MILLIS_MIN..=MILLIS_MAX).contains(millis))
            .map(Self)
            .ok_or_else(|| TimestampError {
                found: text.chars().take(64).collect(),
            })
    }

    /// Returns this point moved later; nothing when that is past the year 9999.
    #[must_use]
    pub fn checked_after(self, span: Millis) -> Option<Self> {
        let later = self.0.checked_add(i64::try_from(span.0).ok()?)?;
        (later <= MILLIS_MAX).then_some(Self(later))
    }

    /// Returns this point moved later, held at the year 9999.
    #[must_use]
    pub fn after(self, span: Millis) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)),
        )
    }

    /// Returns the span from `earlier` to this point; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => last_days::write(f, self.0),
        }
    }
}

/// The end of the year 9999. `jiff` keeps its points in time away from it, so that they stay within
/// the calendar in every zone; its dates reach it.
mod last_days {
    use std::fmt;

    use jiff::{
        SignedDuration,
        civil::{DateTime, date},
        fmt::temporal::{Pieces, PiecesOffset},
        tz::TimeZone,
    };

    /// A point before which everything is written with `jiff`.
    const DAYS: i64 = 2;
    const DAY_MILLIS: i64 = 86_400_000;

    /// Returns the milliseconds since 1970 of a time with an offset, which may be past the calendar.
    pub(super) fn parse(text: &str) -> Option<i64> {
        let pieces = Pieces::parse(text).ok()?;
        let offset_seconds = match pieces.offset()? {
            PiecesOffset::Zulu => 0,
            PiecesOffset::Numeric(numeric) => i64::from(numeric.offset().seconds()),
            _ => return None,
        };
        if pieces.time_zone_annotation().is_some() {
            return None;
        }
        let local = DateTime::from_parts(pieces.date(), pieces.time()?);
        let since = local.duration_since(date(1970, 1, 1).at(0, 0, 0, 0));
        let since = since.checked_sub(SignedDuration::from_secs(offset_seconds))?;
        // Cut towards the past, as points in time are.
        let floored = since.as_secs().checked_mul(1_000)?;
        floored.checked_add(i64::from(since.subsec_nanos()).div_euclid(1_000_000))
    }

    /// Writes a time that `jiff` has no point in time for.
    pub(super) fn write(f: &mut fmt::Formatter<'_>, millis: i64) -> fmt::Result {
        let earlier = jiff::Timestamp::from_millisecond(millis - DAYS * DAY_MILLIS);
        let earlier = earlier.map_err(|_| fmt::Error)?.to_zoned(TimeZone::UTC);
        let days = SignedDuration::from_hours(24 * DAYS);
        let time = earlier.datetime().checked_add(days);
        write!(f, "{:.3}Z", time.map_err(|_| fmt::Error)?)
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    fn the_last_days_of_the_year_9999_are_read_and_written() {
        for text in [
            "9999-12-30T21:59:59.999Z",
            "9999-12-30T22:00:00.000Z",
            "9999-12-30T22:00:00.999Z",
            "9999-12-30T22:00:01.000Z",
            "9999-12-31T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00.000Z",
        ] {
            check(text, text);
        }
        check("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z");
        check("9999-12-31T23:59:59+01:00", "9999-12-31T22:59:59.000Z");
        check("9999-12-31T23:59:59.999z", "9999-12-31T23:59:59.999Z");
        for text in [
            "9999-12-31T23:59:59-00:01",
            "9999-12-31T23:59:59",
            "9999-12-31",
            "9999-12-31T23:59:59Z[UTC]",
            "+010000-01-01T00:00:00Z",
            "-000001-12-31T23:59:59Z",
            "9999-12-32T00:00:00Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
        let last = Timestamp::parse("9999-12-31T23:59:59.999Z").unwrap();
        assert_eq!(Timestamp::from_millis(i64::MAX), last);
        assert_eq!(last.checked_after(Millis(0)), Some(last));
        assert_eq!(last.checked_after(Millis(1)), None);
        assert_eq!(Timestamp::default().checked_after(Millis(1 << 63)), None);
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
