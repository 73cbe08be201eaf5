//! The list of exceptions to the size limits, which may only shrink.

use serde::Deserialize;

use super::Finding;

/// Something that is over a limit.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) path: String,
    /// The full name of a function; none means the whole file.
    pub(crate) function: Option<String>,
    pub(crate) line: usize,
    pub(crate) lines: usize,
    /// The limit and what to do about it.
    pub(crate) advice: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    file: Vec<Exception>,
    #[serde(default)]
    function: Vec<Exception>,
}

/// One thing that was over a limit when it was listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    path: String,
    name: Option<String>,
    lines: usize,
}

/// Holds what was measured against the list: growth, what is new, and what could be struck off.
pub(crate) fn compare(over: &[Measured], list_path: &str, list: &str) -> Vec<Finding> {
    let list: List = match toml::from_str(list) {
        Ok(list) => list,
        Err(error) => {
            let text = format!(
                "is not a list of exceptions: {}; see the comment at its top",
                error.message()
            );
            return vec![Finding::new(list_path, 1, text)];
        }
    };
    let exceptions: Vec<Exception> = list.file.into_iter().chain(list.function).collect();
    let mut findings: Vec<Finding> = over
        .iter()
        .filter_map(|measured| judge(measured, &exceptions))
        .collect();
    findings.extend(
        exceptions
            .iter()
            .filter_map(|exception| stale(exception, over, list_path)),
    );
    findings
}

/// Returns the finding of a size that is over its limit and not excused.
fn judge(measured: &Measured, exceptions: &[Exception]) -> Option<Finding> {
    let what = measured
        .function
        .as_ref()
        .map_or_else(|| "file".to_owned(), |name| format!("function {name}"));
    let (lines, advice) = (measured.lines, &measured.advice);
    let text = match exceptions
        .iter()
        .find(|exception| exception.is_about(measured))
    {
        Some(exception) if lines <= exception.lines => return None,
        Some(exception) => {
            format!(
                "{what} has grown from {} to {lines} lines, {advice}",
                exception.lines
            )
        }
        None => format!("{what} has {lines} lines, {advice}"),
    };
    Some(Finding::new(&measured.path, measured.line, text))
}

/// An entry that excuses more than there is.
fn stale(exception: &Exception, over: &[Measured], list_path: &str) -> Option<Finding> {
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
        None => format!("{what} is no longer over its limit; shrink it: remove the entry"),
        Some(lines) if lines < exception.lines => {
            format!(
                "{what} now has {lines} lines, not {}; shrink it: write {lines}",
                exception.lines
            )
        }
        Some(_) => return None,
    };
    Some(Finding::new(list_path, 1, text))
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

    fn long_function(lines: usize) -> Measured {
        Measured {
            path: "a.rs".to_owned(),
            function: Some("long".to_owned()),
            line: 3,
            lines,
            advice: "the limit is 60; name its parts as functions".to_owned(),
        }
    }

    #[track_caller]
    fn check(over: &[Measured], list: &str, expected: &[&str]) {
        let found: Vec<String> = compare(over, "list.toml", list)
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
            &["list.toml:1: long in a.rs now has 70 lines, not 80; shrink it"],
        );
        check(
            &[],
            LISTED,
            &["list.toml:1: long in a.rs is no longer over its limit; shrink it"],
        );
    }

    #[test]
    fn malformed_list_is_a_finding() {
        check(
            &[],
            "[[function]]\npath = 3\n",
            &["list.toml:1: is not a list of exceptions"],
        );
        check(
            &[],
            "[[functions]]\n",
            &["list.toml:1: is not a list of exceptions"],
        );
    }
}
