//! The numbers of tests that passed, failed and were skipped, read from the summaries of the test
//! runners.

use std::fmt;
use std::ops::Add;

/// Counts of one or more test runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Add for Tally {
    type Output = Tally;

    fn add(self, other: Tally) -> Tally {
        Tally {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Adds up every summary line of a transcript, whichever runner wrote it.
pub(crate) fn read(transcript: &str) -> Tally {
    transcript
        .lines()
        .map(strip_colours)
        .filter_map(|line| libtest_summary(&line).or_else(|| nextest_summary(&line)))
        .fold(Tally::default(), Tally::add)
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
///
/// Only at the start of a line: nextest repeats the summary of a failed test indented.
fn libtest_summary(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    Some(counts.split(';').fold(Tally::default(), count))
}

/// `     Summary [   0.5s] 4 tests run: 2 passed (1 slow), 1 failed, 1 timed out, 2 skipped`
fn nextest_summary(line: &str) -> Option<Tally> {
    let rest = line.trim().strip_prefix("Summary [")?;
    let (_, counts) = rest.split_once("run: ")?;
    Some(
        without_brackets(counts)
            .split(',')
            .fold(Tally::default(), count),
    )
}

/// Adds one `<number> <what>` of a summary; what is neither passed nor left out has failed.
fn count(tally: Tally, part: &str) -> Tally {
    let Some((number, what)) = part.trim().split_once(' ') else {
        return tally;
    };
    let Ok(number) = number.parse::<u64>() else {
        return tally;
    };
    let more = match what.trim() {
        "passed" => Tally {
            passed: number,
            ..Tally::default()
        },
        "skipped" | "ignored" => Tally {
            skipped: number,
            ..Tally::default()
        },
        "failed" | "timed out" | "exec failed" => Tally {
            failed: number,
            ..Tally::default()
        },
        _ => Tally::default(),
    };
    tally + more
}

/// Drops the remarks in brackets, which repeat tests that are already counted.
fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Drops terminal colour sequences (escape, `[`, parameters, letter).
fn strip_colours(line: &str) -> String {
    let mut kept = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            let _sequence = chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            kept.push(c);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(transcript: &str, expected: &str) {
        assert_eq!(read(transcript).to_string(), expected);
    }

    #[test]
    fn every_libtest_summary_is_added() {
        check(
            "running 3 tests\n\
             test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.01s\n",
            "5 passed, 4 failed, 1 skipped",
        );
    }

    #[test]
    fn remarks_in_brackets_are_not_counted_twice() {
        check(
            "     Summary [   1.204s] 9 tests run: 9 passed (2 slow, 1 leaky), 3 skipped\n",
            "9 passed, 0 failed, 3 skipped",
        );
    }

    #[test]
    fn timed_out_and_unstartable_tests_have_failed() {
        check(
            "     Summary [   1.2s] 6/8 tests run: 2 passed, 1 failed, 2 timed out, 1 exec failed, 0 skipped",
            "2 passed, 4 failed, 0 skipped",
        );
    }

    #[test]
    fn colours_do_not_hide_a_summary() {
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed, 0 skipped",
            "2 passed, 0 failed, 0 skipped",
        );
    }

    #[test]
    fn output_of_the_tests_themselves_is_not_counted() {
        check(
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out\n",
            "0 passed, 0 failed, 0 skipped",
        );
        check(
            "sent 3 passed; 4 failed\nwrote 2 skipped rows\n",
            "0 passed, 0 failed, 0 skipped",
        );
    }
}
