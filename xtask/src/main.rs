//! Automation of the Heronry workspace: `cargo xtask <command>`.
//!
//! Every check that CI runs is a command here, so that a contributor sees the same answer on a
//! machine that has only the Rust toolchain. It installs nothing, and it changes no source file.

mod api;
mod bench;
mod features;
mod guide;
mod main_job;
mod out;
mod package;
mod packages;
mod process;
mod prove;
mod snapshots;
mod steps;
mod tally;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [ARGS]            build the binary, run the tests of the normal tier and every doc test; ARGS
                         go to the runner
  tidy                   arrows between crates, sizes, crate docs, packaging, banned code, links
  ci                     every step below, in this order, and stop at the first that fails:

  fmt                    rustfmt in check mode
  clippy                 clippy over all targets, warnings are errors
  tidy
  api [--accept]         public items of each published crate, against docs/api
  docs                   rustdoc, warnings and broken links are errors
  features               each published crate alone: without, with each and with all features
  package [--build]      the archives to be published, made (and built), never sent
  main-job               the review example on a small generated tree
  test

not in ci:
  prove                  the long tiers: every test on every store, large counts, tools that not every
                         machine has
  guide                  the store of the guides, pasted into a crate of its own and tested
  snapshots [--accept]   everything that is pinned by a file: events, records, OpenAPI, help, public items
  bench [--save|--compare]  the criterion benchmarks, and how they compare with a saved run
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            out::line(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    std::env::set_current_dir(workspace_root()?).context("cannot enter the workspace root")?;
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(usage());
    };
    if command == "test" {
        return test::run(test::Tier::Normal, rest).map(test::close);
    }
    if let Some(code) = with_arguments(command, rest) {
        return code;
    }
    if !rest.is_empty() {
        out::line(&format!("xtask: {command} takes no arguments\n"));
        return Ok(usage());
    }
    match command.as_str() {
        "ci" => steps::ci(),
        "guide" => guide::run().map(|()| ExitCode::SUCCESS),
        "prove" => prove::run(),
        "help" | "--help" | "-h" => {
            out::line(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        name => match steps::CiStep::named(name) {
            Some(step) => step.run(),
            None => Ok(usage()),
        },
    }
}

/// Runs a command that takes arguments; nothing when this is none, or when they are wrong.
fn with_arguments(command: &str, rest: &[String]) -> Option<Result<ExitCode>> {
    match command {
        "api" => api::Mode::of(rest).map(api::run),
        "snapshots" => api::Mode::of(rest).map(snapshots::run),
        "bench" => bench::Figures::of(rest).map(bench::run),
        "package" => package::Depth::of(rest).map(package::run),
        _ => None,
    }
}

/// Prints the usage and answers the exit code of a usage error.
fn usage() -> ExitCode {
    out::line(USAGE);
    ExitCode::from(2)
}

/// The folder above this crate.
fn workspace_root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("the xtask folder has no parent")
}
