//! A manual page made from one of our own pages: headings, paragraphs, tables and blocks of text.

use roff::{Inline, Roff, bold, roman};

/// Returns the page of this name and section, from a text in Markdown that begins with its title.
pub(super) fn page(name: &str, section: &str, markdown: &str) -> String {
    let mut roff = Roff::new();
    roff.control("ie", ["\\n(.g .ds Aq \\(aq"]);
    roff.control("el", [".ds Aq '"]);
    roff.control("TH", [name, section]);
    let mut paragraph = Vec::new();
    for line in markdown.lines().chain([""]) {
        let is_part = !line.is_empty() && !line.starts_with(['#', '|']);
        if is_part {
            paragraph.push(line);
            continue;
        }
        if !paragraph.is_empty() {
            roff.control("PP", []);
            roff.text(inlines(&paragraph.join(" ")));
            paragraph.clear();
        }
        if let Some(title) = line.strip_prefix("# ") {
            roff.control("SH", ["NAME"]);
            roff.text([roman(format!("{name} - {title}"))]);
            roff.control("SH", ["DESCRIPTION"]);
        } else if let Some(title) = line.strip_prefix("## ") {
            roff.control("SH", [title.replace('*', "").to_uppercase().as_str()]);
        } else if let Some(row) = line.strip_prefix('|') {
            add_row(&mut roff, row);
        }
    }
    roff.render()
}

/// Adds a row: its first cell as a term, the others behind it. Headers and rules are left out.
fn add_row(roff: &mut Roff, row: &str) {
    let mut cells = row.trim_end_matches('|').split(" | ").map(str::trim);
    let term = cells.next().unwrap_or_default();
    if !term.starts_with('`') {
        return;
    }
    let rest: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    roff.control("TP", []);
    roff.text(inlines(term));
    roff.text(inlines(&rest.join("; ")));
}

/// Returns a text with what stands in backticks or asterisks in bold.
fn inlines(text: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    for (place, code) in text.split('`').enumerate() {
        if place % 2 == 1 {
            inlines.push(bold(code));
            continue;
        }
        for (place, part) in code.split('*').enumerate() {
            inlines.push(if place % 2 == 1 {
                bold(part)
            } else {
                roman(part)
            });
        }
    }
    inlines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_paragraphs_and_rows_are_those_of_a_manual_page() {
        let text = "# The thing\n\nOne\n`two`.\n\n## What *is*\n\n| key | value |\n|---|---|\n| `a` | x \\ y |\n";
        let page = page("thing", "5", text);
        for part in [
            ".TH thing 5",
            ".SH NAME\nthing \\- The thing",
            "One \\fBtwo\\fR.",
            ".SH \"WHAT IS\"",
            ".TP\n\\fBa\\fR\nx \\\\ y",
        ] {
            assert!(page.contains(part), "no {part:?} in {page}");
        }
        assert!(!page.contains("key"), "{page}");
    }
}
