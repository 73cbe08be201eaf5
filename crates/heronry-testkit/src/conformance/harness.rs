//! The suite as a test program.

use std::{
    collections::BTreeMap,
    error::Error,
    ffi::OsString,
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use super::{Case, Certificate, Failure, Subject, Verdict, cases};

/// The end of each case that was run, by name.
type CaseEnds = Arc<Mutex<BTreeMap<&'static str, Result<(), Failure>>>>;

/// A run of the suite as a test program.
#[must_use = "return its exit code from `main`"]
pub struct Run {
    subject: Arc<dyn Subject>,
    cases: Vec<Case>,
    ends: CaseEnds,
    conclusion: Conclusion,
    /// The path of the certificate that is to be written; absent when none was asked for.
    asked: Option<PathBuf>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("conclusion", &self.conclusion)
            .finish_non_exhaustive()
    }
}

/// Runs every case that the adapter offers the capabilities for, as a test program does, and
/// writes the certificate when `--certificate PATH` asks for it.
pub fn main(subject: impl Subject) -> ExitCode {
    run(subject).exit_code()
}

/// Runs the cases as [`main`] does, and returns the run.
pub fn run(subject: impl Subject) -> Run {
    let (asked, arguments) = split_arguments(std::env::args_os());
    let subject: Arc<dyn Subject> = Arc::new(subject);
    let (ends, cases) = (CaseEnds::default(), cases());
    let trials = cases.iter().map(|case| trial(*case, &subject, &ends));
    let conclusion = libtest_mimic::run(&Arguments::from_iter(arguments), trials.collect());
    Run {
        subject,
        cases,
        ends,
        conclusion,
        asked,
    }
}

/// Runs every case that the adapter offers the capabilities for, one after the other, and returns
/// the certificate, whatever its verdict.
///
/// # Errors
/// [`Failure`] when no place can be made, or no store opened there.
pub fn certificate(subject: &dyn Subject) -> Result<Certificate, Failure> {
    let cases = cases();
    let offered = cases.iter().filter(|case| case.missing(subject).is_none());
    let ends = offered.map(|case| (case.name(), case.check(subject)));
    Certificate::of(subject, &cases, &ends.collect())
}

impl Run {
    /// Returns the certificate of the cases that were run, whatever its verdict.
    ///
    /// # Errors
    /// [`Failure`] when no place can be made, or no store opened there.
    pub fn certificate(&self) -> Result<Certificate, Failure> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        Certificate::of(&*self.subject, &self.cases, &ends)
    }

    /// Returns the certificate when every case was passed, and none was left out by a filter.
    pub fn passed(&self) -> Option<Certificate> {
        let ran = self
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        let offered = self.cases.iter();
        let offered = offered.filter(|case| case.missing(&*self.subject).is_none());
        if ran < offered.count() {
            return None;
        }
        let certificate = self.certificate().ok();
        certificate.filter(|certificate| certificate.verdict == Verdict::Passed)
    }

    /// Writes the certificate that was asked for, and returns the exit code of the program.
    pub fn exit_code(self) -> ExitCode {
        let Some(path) = &self.asked else {
            return self.conclusion.exit_code();
        };
        let Err(error) = self.write(path) else {
            return self.conclusion.exit_code();
        };
        let shown = path.display();
        // A test program that cannot say why it fails still fails.
        let _ = writeln!(io::stderr(), "no certificate in {shown}: {error}");
        ExitCode::FAILURE
    }

    fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let json = self.certificate()?.to_json()?;
        Ok(std::fs::write(path, json)?)
    }
}

/// Takes `--certificate PATH` or `--certificate=PATH` out of the arguments.
fn split_arguments(
    arguments: impl IntoIterator<Item = OsString>,
) -> (Option<PathBuf>, Vec<OsString>) {
    let mut arguments = arguments.into_iter();
    let mut rest = Vec::new();
    let mut asked = None;
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--certificate" {
            asked = arguments.next().map(PathBuf::from);
        } else if let Some(path) = text.strip_prefix("--certificate=") {
            asked = Some(PathBuf::from(path));
        } else {
            rest.push(argument);
        }
    }
    (asked, rest)
}

fn trial(case: Case, subject: &Arc<dyn Subject>, ends: &CaseEnds) -> Trial {
    let missing = case.missing(&**subject);
    let (subject, ends) = (Arc::clone(subject), Arc::clone(ends));
    let trial = Trial::test(case.name(), move || {
        let end = case.check(&*subject);
        let shown = match &end {
            Ok(()) => Ok(()),
            Err(Failure(what)) => Err(Failed::from(what)),
        };
        let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.insert(case.name(), end);
        shown
    });
    match missing {
        Some(capability) => trial
            .with_kind(format!("needs {}", capability.name()))
            .with_ignored_flag(true),
        None => trial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], asked: Option<&str>, rest: &[&str]) {
        let arguments = arguments.iter().map(OsString::from);
        let expected = (
            asked.map(PathBuf::from),
            rest.iter().map(OsString::from).collect(),
        );
        assert_eq!(split_arguments(arguments), expected);
    }

    #[test]
    fn the_place_of_the_certificate_is_taken_out_of_the_arguments() {
        check(&["p"], None, &["p"]);
        check(
            &["p", "--certificate", "c.json", "x"],
            Some("c.json"),
            &["p", "x"],
        );
        check(
            &["p", "x", "--certificate=c.json"],
            Some("c.json"),
            &["p", "x"],
        );
        check(&["p", "--certificate"], None, &["p"]);
    }
}
