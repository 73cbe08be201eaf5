//! The lines of an answer. Text that others wrote passes here, and cannot add a line, hide one or turn
//! it round.

use std::fmt;

use crate::text;

/// The form in which text of others is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TextForm {
    /// Everything that is no plain text is shown as escapes.
    Escaped,
    /// As it is.
    Raw,
}

impl TextForm {
    /// Returns a text as one line.
    pub(crate) fn line(self, text: &str) -> String {
        match self {
            Self::Escaped => text::one_line(text),
            Self::Raw => text.to_owned(),
        }
    }

    /// Returns a text of several lines.
    pub(crate) fn block(self, text: &str) -> String {
        match self {
            Self::Escaped => text::block(text),
            Self::Raw => text.to_owned(),
        }
    }
}

/// Lines for people. Whatever is put into one stays in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lines(Vec<String>);

impl Lines {
    /// Returns one line.
    pub(crate) fn of(text: fmt::Arguments<'_>) -> Self {
        Self(vec![text.to_string()])
    }

    /// Adds to the last line.
    pub(crate) fn add(&mut self, text: fmt::Arguments<'_>) {
        match self.0.last_mut() {
            Some(last) => text::add(last, text),
            None => self.line(text),
        }
    }

    /// Begins a line.
    pub(crate) fn line(&mut self, text: fmt::Arguments<'_>) {
        self.0.push(text.to_string());
    }

    /// Adds a text whose line feeds are meant, as a body: each of its lines is indented.
    pub(crate) fn indented(&mut self, text: &str) {
        let lines = text.split('\n').map(|line| format!("  {line}"));
        self.0.extend(lines);
    }

    /// Adds the lines of another text.
    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Returns the text: lines with line feeds between them.
    pub(crate) fn text(&self, content: TextForm) -> String {
        let lines: Vec<String> = self.0.iter().map(|line| content.line(line)).collect();
        lines.join("\n")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One line; a text without a character is none.
impl From<String> for Lines {
    fn from(line: String) -> Self {
        if line.is_empty() {
            return Self::default();
        }
        Self(vec![line])
    }
}

impl<L: Into<Lines>> FromIterator<L> for Lines {
    fn from_iter<I: IntoIterator<Item = L>>(parts: I) -> Self {
        Self(parts.into_iter().flat_map(|part| part.into().0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        let mut lines = Lines::of(format_args!("from {}", "a\nb"));
        lines.add(format_args!(", late\r"));
        lines.indented("one\ntwo\u{2028}three");
        lines
    }

    #[test]
    fn what_is_put_into_a_line_stays_in_it() {
        let text = lines().text(TextForm::Escaped);
        assert_eq!(text, "from a\\nb, late\\r\n  one\n  two\\u2028three");
    }

    #[test]
    fn raw_text_is_as_it_was_written() {
        let text = lines().text(TextForm::Raw);
        assert_eq!(text, "from a\nb, late\r\n  one\n  two\u{2028}three");
    }

    #[test]
    fn lines_are_put_together_from_parts() {
        let all: Lines = [lines(), Lines::default(), Lines::from("x".to_owned())]
            .into_iter()
            .collect();
        assert_eq!(all.0.len(), 4);
        assert!(Lines::from(String::new()).is_empty());
    }
}
