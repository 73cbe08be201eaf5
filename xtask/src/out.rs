//! The one place that writes to the terminal.

use std::io::Write;

/// Writes one line to standard output.
///
/// A closed pipe is not an error of the command that was run, so a failed write is dropped.
pub(crate) fn line(text: &str) {
    let _closed_pipe = writeln!(std::io::stdout().lock(), "{text}");
}
