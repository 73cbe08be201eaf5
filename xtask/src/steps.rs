//! The steps of CI, each of which is also a command.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{self, cargo};
use crate::{api, features, main_job, out, package, test, tidy};

/// One step of CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CiStep {
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

impl CiStep {
    /// Every step in the order of CI; the tests come last, so that the output ends with their count.
    const ALL: [CiStep; 9] = [
        CiStep::Fmt,
        CiStep::Clippy,
        CiStep::Tidy,
        CiStep::Api,
        CiStep::Docs,
        CiStep::Features,
        CiStep::Package,
        CiStep::MainJob,
        CiStep::Test,
    ];

    /// The step that a command names.
    pub(crate) fn named(name: &str) -> Option<CiStep> {
        CiStep::ALL.into_iter().find(|step| step.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            CiStep::Fmt => "fmt",
            CiStep::Clippy => "clippy",
            CiStep::Tidy => "tidy",
            CiStep::Api => "api",
            CiStep::Docs => "docs",
            CiStep::Features => "features",
            CiStep::Package => "package",
            CiStep::MainJob => "main-job",
            CiStep::Test => "test",
        }
    }

    /// Runs the step; the exit code is 0 only when it found nothing wrong.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self {
            CiStep::Fmt => done(process::run(cargo(["fmt", "--all", "--", "--check"]))),
            CiStep::Clippy => done(clippy()),
            CiStep::Tidy => tidy::run(),
            CiStep::Api => api::run(api::Mode::Check),
            CiStep::Docs => done(docs()),
            CiStep::Features => done(features::run()),
            CiStep::Package => package::run(package::Depth::Made),
            CiStep::MainJob => done(main_job::run()),
            CiStep::Test => test::run(test::Tier::Normal, &[]).map(test::close),
        }
    }
}

/// Runs every step, prints how long each took, and stops at the first that fails.
pub(crate) fn ci() -> Result<ExitCode> {
    for step in CiStep::ALL.into_iter().filter(|step| *step != CiStep::Test) {
        let code = timed(step.name(), || step.run())?;
        if code != ExitCode::SUCCESS {
            bail!("step {} found something wrong, see above", step.name());
        }
    }
    timed(CiStep::Test.name(), || test::run(test::Tier::Normal, &[])).map(test::close)
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
