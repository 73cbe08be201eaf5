//! Spans of time on the command line: `30s`, `10m`, `1h 30m`.

use heronry_types::Millis;
use jiff::SignedDuration;

/// Reads a span of time that is not negative.
pub(crate) fn parse(text: &str) -> Result<Millis, String> {
    let refused = || format!("{text:?} is not a span of time; write it as 500ms, 30s or 10m");
    let span: SignedDuration = text.parse().map_err(|_| refused())?;
    u64::try_from(span.as_millis())
        .map(Millis)
        .map_err(|_| refused())
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
        for text in ["", "30", "-1s", "soon", "10 x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
