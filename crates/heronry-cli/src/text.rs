//! Text that others wrote, made fit for a terminal or for a line of a script.

use std::fmt::{self, Write as _};

use heronry_types::Vocabulary;

/// Returns a text as one line: what ends a line for any reader, every other control character but
/// the tab, and the marks that turn the direction of text are shown as escapes.
pub(crate) fn one_line(text: &str) -> String {
    escaped(text, |c| c != '\t' && is_unsafe(c))
}

/// Returns a text whose line feeds are meant; everything else is shown as in one line.
pub(crate) fn block(text: &str) -> String {
    escaped(text, |c| c != '\t' && c != '\n' && is_unsafe(c))
}

/// Returns a line of the log, whose colours stay as they are.
pub(crate) fn log_line(text: &str) -> String {
    escaped(text, |c| {
        !matches!(c, '\t' | '\n' | '\u{1b}') && is_unsafe(c)
    })
}

/// Writes a value so that it has no tab and no line end: backslash, tab, line feed and carriage
/// return as `\\`, `\t`, `\n`, `\r`, what else is no plain text as `\uXXXX`.
pub(crate) fn escape_field(text: &str) -> String {
    escaped(text, |c| c == '\\' || is_unsafe(c))
}

/// Returns JSON with the same meaning that is one line for every reader.
pub(crate) fn json_line(json: &str) -> String {
    // Outside of texts JSON has none of these characters, and inside it writes them like this.
    escaped(json, is_unsafe)
}

fn is_unsafe(c: char) -> bool {
    let is_bidi = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    is_bidi || ends_line || c.is_control()
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_escaped(c) => shown.push(c),
            '\\' => shown.push_str("\\\\"),
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            c => add(&mut shown, format_args!("\\u{:04x}", u32::from(c))),
        }
    }
    shown
}

/// Adds formatted text to a text.
pub(crate) fn add(text: &mut String, more: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(more);
}

/// Reads a name out of a closed set of them.
pub(crate) fn name_of<V: Vocabulary>(text: &str) -> Result<V, String> {
    V::from_wire(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_for_every_reader() {
        let ends = "\n\u{b}\u{c}\r\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}";
        let shown = "\\n\\u000b\\u000c\\r\\u001c\\u001d\\u001e\\u0085\\u2028\\u2029";
        assert_eq!(one_line(ends), shown);
        assert_eq!(escape_field(ends), shown);
        assert_eq!(block(ends), shown.replacen("\\n", "\n", 1));
        assert_eq!(
            one_line("a\u{1b}[31mb\u{202e}c\u{7f}"),
            "a\\u001b[31mb\\u202ec\\u007f"
        );
        assert_eq!(one_line("héron\t🪶 \\n"), "héron\t🪶 \\n");
    }

    #[test]
    fn json_of_one_line_means_the_same() {
        let value = serde_json::json!({"a": "\u{2028}\u{85}\u{7f}\u{202e}\n\\ é"});
        let line = json_line(&value.to_string());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).unwrap(),
            value
        );
        assert!(line.replace('é', "e").is_ascii(), "{line}");
    }

    #[test]
    fn a_line_of_the_log_keeps_its_colours_and_nothing_else() {
        assert_eq!(
            log_line("\u{1b}[31ma\u{2028}b\r\u{85}c\n"),
            "\u{1b}[31ma\\u2028b\\r\\u0085c\n"
        );
    }

    #[test]
    fn fields_have_no_tab_and_no_line_end() {
        assert_eq!(
            escape_field("a\tb\\c\nd\re\u{1}"),
            "a\\tb\\\\c\\nd\\re\\u0001"
        );
    }
}
