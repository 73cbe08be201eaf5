//! `cargo xtask package`: the archives that would be published, made and looked into, never sent.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::out;
use crate::packages::{Packages, Published};
use crate::process::{self, cargo};

/// The files that every archive holds.
const WANTED: [&str; 2] = ["Cargo.toml", "README.md"];

/// The depth of the check of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The archives are made, which resolves their dependencies as a registry would.
    Made,
    /// Each archive is unpacked and compiled by itself, which takes minutes.
    Built,
}

impl Depth {
    /// Reads the arguments of the command; nothing when they are wrong.
    pub(crate) fn of(arguments: &[String]) -> Option<Self> {
        match arguments {
            [] => Some(Depth::Made),
            [word] if word == "--build" => Some(Depth::Built),
            _ => None,
        }
    }
}

/// Packages every published crate at once, so that they find each other before any is published.
pub(crate) fn run(depth: Depth) -> Result<ExitCode> {
    let packages = Packages::read()?;
    let mut command = cargo(["package", "--quiet", "--allow-dirty"]);
    if depth == Depth::Made {
        // Everything that is locked is there after this, and nothing else is asked for.
        process::run(cargo(["fetch", "--quiet", "--locked"]))?;
        command.args(["--no-verify", "--offline"]);
    }
    for package in packages.published() {
        command.args(["--package", package.name()]);
    }
    process::run(command)?;
    let mut count = 0;
    for package in packages.published() {
        check_contents(package)?;
        count += 1;
    }
    out::line(&format!("package: {count} archives, none sent anywhere"));
    Ok(ExitCode::SUCCESS)
}

fn check_contents(package: Published<'_>) -> Result<()> {
    let name = package.name();
    let mut list = cargo(["package", "--list", "--quiet", "--allow-dirty"]);
    let output = list
        .args(["--package", name])
        .output()
        .with_context(|| format!("cannot list the archive of {name}"))?;
    let text = String::from_utf8(output.stdout).context("cargo wrote no text")?;
    let files: BTreeSet<&str> = text.lines().collect();
    for wanted in WANTED {
        ensure!(
            files.contains(wanted),
            "the archive of {name} lacks {wanted}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn building_is_asked_for_by_name() {
        assert_eq!(Depth::of(&[]), Some(Depth::Made));
        assert_eq!(Depth::of(&["--build".to_owned()]), Some(Depth::Built));
        assert_eq!(Depth::of(&["--publish".to_owned()]), None);
    }
}
