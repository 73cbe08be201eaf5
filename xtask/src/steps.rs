//! The steps of CI, each of which is also a command.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{self, cargo};
use crate::{api, features, main_job, out, package, test, tidy};

/// One step of CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Fmt,
    Clippy,
    Tidy,
    Api,
    Docs,
    Features,
    Package,
    MainJob,
    Test,
}

impl Step {
    /// Every step in the order of CI; the tests come last, so that the output ends with their count.
    const ALL: [Step; 9] = [
        Step::Fmt,
        Step::Clippy,
        Step::Tidy,
        Step::Api,
        Step::Docs,
        Step::Features,
        Step::Package,
        Step::MainJob,
        Step::Test,
    ];

    /// The step that a command names.
    pub(crate) fn named(name: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Step::Fmt => "fmt",
            Step::Clippy => "clippy",
            Step::Tidy => "tidy",
            Step::Api => "api",
            Step::Docs => "docs",
            Step::Features => "features",
            Step::Package => "package",
            Step::MainJob => "main-job",
            Step::Test => "test",
        }
    }

    /// Runs the step; the exit code is 0 only when it found nothing wrong.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self {
            Step::Fmt => done(process::run(cargo(["fmt", "--all", "--", "--check"]))),
            Step::Clippy => done(clippy()),
            Step::Tidy => tidy::run(),
            Step::Api => api::run(api::Mode::Check),
            Step::Docs => done(docs()),
            Step::Features => done(features::run()),
            Step::Package => package::run(package::Depth::Made),
            Step::MainJob => done(main_job::run()),
            Step::Test => test::run(test::Tier::Normal, &[]).map(test::close),
        }
    }
}

/// Runs every step, prints how long each took, and stops at the first that fails.
pub(crate) fn ci() -> Result<ExitCode> {
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Test) {
        let code = timed(step.name(), || step.run())?;
        if code != ExitCode::SUCCESS {
            bail!("step {} found something wrong, see above", step.name());
        }
    }
    timed(Step::Test.name(), || test::run(test::Tier::Normal, &[])).map(test::close)
}

/// Prints the step's name before it runs and its time after.
fn timed<T>(name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    out::line(&format!("\n== {name}"));
    let watch = Stopwatch::start();
    let result = step().with_context(|| format!("step {name} failed"));
    out::line(&format!("== {name} took {:.1?}", watch.elapsed()));
    result
}

fn done(result: Result<()>) -> Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}

fn clippy() -> Result<()> {
    process::run(cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn docs() -> Result<()> {
    let mut command = cargo(["doc", "--workspace", "--no-deps"]);
    command.env(
        "RUSTDOCFLAGS",
        "-D warnings -D rustdoc::broken_intra_doc_links",
    );
    process::run(command)
}

/// Measures how long a step takes.
struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "elapsed time of a build step, not time of the engine"
    )]
    fn start() -> Self {
        Stopwatch(Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
