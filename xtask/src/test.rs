//! `cargo xtask test`: every test of the workspace, doc tests included, and one closing count.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use crate::out;
use crate::process::{self, Transcript, cargo};
use crate::tally::{self, Tally};

/// Builds the binary that the end-to-end tests run, then runs all tests and all doc tests.
///
/// A part that breaks without naming a failed test (it does not compile, say) counts as one
/// failure, so that the closing line never looks better than the run was.
pub(crate) fn run(arguments: &[String]) -> Result<Tally> {
    let mut total = Tally::default();
    for command in [binary(), tests(arguments), doc_tests(arguments)] {
        let part = judge(&process::run_and_read(command)?);
        if part.verdict == Verdict::Broken {
            out::line("xtask: this part failed but names no failed test; counted as one failure");
        }
        total = total + part.tally;
    }
    Ok(total)
}

/// Prints `N passed, N failed, N skipped` alone on the last line.
pub(crate) fn close(total: Tally) -> ExitCode {
    out::line("");
    out::line(&total.to_string());
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How one part of the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The counts say it all.
    Counted,
    /// The exit code says failure, the counts do not.
    Broken,
}

/// The counts of one part, and whether they could be believed.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    tally: Tally,
    verdict: Verdict,
}

fn judge(transcript: &Transcript) -> Part {
    let tally = tally::read(&transcript.text);
    if transcript.success || tally.failed > 0 {
        return Part {
            tally,
            verdict: Verdict::Counted,
        };
    }
    let one = Tally {
        failed: 1,
        ..Tally::default()
    };
    Part {
        tally: tally + one,
        verdict: Verdict::Broken,
    }
}

/// The build of the binary, with the features that the tests of the workspace see.
fn binary() -> Command {
    cargo(["build", "--workspace", "--bin", "heronry"])
}

/// The test run proper: with nextest where it is installed, otherwise with cargo alone.
fn tests(arguments: &[String]) -> Command {
    let mut command = if nextest_is_installed() {
        let mut command = cargo(["nextest", "run", "--no-tests=pass"]);
        if std::env::var_os("CI").is_some() {
            command.args(["--profile", "ci"]);
        }
        command
    } else {
        cargo(["test", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    command.args(scope(arguments)).args(arguments);
    command
}

fn doc_tests(arguments: &[String]) -> Command {
    let mut command = cargo(["test", "--no-fail-fast", "--doc"]);
    command.args(scope(arguments)).args(arguments);
    command
}

/// `--workspace`, unless the arguments choose packages.
fn scope(arguments: &[String]) -> Option<&'static str> {
    let chosen = arguments.iter().any(|argument| {
        argument == "-p" || argument == "--package" || argument.starts_with("--package=")
    });
    (!chosen).then_some("--workspace")
}

fn nextest_is_installed() -> bool {
    cargo(["nextest", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> Transcript {
        Transcript {
            text: text.to_owned(),
            success: false,
        }
    }

    #[test]
    fn part_that_does_not_compile_counts_as_one_failure() {
        let part = judge(&failed("error[E0308]: mismatched types\n"));
        assert_eq!(part.verdict, Verdict::Broken);
        assert_eq!(part.tally.to_string(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn failed_tests_are_counted_as_they_are() {
        let part = judge(&failed(
            "test result: FAILED. 2 passed; 3 failed; 0 ignored",
        ));
        assert_eq!(part.verdict, Verdict::Counted);
        assert_eq!(part.tally.to_string(), "2 passed, 3 failed, 0 skipped");
    }

    #[test]
    fn chosen_packages_replace_the_workspace() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(scope(&words("-p heronry-types")), None);
        assert_eq!(scope(&words("--package=heronry-types")), None);
        assert_eq!(scope(&words("stale_writer_is_fenced")), Some("--workspace"));
    }
}
