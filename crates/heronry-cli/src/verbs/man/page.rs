//! A manual page made from one of our own pages: headings, paragraphs, tables and blocks of text.

use roff::{Inline, Roff, bold, roman};

/// Returns the page of this name and section, from a text in Markdown that begins with its title.
pub(super) fn page(name: &str, section: &str, markdown: &str) -> String {
    let mut roff = Roff::new();
    roff.control("TH", [name, section]);
    let (mut paragraph, mut header) = (Vec::new(), Vec::new());
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
            roff.text([roman(format!("{name} - {}", title.to_lowercase()))]);
            roff.control("SH", ["DESCRIPTION"]);
        } else if let Some(title) = line.strip_prefix("## ") {
            roff.control("SH", [title.replace('*', "").to_uppercase().as_str()]);
        } else if line.starts_with("| `") {
            add_row(&mut roff, &header, &cells(line));
        } else if line.starts_with("| ") {
            header = cells(line);
        }
    }
    roff.render()
}

/// Returns the cells of a row.
fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// Adds a row: its first cell as a term, the others behind it. A default is called so.
fn add_row(roff: &mut Roff, header: &[&str], row: &[&str]) {
    let named = row.iter().zip(header);
    let rest = named.skip(1).filter(|(cell, _)| !cell.is_empty());
    let rest = rest.map(|(cell, name)| match *name {
        "default" => format!("default: {cell}"),
        _ => (*cell).to_owned(),
    });
    let rest: Vec<String> = rest.collect();
    roff.control("TP", []);
    roff.text(inlines(row.first().unwrap_or(&"")));
    roff.text(inlines(&rest.join("; ")));
}

/// Returns a text in which the parts in backticks or asterisks are bold.
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
        let text = "# The thing\n\nOne\n`two`.\n\n## What *is*\n\n| key | value | default |\n|---|---|---|\n| `a` | x \\ y | |\n| `b` | z | `1` |\n";
        let page = page("thing", "5", text);
        for part in [
            ".TH thing 5",
            ".SH NAME\nthing \\- the thing",
            "One \\fBtwo\\fR.",
            ".SH \"WHAT IS\"",
            ".TP\n\\fBa\\fR\nx \\\\ y\n.TP",
            ".TP\n\\fBb\\fR\nz; default: \\fB1\\fR\n",
        ] {
            assert!(page.contains(part), "no {part:?} in {page}");
        }
        assert!(!page.contains("key"), "{page}");
    }
}
