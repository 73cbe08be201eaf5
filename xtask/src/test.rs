//! `cargo xtask test`: every test of the workspace, doc tests included, and one closing count.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use crate::out;
use crate::process::{self, Transcript, cargo};
use crate::prove;
use crate::snapshots::{self, LookedAt, Update};
use crate::tally::{self, Tally};

/// The tier of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// The tests that every change passes: the rules on memory, and on redb, too, everything that a
    /// store has to keep.
    Normal,
    /// Every test on every store, and large counts.
    Prove,
}

/// Builds the binary that the end-to-end tests run, then runs all tests and all doc tests of a tier.
///
/// A part that breaks without naming a failed test (it does not compile, say) counts as one
/// failure, so that the closing line never looks better than the run was. So does each snapshot that
/// no test of a whole run looked at.
pub(crate) fn run(tier: Tier, arguments: &[String]) -> Result<Tally> {
    let scope = Scope::of(arguments);
    let looked_at = LookedAt::new()?;
    let runner = Runner::installed();
    let certifies = arguments.is_empty() && runner == Runner::Nextest;
    let parts = [
        scope.binary(),
        Some(scope.tests(runner, tier, arguments)),
        certifies.then(conformance),
        Some(scope.doc_tests(arguments)),
    ];
    let mut total = Tally::default();
    for mut command in parts.into_iter().flatten() {
        looked_at.follow(&mut command, Update::Nothing);
        if tier == Tier::Prove {
            prove::count(&mut command);
        }
        let part = judge(&process::run_and_read(command)?);
        if part.verdict == Verdict::Broken {
            out::line("xtask: this part failed but names no failed test; counted as one failure");
        }
        total = total + part.tally;
    }
    // Only a whole run that passed has looked at every snapshot; the help is looked at on Unix.
    if arguments.is_empty() && total.failed == 0 && cfg!(unix) {
        let unreferenced = looked_at.unreferenced(Path::new("."))?;
        snapshots::report(&unreferenced);
        total.failed += u64::try_from(unreferenced.len()).unwrap_or(u64::MAX);
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

/// The end of one part of the run.
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
    // The doc test run of a package that is only a binary.
    let has_nothing_to_run = transcript
        .text
        .contains("no library targets found in package");
    if transcript.success || tally.failed > 0 || has_nothing_to_run {
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

/// The tests that are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The workspace.
    Everything,
    /// Packages that the arguments name; the end-to-end tests are among them.
    EndToEnd,
    /// Other packages that the arguments name.
    Packages,
}

impl Scope {
    fn of(arguments: &[String]) -> Self {
        let names_package = |word: &String| word.starts_with("--package") || word.starts_with("-p");
        if !arguments.iter().any(names_package) {
            Scope::Everything
        } else if arguments.iter().any(|word| word.ends_with("heronry-tests")) {
            Scope::EndToEnd
        } else {
            Scope::Packages
        }
    }

    fn flag(self) -> Option<&'static str> {
        (self == Scope::Everything).then_some("--workspace")
    }

    /// The build of the binary where a test runs it, with the features that the workspace sees.
    fn binary(self) -> Option<Command> {
        (self != Scope::Packages).then(|| cargo(["build", "--workspace", "--bin", "heronry"]))
    }

    /// The test run proper: with nextest where it is installed, otherwise with cargo alone.
    fn tests(self, runner: Runner, tier: Tier, arguments: &[String]) -> Command {
        let mut command = match runner {
            Runner::Nextest => cargo([
                "nextest",
                "run",
                "--no-fail-fast",
                "--no-tests=pass",
                "--profile",
                profile(tier),
            ]),
            Runner::Cargo => cargo(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]),
        };
        if runner == Runner::Nextest && arguments.is_empty() {
            command.args(["-E", "not binary(=conformance)"]);
        }
        command.args(self.flag()).args(arguments);
        match (tier, runner) {
            (Tier::Normal, _) => {}
            (Tier::Prove, Runner::Nextest) => drop(command.args(["--run-ignored", "all"])),
            (Tier::Prove, Runner::Cargo) => drop(command.args(["--", "--include-ignored"])),
        }
        command
    }

    fn doc_tests(self, arguments: &[String]) -> Command {
        let mut command = cargo(["test", "--no-fail-fast", "--doc"]);
        command.args(self.flag()).args(arguments);
        command
    }
}

/// The conformance kit on every store, each in one process: nextest gives each case a process of its
/// own, and then nobody sees them all and writes the certificate.
fn conformance() -> Command {
    let whole = ["--workspace", "--test", "conformance"];
    let mut command = cargo(["test", "--no-fail-fast", "--quiet"]);
    command.args(whole);
    command
}

/// The runner of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    /// Each test in a process of its own.
    Nextest,
    /// Each test target in a process.
    Cargo,
}

impl Runner {
    fn installed() -> Self {
        if nextest_is_installed() {
            Runner::Nextest
        } else {
            Runner::Cargo
        }
    }
}

/// The nextest profile: `ci` is quieter and ends a test that hangs; `prove` gives each test hours.
fn profile(tier: Tier) -> &'static str {
    match tier {
        Tier::Prove => "prove",
        Tier::Normal if std::env::var_os("CI").is_some() => "ci",
        Tier::Normal => "default",
    }
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
    fn package_without_a_library_has_no_doc_tests_to_fail() {
        let part = judge(&failed(
            "error: no library targets found in package `xtask`\n",
        ));
        assert_eq!(part.tally, Tally::default());
    }

    #[test]
    fn failed_tests_are_counted_as_they_are() {
        let part = judge(&failed(
            "test result: FAILED. 2 passed; 3 failed; 0 ignored",
        ));
        assert_eq!(part.verdict, Verdict::Counted);
        assert_eq!(part.tally.to_string(), "2 passed, 3 failed, 0 skipped");
    }

    #[track_caller]
    fn check_scope(arguments: &str, expected: Scope) {
        let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        assert_eq!(Scope::of(&words), expected);
    }

    #[test]
    fn what_the_normal_tier_ignores_is_run_in_the_long_one() {
        let words = |runner, tier| {
            let command = Scope::Everything.tests(runner, tier, &[]);
            let words = command.get_args().map(|word| word.to_string_lossy());
            words.collect::<Vec<_>>().join(" ")
        };
        for (runner, flag) in [
            (Runner::Nextest, "--run-ignored all"),
            (Runner::Cargo, "-- --include-ignored"),
        ] {
            assert!(words(runner, Tier::Prove).ends_with(flag));
            assert!(!words(runner, Tier::Normal).contains("ignored"));
        }
    }

    #[test]
    fn chosen_packages_replace_the_workspace() {
        check_scope("", Scope::Everything);
        check_scope("stale_writer_is_fenced", Scope::Everything);
        check_scope("-p heronry-types", Scope::Packages);
        check_scope("--package=heronry-types fenced", Scope::Packages);
        check_scope("-p heronry-tests", Scope::EndToEnd);
        check_scope("--package=heronry-tests", Scope::EndToEnd);
    }
}
