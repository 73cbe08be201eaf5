//! Tables for people: as wide as the terminal at the most, and through a pipe one line for each row.

use std::io;

use comfy_table::{ContentArrangement, Table, presets};
use terminal_size::terminal_size_of;

use crate::{lines::Lines, text::one_line};

/// Returns a table with this header. What its cells hold is shown as lines.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| one_line(&cell)));
    }
    table
}

/// Returns the lines of a table that is to be read on stdout.
pub(crate) fn lines_of(table: Table) -> Lines {
    let width = terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    fitted(table, width)
}

fn fitted(mut table: Table, width: Option<u16>) -> Lines {
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table.trim_fmt().lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::TextForm;

    fn shown(width: Option<u16>) -> String {
        let log = "/a/long/way/down/to/the/log/of/a/member.log".to_owned();
        let rows = [
            ["one\ntwo".to_owned(), log],
            [String::new(), "-".to_owned()],
        ];
        fitted(table(["RUN", "LOG"], rows), width).text(TextForm::Escaped)
    }

    #[test]
    fn through_a_pipe_every_row_is_one_line() {
        let lines = shown(None);
        assert_eq!(lines.lines().count(), 3, "{lines}");
        assert!(lines.contains("one\\ntwo"), "{lines}");
        assert!(
            lines.contains("/a/long/way/down/to/the/log/of/a/member.log"),
            "{lines}"
        );
    }

    #[test]
    fn on_a_terminal_no_line_is_wider_than_it() {
        let lines = shown(Some(30));
        let widest = lines.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(30), "{lines}");
        assert!(lines.lines().count() > 3, "{lines}");
    }
}
