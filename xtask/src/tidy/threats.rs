//! The pages of threats and of architecture name a test for each line of their tables, and each test is
//! there.

use std::collections::BTreeSet;

use super::Finding;
use super::functions;
use super::tree::Tree;

/// The pages whose tables are checked.
const PAGES: [&str; 2] = ["docs/THREATS.md", "docs/ARCHITECTURE.md"];

/// The head of the last column of the tables that are checked.
const COLUMN: &str = "test";

/// Checks each line of each table whose last column is headed `test`.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let known = functions::of(tree).map(|it| it.name).collect();
    let pages = PAGES
        .iter()
        .filter_map(|page| Some((*page, tree.text(page)?)));
    pages
        .flat_map(|(page, text)| check_page(page, text, &known))
        .collect()
}

fn check_page(page: &str, text: &str, known: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_table = false;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(cell) = last_cell(line) else {
            in_table = false;
            continue;
        };
        if cell == COLUMN {
            in_table = true;
        } else if in_table && !is_rule(cell) {
            findings.extend(check_cell(page, number, cell, known));
        }
    }
    findings
}

fn check_cell(page: &str, number: usize, cell: &str, known: &BTreeSet<&str>) -> Vec<Finding> {
    // Every other part stands between back quotes.
    let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        let text = "says what holds and names no test for it; add its name in back quotes";
        return vec![Finding::new(page, number, text)];
    }
    let missing = names.into_iter().filter(|name| !known.contains(name));
    missing
        .map(|name| {
            let text = format!("names the test {name}, which is nowhere; name one that shows this");
            Finding::new(page, number, text)
        })
        .collect()
}

/// The last cell of a line of a table.
fn last_cell(line: &str) -> Option<&str> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    cells.rsplit('|').next().map(str::trim)
}

fn is_rule(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn a_stranger_is_refused() {}\n    async fn shared(s: S) {}\n";

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let tree = Tree::of(&[("docs/THREATS.md", text), ("tests/a.rs", SOURCE)]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, start) in found.iter().zip(expected) {
            assert!(line.starts_with(start), "{line} is not {start}");
        }
    }

    #[test]
    fn lines_with_tests_that_are_there_pass() {
        check_text(
            "# T\n\n| who | test |\n|---|---|\n| a | `a_stranger_is_refused`, `shared` |\n",
            &[],
        );
        check_text("| word | meaning |\n|---|---|\n| a | no test here |\n", &[]);
        assert_eq!(check(&Tree::of(&[("a.rs", SOURCE)])), []);
    }

    #[test]
    fn a_line_without_a_test_or_with_one_that_is_gone_is_named() {
        check_text(
            "| who | test |\n|---|:--|\n| a | none yet |\n| b | `shared` `gone` |\n| c | |\n",
            &[
                "docs/THREATS.md:3: says what holds and names no test",
                "docs/THREATS.md:4: names the test gone, which is nowhere",
                "docs/THREATS.md:5: says what holds and names no test",
            ],
        );
    }

    #[test]
    fn the_page_of_architecture_is_checked_too() {
        let page = "| never | test |\n|---|---|\n| a | `gone` |\n";
        let tree = Tree::of(&[("docs/ARCHITECTURE.md", page), ("tests/a.rs", SOURCE)]);
        let found = check(&tree);
        let lines: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.line)).collect();
        assert_eq!(lines, [("docs/ARCHITECTURE.md", 3)]);
    }
}
