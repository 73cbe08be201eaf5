//! Text that others wrote, made fit for a terminal or for a line of a script.

use std::fmt::{self, Write as _};

use heronry_types::Vocabulary;

/// Drops control characters (except line ends and tabs) and the marks that turn the direction of text.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_unsafe(*c)).collect()
}

fn is_unsafe(c: char) -> bool {
    let is_bidi = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidi || (c.is_control() && c != '\n' && c != '\t')
}

/// Writes a value so that it has no tab and no line end: backslash, tab, line feed and carriage
/// return as `\\`, `\t`, `\n`, `\r`, other control characters as `\u00xx`.
pub(crate) fn escape_field(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            c if c.is_control() => add(&mut escaped, format_args!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Adds formatted text to a text.
pub(crate) fn add(text: &mut String, more: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(more);
}

/// Reads a name out of a closed set of them.
pub(crate) fn name_of<V: Vocabulary>(text: &str) -> Result<V, String> {
    V::from_wire(text).map_err(|error| {
        let meant = suggestion(text, error.known.iter().copied());
        let meant = meant.map_or_else(|| ";".to_owned(), |name| format!("; did you mean {name}?"));
        format!("no such name{meant} known: {}", error.known.join(", "))
    })
}

/// Returns the known name that was most likely meant.
pub(crate) fn suggestion<'a>(
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(found, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_its_set_or_the_set_is_listed() {
        use heronry_types::RunEnd;
        assert_eq!(name_of::<RunEnd>("failed"), Ok(RunEnd::Failed));
        let check = |text: &str, expected: &str| {
            assert_eq!(name_of::<RunEnd>(text).unwrap_err(), expected);
        };
        let known = "known: completed, failed, cancelled";
        check(
            "canceled",
            &format!("no such name; did you mean cancelled? {known}"),
        );
        check("done", &format!("no such name; {known}"));
    }

    #[test]
    fn terminal_text_has_no_control_and_no_bidi_characters() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{7f}\r\n\td"), "a[31mbc\n\td");
        assert_eq!(clean("héron 🪶"), "héron 🪶");
    }

    #[test]
    fn fields_have_no_tab_and_no_line_end() {
        assert_eq!(
            escape_field("a\tb\\c\nd\re\u{1}"),
            "a\\tb\\\\c\\nd\\re\\u0001"
        );
    }

    #[test]
    fn a_suggestion_is_close_to_what_was_found() {
        let known = ["agent", "command", "topics"];
        assert_eq!(suggestion("comand", known), Some("command"));
        assert_eq!(suggestion("topic", known), Some("topics"));
        assert_eq!(suggestion("colour", known), None);
    }
}
