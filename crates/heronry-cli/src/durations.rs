//! Spans of time on the command line: `30s`, `10m`, `1h 30m`, `30d`.

use heronry_types::Millis;
use jiff::SignedDuration;

/// The milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Reads a span of time that is not negative.
pub(crate) fn parse(text: &str) -> Result<Millis, String> {
    let refused = || format!("{text:?} is not a span of time; write it as 500ms, 30s or 10m");
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => {
            let days: u64 = days.trim().parse().map_err(|_| refused())?;
            (days, rest.trim())
        }
        None => (0, text),
    };
    let span: SignedDuration = match rest {
        "" if days > 0 => SignedDuration::ZERO,
        rest => rest.parse().map_err(|_| refused())?,
    };
    let days = days.checked_mul(DAY_MS).ok_or_else(refused)?;
    let span = u64::try_from(span.as_millis()).map_err(|_| refused())?;
    days.checked_add(span).map(Millis).ok_or_else(refused)
}

/// A span of time as a text names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeSpan(pub(crate) Millis);

impl std::str::FromStr for TimeSpan {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units_and_are_not_negative() {
        assert_eq!(parse("500ms"), Ok(Millis(500)));
        assert_eq!(parse("30s"), Ok(Millis(30_000)));
        assert_eq!(parse("1h 30m"), Ok(Millis(5_400_000)));
        assert_eq!(parse("0s"), Ok(Millis(0)));
        assert_eq!(parse("30d"), Ok(Millis(30 * DAY_MS)));
        assert_eq!(parse("1d 12h"), Ok(Millis(36 * 3_600_000)));
        for text in [
            "",
            "30",
            "-1s",
            "soon",
            "10 x",
            "d",
            "-1d",
            "99999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
