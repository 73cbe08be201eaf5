//! `cargo xtask tidy`: what the compiler and clippy do not check.
//!
//! Every check is a plain function from the tree (or from the workspace's edges) to findings, so
//! that each is tested on a few made-up lines.

mod adr;
mod arrows;
mod bans;
mod circles;
mod docs;
mod functions;
mod links;
mod names;
mod openings;
mod packaging;
mod promises;
mod ratchet;
mod rooms;
mod sizes;
mod threats;
mod tree;
mod tuples;
mod workspace;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

use crate::out;
use crate::packages::Packages;
use tree::Tree;
use workspace::Workspace;

/// A fault in the tree: its place, and a text with the fault and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Finding {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Runs every check over the workspace in the current folder.
pub(crate) fn run() -> Result<ExitCode> {
    let tree = Tree::read(Path::new("."))?;
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cannot read the workspace with cargo metadata")?;
    let mut findings = arrows::check(&Workspace::read(&metadata, &tree));
    findings.extend(sizes::check(&tree));
    findings.extend(rooms::check(&tree));
    findings.extend(circles::check(&tree));
    findings.extend(docs::check(&tree));
    findings.extend(tuples::check(&tree));
    findings.extend(names::check(&tree));
    let openings = openings::DocOpenings::read(&tree);
    findings.extend(openings.check(&tree));
    findings.extend(bans::check(&tree));
    findings.extend(adr::check(&tree));
    findings.extend(links::check(&tree));
    findings.extend(threats::check(&tree));
    findings.extend(promises::check(&tree));
    let sheets = sheets(&Packages::read()?)?;
    findings.extend(packaging::check(&sheets, &tree));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        out::line(&finding.to_string());
    }
    out::line(&packaging::summary(&sheets));
    out::line(&openings.summary());
    out::line(&format!(
        "tidy: {} files read, {} findings",
        tree.len(),
        findings.len()
    ));
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The fact sheet of each published crate.
fn sheets(packages: &Packages) -> Result<Vec<packaging::Sheet>> {
    let root = std::env::current_dir().context("cannot see the workspace root")?;
    let sheets = packages.published().map(|package| {
        let folder = package
            .folder()
            .strip_prefix(&root)
            .unwrap_or(package.folder());
        let folder = folder.to_string_lossy().replace('\\', "/");
        packaging::Sheet::of(package, folder)
    });
    Ok(sheets.collect())
}
