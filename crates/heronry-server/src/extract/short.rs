//! Errors of reading that repeat little of the text: a text of a body may be long, and longer still
//! when it is escaped.

use std::fmt;

use serde::de::{self, Unexpected, value};

/// The longest text of an error, in bytes.
const ERROR_BYTES_MAX: usize = 4_096;
/// The most bytes of a text that an error repeats.
const REPEATED_BYTES_MAX: usize = 256;
/// An error that repeats little of the text that it is about.
#[derive(Debug)]
pub(super) struct Short(value::Error);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Short {}

impl de::Error for Short {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(value::Error::custom(limited(&message, ERROR_BYTES_MAX)))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(value::Error::invalid_type(brief(found), expected))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(value::Error::invalid_value(brief(found), expected))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self(value::Error::unknown_variant(cut(variant), known))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self(value::Error::unknown_field(cut(field), known))
    }
}

fn brief(found: Unexpected<'_>) -> Unexpected<'_> {
    if let Unexpected::Str(text) = found {
        Unexpected::Str(cut(text))
    } else {
        found
    }
}

/// Returns the beginning of a text.
fn cut(text: &str) -> &str {
    beginning(text, REPEATED_BYTES_MAX)
}

/// Returns as many whole characters of a text as fit into so many bytes.
fn beginning(text: &str, max: usize) -> &str {
    let ends = (0..=max.min(text.len())).rev();
    let mut whole = ends.filter_map(|end| text.get(..end));
    whole.next().unwrap_or_default()
}

/// Writes at most so many bytes of a text that is made as it is written.
pub(super) fn limited(text: &dyn fmt::Display, max: usize) -> String {
    let mut limited = Limited {
        text: String::new(),
        max,
    };
    // It stops with an error where it is full; what was written until then is what is wanted.
    let _ = fmt::write(&mut limited, format_args!("{text}"));
    limited.text
}

struct Limited {
    text: String,
    max: usize,
}

impl fmt::Write for Limited {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.max.saturating_sub(self.text.len());
        let fitting = beginning(more, room);
        self.text.push_str(fitting);
        if fitting.len() < more.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use de::Error as _;

    use super::*;

    #[test]
    fn an_error_repeats_the_beginning_of_a_text() {
        let long = "\u{7f}".repeat(100_000);
        for error in [
            Short::invalid_type(Unexpected::Str(&long), &"a number"),
            Short::unknown_field(&long, &["to", "from"]),
            Short::unknown_variant(&long, &["run", "pool"]),
            Short::custom(&long),
        ] {
            let text = error.to_string();
            assert!(text.len() <= ERROR_BYTES_MAX, "{}", text.len());
        }
        assert_eq!(
            Short::invalid_type(Unexpected::Str("x"), &"a number").to_string(),
            "invalid type: string \"x\", expected a number"
        );
        assert_eq!(limited(&"a\u{20ac}b", 3), "a");
        assert_eq!(limited(&"a\u{20ac}b", 4), "a\u{20ac}");
    }
}
