//! `cargo xtask features`: each published crate alone, with no, each and all of its features.

use anyhow::{Context, Result};
use std::process::Command;

use crate::out;
use crate::packages::{Packages, Published};
use crate::process::{self, cargo};

/// The target that crates without I/O also build for.
const WASM: &str = "wasm32-unknown-unknown";

/// The crates without I/O.
const WITHOUT_IO: [&str; 3] = ["heronry-types", "heronry-journal", "heronry-event"];

/// Builds each published crate alone, because a workspace build hides a feature that a crate forgot
/// to ask for.
pub(crate) fn run() -> Result<()> {
    let packages = Packages::read()?;
    for package in packages.published() {
        for choice in choices(package) {
            let mut command = cargo(["check", "--package", package.name()]);
            command.args(choice);
            process::run(command)?;
        }
    }
    if !wasm_is_installed()? {
        out::line(&format!(
            "SKIPPED {WASM}: not installed; add it with `rustup target add {WASM}`"
        ));
        return Ok(());
    }
    for name in WITHOUT_IO {
        process::run(cargo(["check", "--package", name, "--target", WASM]))?;
    }
    Ok(())
}

/// The arguments of each build of one crate.
fn choices(package: Published<'_>) -> Vec<Vec<String>> {
    let none = vec!["--no-default-features".to_owned()];
    let each = package.features().map(|name| {
        let mut alone = none.clone();
        alone.extend(["--features".to_owned(), name.to_owned()]);
        alone
    });
    let mut choices = vec![none.clone()];
    choices.extend(each);
    if package.features().count() > 1 {
        choices.push(vec!["--all-features".to_owned()]);
    }
    choices
}

fn wasm_is_installed() -> Result<bool> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "list", "--installed"]);
    // A toolchain without rustup has the targets that it has; then nothing more is built.
    let Ok(output) = rustup.output() else {
        return Ok(false);
    };
    let text = String::from_utf8(output.stdout).context("rustup wrote no text")?;
    Ok(text.lines().any(|line| line.trim() == WASM))
}
