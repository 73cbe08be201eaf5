//! The page of promises and the tests name each other: each number on the page has a test that is
//! named after it, and each test that is named after a number has its promise on the page.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::functions::{self, Function};
use super::tree::Tree;

const PAGE: &str = "docs/SEMANTICS.md";

/// Holds checks like this one, and their made-up tests.
const ELSEWHERE: &str = "xtask/";

/// Names of functions may begin with these, and are no numbers then.
const TYPES: [&str; 12] = [
    "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64",
];

/// Checks the page against the tests, both ways, and that it names no promise that it does not make.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else {
        return Vec::new();
    };
    let tests = tests(tree);
    let mut findings = Vec::new();
    let mut promised: BTreeMap<String, usize> = BTreeMap::new();
    for (line, text) in (1..).zip(page.lines()) {
        let Some(number) = number_of_promise(text) else {
            continue;
        };
        if let Some(first) = promised.get(&number) {
            let text =
                format!("promises {number} again, as line {first} does; number it otherwise");
            findings.push(Finding::new(PAGE, line, text));
            continue;
        }
        if !tests.contains_key(&number) {
            let start = number.to_ascii_lowercase();
            let text = format!(
                "promises {number} and no test is named {start}_…; name the one that shows it"
            );
            findings.push(Finding::new(PAGE, line, text));
        }
        promised.insert(number, line);
    }
    for (number, test) in &tests {
        if !promised.contains_key(number) {
            let name = test.name;
            let text = format!(
                "{name} shows {number}, which {PAGE} does not promise; write it there, or name the test otherwise"
            );
            findings.push(Finding::new(test.path, test.line, text));
        }
    }
    findings.extend(mentions(page, &promised));
    findings
}

/// The first test of each number.
fn tests(tree: &Tree) -> BTreeMap<String, Function<'_>> {
    let mut tests = BTreeMap::new();
    for function in functions::of(tree).filter(|it| !it.path.starts_with(ELSEWHERE)) {
        let start = function.name.split_once('_').map(|(start, _)| start);
        if let Some(start) = start.filter(|it| !TYPES.contains(it) && is_number(it)) {
            tests.entry(start.to_ascii_uppercase()).or_insert(function);
        }
    }
    tests
}

/// The number that a line of the page makes a promise of: `**P3 …` or `- **A1** …`.
fn number_of_promise(line: &str) -> Option<String> {
    let line = line.strip_prefix("- ").unwrap_or(line);
    let words = line.strip_prefix("**")?;
    let end = words.find(|c: char| !c.is_ascii_alphanumeric())?;
    let number = words.get(..end)?;
    let is_capital = number.starts_with(|c: char| c.is_ascii_uppercase());
    (is_capital && is_number(number)).then(|| number.to_ascii_uppercase())
}

/// A letter and digits, and perhaps one more letter.
fn is_number(word: &str) -> bool {
    let Some(rest) = word.strip_prefix(|c: char| c.is_ascii_alphabetic()) else {
        return false;
    };
    let digits = rest
        .strip_suffix(|c: char| c.is_ascii_lowercase())
        .unwrap_or(rest);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

/// Numbers that the page names in passing and does not promise.
fn mentions(page: &str, promised: &BTreeMap<String, usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(page.lines()) {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let named: BTreeSet<&str> = words
            .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && is_number(word))
            .filter(|word| !promised.contains_key(&word.to_ascii_uppercase()))
            .collect();
        findings.extend(named.into_iter().map(|word| {
            let text = format!("names {word}, which is no promise of this page; mend the number");
            Finding::new(PAGE, line, text)
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn p3_a_run_joins() {}\n    async fn m10_a_reply_counts(w: W) {}\nfn u64_of() {}\n";
    const LETTERED: &str = "#[test]\nfn r15a_no_text_shows_it() {}\n";

    #[track_caller]
    fn check_page(page: &str, source: &str, expected: &[&str]) {
        let tree = Tree::of(&[
            (PAGE, page),
            ("tests/a.rs", source),
            ("xtask/src/b.rs", "fn z9_made_up() {}\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, start) in found.iter().zip(expected) {
            assert!(line.starts_with(start), "{line} is not {start}");
        }
    }

    #[test]
    fn promises_and_tests_that_name_each_other_pass() {
        let page = "# S\n\n**P3 Joining.** See M10, UTF-8 and BLAKE3.\n\n- **M10** A reply.\n";
        check_page(page, SOURCE, &[]);
        assert_eq!(check(&Tree::of(&[("a.rs", SOURCE)])), []);
    }

    #[test]
    fn a_promise_without_a_test_is_named() {
        check_page(
            "**P3 Joining.**\n**M10 Replies.**\n\n**P4 Leaving.**\n",
            SOURCE,
            &["docs/SEMANTICS.md:4: promises P4 and no test is named p4_"],
        );
    }

    #[test]
    fn a_test_without_a_promise_is_named_where_it_stands() {
        check_page(
            "**P3 Joining.**\n",
            SOURCE,
            &[
                "tests/a.rs:3: m10_a_reply_counts shows M10, which docs/SEMANTICS.md does not promise",
            ],
        );
    }

    #[test]
    fn a_number_that_comes_twice_or_is_nowhere_is_named() {
        check_page(
            "**P3 Joining.**\n- **M10** As in K7.\n- **P3** Again.\n",
            SOURCE,
            &[
                "docs/SEMANTICS.md:3: promises P3 again, as line 1 does",
                "docs/SEMANTICS.md:2: names K7, which is no promise",
            ],
        );
    }

    #[test]
    fn words_in_bold_are_no_promises() {
        check_page(
            "**Pools** and **a3**.\n**P3 Joining.**\n**M10** x\nThe run **P3**.\n",
            SOURCE,
            &[],
        );
    }

    #[test]
    fn a_number_with_a_letter_is_one_in_either_case() {
        check_page("- **R15a** Nothing shows it (R15a).\n", LETTERED, &[]);
    }
}
