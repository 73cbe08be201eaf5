//! Automation of the Heronry workspace: `cargo xtask <command>`.
//!
//! Every check that CI runs is a command here, so that a contributor sees the same answer on a
//! machine that has only the Rust toolchain. It installs nothing, and it changes no source file.

mod api;
mod main_job;
mod out;
mod packages;
mod process;
mod steps;
mod tally;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [ARGS]   build the binary, run every test and every doc test; ARGS go to the test runner
  tidy          arrows between crates, sizes, crate docs, banned code, decision index, links
  ci            every step below, in this order, and stop at the first that fails:

  fmt           rustfmt in check mode
  clippy        clippy over all targets, warnings are errors
  tidy
  docs          rustdoc, warnings and broken links are errors
  features      each published crate built alone, with default and with all features
  main-job      the review example on a small generated tree
  test
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
        return test::run(rest).map(test::close);
    }
    if command == "api" {
        return match accept_or_check(rest) {
            Some(mode) => api::run(mode),
            None => Ok(usage()),
        };
    }
    if !rest.is_empty() {
        out::line(&format!("xtask: {command} takes no arguments\n"));
        return Ok(usage());
    }
    match command.as_str() {
        "ci" => steps::ci(),
        "help" | "--help" | "-h" => {
            out::line(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        name => match steps::Step::named(name) {
            Some(step) => step.run(),
            None => Ok(usage()),
        },
    }
}

/// Nothing checks, `--accept` accepts, and everything else is a usage error.
fn accept_or_check(arguments: &[String]) -> Option<api::Mode> {
    match arguments {
        [] => Some(api::Mode::Check),
        [word] if word == "--accept" => Some(api::Mode::Accept),
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
