//! The list of exceptions to the limits, which may only shrink.

use std::fmt;

use serde::Deserialize;

use super::Finding;

/// The path of the list of exceptions.
pub(super) const EXCEPTIONS: &str = "xtask/tidy-exceptions.toml";

/// A section of the list: the kind of thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The lines of a file.
    File,
    /// The lines of a function.
    Function,
    /// The doc lines of a crate's public items that do not name their noun.
    PublicDocs,
    /// The doc lines of a crate that do not name their noun.
    Docs,
}

/// A measured number that is over its limit.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) section: Section,
    /// The path of a file, or of a crate's folder.
    pub(crate) path: String,
    /// The full name of a function; `None` in the other sections.
    pub(crate) function: Option<String>,
    pub(crate) line: usize,
    /// The number of lines.
    pub(crate) lines: usize,
    /// The limit and the remedy.
    pub(crate) advice: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    file: Vec<Exception>,
    #[serde(default)]
    function: Vec<Exception>,
    #[serde(default)]
    public_docs: Vec<Exception>,
    #[serde(default)]
    docs: Vec<Exception>,
}

impl List {
    fn section(&self, section: Section) -> &[Exception] {
        match section {
            Section::File => &self.file,
            Section::Function => &self.function,
            Section::PublicDocs => &self.public_docs,
            Section::Docs => &self.docs,
        }
    }
}

/// The number of lines of a thing that was over its limit when it was listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    path: String,
    name: Option<String>,
    lines: usize,
}

/// Compares measured numbers with some sections of the list: returns what has grown, what is new, and
/// the entries that could be lowered or removed.
pub(crate) fn compare(over: &[Measured], sections: &[Section], list: &str) -> Vec<Finding> {
    let list: List = match toml::from_str(list) {
        Ok(list) => list,
        Err(error) => {
            let text = format!(
                "is not a list of exceptions: {}; see the comment at its top",
                error.message()
            );
            return vec![Finding::new(EXCEPTIONS, 1, text)];
        }
    };
    let mut findings: Vec<Finding> = over
        .iter()
        .filter_map(|measured| judge(measured, list.section(measured.section)))
        .collect();
    for section in sections {
        let of_section = |measured: &&Measured| measured.section == *section;
        let over: Vec<&Measured> = over.iter().filter(of_section).collect();
        let entries = list.section(*section).iter();
        findings.extend(entries.filter_map(|entry| stale(*section, entry, &over)));
    }
    findings
}

/// Returns the finding of a number that is over its limit and not excused.
fn judge(measured: &Measured, exceptions: &[Exception]) -> Option<Finding> {
    let what = match (measured.section, &measured.function) {
        (Section::Function, Some(name)) => format!("function {name}"),
        (Section::File | Section::Function, _) => "file".to_owned(),
        (Section::PublicDocs, _) => "the documentation of public items".to_owned(),
        (Section::Docs, _) => "the documentation of all items".to_owned(),
    };
    let (unit, advice) = (measured.section.unit(), &measured.advice);
    let lines = measured.lines;
    let text = match exceptions
        .iter()
        .find(|exception| exception.is_about(measured))
    {
        Some(exception) if lines <= exception.lines => return None,
        Some(exception) => {
            format!(
                "{what} has grown from {} to {lines} {unit}, {advice}",
                exception.lines
            )
        }
        None => format!("{what} has {lines} {unit}, {advice}"),
    };
    Some(Finding::new(&measured.path, measured.line, text))
}

/// Returns the finding of an entry that excuses more than there is.
fn stale(section: Section, exception: &Exception, over: &[&Measured]) -> Option<Finding> {
    let what = exception.name.as_ref().map_or_else(
        || exception.path.clone(),
        |name| format!("{name} in {}", exception.path),
    );
    let largest = over
        .iter()
        .filter(|measured| exception.is_about(measured))
        .map(|it| it.lines)
        .max();
    let text = match largest {
        None => {
            format!("{what} is no longer over its limit; shrink it: remove the entry of {section}")
        }
        Some(lines) if lines < exception.lines => {
            format!(
                "{what} now has {lines} {}, not {}; shrink it: write {lines} in {section}",
                section.unit(),
                exception.lines
            )
        }
        Some(_) => return None,
    };
    Some(Finding::new(EXCEPTIONS, 1, text))
}

impl Section {
    fn unit(self) -> &'static str {
        match self {
            Section::File | Section::Function => "lines",
            Section::PublicDocs | Section::Docs => "lines that do not name their noun",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Section::File => "[[file]]",
            Section::Function => "[[function]]",
            Section::PublicDocs => "[[public_docs]]",
            Section::Docs => "[[docs]]",
        })
    }
}

impl Exception {
    fn is_about(&self, measured: &Measured) -> bool {
        self.path == measured.path && self.name == measured.function
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "[[function]]\npath = \"a.rs\"\nname = \"long\"\nlines = 80\n";

    const CRATE_LISTED: &str = "[[docs]]\npath = \"crates/a\"\nlines = 80\n";

    fn long_function(lines: usize) -> Measured {
        Measured {
            section: Section::Function,
            path: "a.rs".to_owned(),
            function: Some("long".to_owned()),
            line: 3,
            lines,
            advice: "the limit is 60; name its parts as functions".to_owned(),
        }
    }

    fn docs_of_a_crate(lines: usize) -> Measured {
        Measured {
            section: Section::Docs,
            path: "crates/a".to_owned(),
            function: None,
            line: 1,
            lines,
            advice: "name it first".to_owned(),
        }
    }

    #[track_caller]
    fn check(over: &[Measured], list: &str, expected: &[&str]) {
        let sections = [Section::Function, Section::Docs];
        let found: Vec<String> = compare(over, &sections, list)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line} does not contain {part}");
        }
    }

    #[test]
    fn listed_size_passes() {
        check(&[long_function(80)], LISTED, &[]);
    }

    #[test]
    fn unlisted_or_grown_is_a_finding() {
        check(
            &[long_function(80)],
            "",
            &["a.rs:3: function long has 80 lines, the limit is 60"],
        );
        check(
            &[long_function(81)],
            LISTED,
            &["a.rs:3: function long has grown from 80 to 81 lines"],
        );
    }

    #[test]
    fn list_may_only_shrink() {
        check(
            &[long_function(70)],
            LISTED,
            &["xtask/tidy-exceptions.toml:1: long in a.rs now has 70 lines, not 80; shrink it"],
        );
        check(
            &[],
            LISTED,
            &["xtask/tidy-exceptions.toml:1: long in a.rs is no longer over its limit; shrink it"],
        );
    }

    #[test]
    fn malformed_list_is_a_finding() {
        check(
            &[],
            "[[function]]\npath = 3\n",
            &["xtask/tidy-exceptions.toml:1: is not a list of exceptions"],
        );
        check(
            &[],
            "[[functions]]\n",
            &["xtask/tidy-exceptions.toml:1: is not a list of exceptions"],
        );
    }

    #[test]
    fn crates_are_listed_by_their_numbers_of_doc_lines() {
        check(&[docs_of_a_crate(80)], CRATE_LISTED, &[]);
        check(
            &[docs_of_a_crate(81)],
            CRATE_LISTED,
            &["crates/a:1: the documentation of all items has grown from 80 to 81 lines that"],
        );
        check(
            &[docs_of_a_crate(79)],
            CRATE_LISTED,
            &[
                "crates/a now has 79 lines that do not name their noun, not 80; shrink it: write 79 in [[docs]]",
            ],
        );
    }

    #[test]
    fn entries_excuse_only_what_their_section_measures() {
        check(
            &[docs_of_a_crate(80)],
            "[[public_docs]]\npath = \"crates/a\"\nlines = 80\n",
            &["crates/a:1: the documentation of all items has 80 lines"],
        );
        let elsewhere = "[[file]]\npath = \"a.rs\"\nlines = 700\n";
        check(&[], elsewhere, &[]);
    }
}
