//! Everything that is printed goes through here: answers to stdout, diagnostics to stderr.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;

use crate::{
    failure::Failure,
    fields::{self, FieldPath},
    lines::{Lines, TextForm},
    text,
};

/// The form of answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// Lines for people.
    Text,
    /// One JSON document, or JSON lines.
    Json,
    /// Tab-separated values of these fields.
    Fields(Vec<FieldPath>),
    /// Nothing.
    Quiet,
}

/// The use of colours in output for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The place of an answer's rows, for `--field`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RowsPlace {
    /// The answer is one row.
    Whole,
    /// Each item of this list is a row.
    Of(&'static str),
}

/// Prints answers in the chosen format. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    format: Arc<Format>,
    content: TextForm,
    color: Color,
}

impl Out {
    pub(crate) fn new(format: Format, content: TextForm, color: Color) -> Self {
        Self {
            format: Arc::new(format),
            content,
            color,
        }
    }

    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// Returns true when output for people on stdout is to be coloured.
    pub(crate) fn is_colored(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let is_refused = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
                io::stdout().is_terminal() && !is_refused
            }
        }
    }

    /// Returns how text of others is shown.
    pub(crate) fn content(&self) -> TextForm {
        self.content
    }

    /// Prints a whole answer.
    pub(crate) fn answer<L: Into<Lines>>(
        &self,
        answer: &impl Serialize,
        rows: RowsPlace,
        text: impl FnOnce() -> L,
    ) -> Result<(), Failure> {
        match self.format() {
            Format::Text => {
                let lines: Lines = text().into();
                if lines.is_empty() {
                    Ok(())
                } else {
                    print(&format!("{}\n", lines.text(self.content)))
                }
            }
            Format::Json => {
                let json = serde_json::to_string(answer).map_err(|e| unwritable(&e))?;
                print(&format!("{}\n", text::json_line(&json)))
            }
            Format::Fields(paths) => {
                let value = to_value(answer)?;
                let lines = match rows {
                    RowsPlace::Whole => format!("{}\n", fields::line(paths, &value)),
                    RowsPlace::Of(list) => field_lines(paths, value.get(list)),
                };
                print(&lines)
            }
            Format::Quiet => Ok(()),
        }
    }

    /// Prints one item of an answer that comes in pieces.
    pub(crate) fn item<L: Into<Lines>>(
        &self,
        item: &impl Serialize,
        text: impl FnOnce() -> L,
    ) -> Result<(), Failure> {
        self.answer(item, RowsPlace::Whole, text)
    }

    /// Writes a line to stderr that belongs to the answer, unless nothing but errors is asked for.
    pub(crate) fn note(&self, line: &str) {
        if *self.format() != Format::Quiet {
            diagnose(&format!("heronry: {line}"));
        }
    }

    /// Writes a body: its bytes, and on a terminal its text.
    pub(crate) fn body(&self, bytes: &[u8]) -> Result<(), Failure> {
        if self.content == TextForm::Raw || !io::stdout().is_terminal() {
            return write_to(&mut io::stdout().lock(), bytes);
        }
        print(&self.content.block(&String::from_utf8_lossy(bytes)))
    }
}

/// Writes text to stdout as it is, at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write_to(&mut io::stdout().lock(), text.as_bytes())
}

/// Writes a diagnostic line to stderr.
pub(crate) fn diagnose(line: &str) {
    // Nobody is left to be told when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{}", text::one_line(line));
}

fn write_to(to: &mut impl Write, bytes: &[u8]) -> Result<(), Failure> {
    let written = to.write_all(bytes).and_then(|()| to.flush());
    written.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::unread();
        }
        Failure::failed(format_args!("cannot write the answer: {error}"))
    })
}

fn to_value(answer: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer).map_err(|error| unwritable(&error))
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::failed(format_args!("cannot write the answer as JSON: {error}"))
}

fn field_lines(paths: &[FieldPath], list: Option<&Value>) -> String {
    let items = list
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .map(|item| fields::line(paths, item) + "\n")
        .collect()
}
