//! `cargo xtask snapshots`: everything that is pinned by a file, compared or written.
//!
//! Events, the HTTP contract, the help of the command line and the certificates of the stores
//! (insta), the bytes and JSON of records (golden files of the journal, which are added and never
//! edited), and the public items.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use cargo_metadata::TargetKind;

use crate::api::{self, Mode};
use crate::out;
use crate::packages::Packages;
use crate::process::{self, cargo};

/// The variable that names the file where test binaries list the snapshots that they looked at.
const REFERENCES: &str = "INSTA_SNAPSHOT_REFERENCES_FILE";

/// The test targets whose snapshots may change. All others hold golden files: what an older version
/// wrote must stay readable, so those are added and never edited.
const MAY_CHANGE: [&str; 2] = ["surface", "conformance"];

/// Folders that hold no snapshot of ours.
const SKIPPED_FOLDERS: [&str; 4] = [".git", ".heronry", "node_modules", "target"];

/// Runs the tests that hold snapshots, and then looks for snapshots that no test looked at.
pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let looked_at = LookedAt::new()?;
    process::run(cargo(["build", "--workspace", "--bin", "heronry"]))?;
    for (mut command, update) in tests(mode)? {
        looked_at.follow(&mut command, update);
        process::run(command)?;
    }
    let unreferenced = looked_at.unreferenced(Path::new("."))?;
    match mode {
        Mode::Check => report(&unreferenced),
        Mode::Accept => remove(&unreferenced)?,
    }
    let items = api::run(mode)?;
    let nothing_left = mode == Mode::Accept || unreferenced.is_empty();
    Ok(if nothing_left {
        items
    } else {
        ExitCode::FAILURE
    })
}

/// Names every snapshot that no test looked at.
pub(crate) fn report(unreferenced: &BTreeSet<PathBuf>) {
    for file in unreferenced {
        let shown = file.display();
        out::line(&format!(
            "{shown}: no test looks at it; remove it, or mend the test's name"
        ));
    }
    out::line(&format!(
        "snapshots: {} that no test looks at",
        unreferenced.len()
    ));
}

fn remove(unreferenced: &BTreeSet<PathBuf>) -> Result<()> {
    for file in unreferenced {
        let shown = file.display();
        fs::remove_file(file).with_context(|| format!("cannot remove {shown}"))?;
        out::line(&format!("removed {shown}"));
    }
    Ok(())
}

/// The reaction of a test to a snapshot that is not as it expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Update {
    /// The test fails.
    Nothing,
    /// The test writes a snapshot that is missing, and fails when one differs.
    Missing,
    /// The test writes the snapshot.
    Any,
}

impl Update {
    fn of(mode: Mode, target: &str) -> Self {
        match mode {
            Mode::Check => Update::Nothing,
            Mode::Accept if MAY_CHANGE.contains(&target) => Update::Any,
            Mode::Accept => Update::Missing,
        }
    }

    /// The word of insta for it.
    fn word(self) -> &'static str {
        match self {
            Update::Nothing => "no",
            Update::Missing => "unseen",
            Update::Any => "always",
        }
    }
}

/// Returns one run for each target that has snapshots, and one for the golden files of the journal.
fn tests(mode: Mode) -> Result<Vec<(Command, Update)>> {
    let mut golden = cargo(["test", "--package", "heronry-journal", "--lib", "golden"]);
    if mode == Mode::Accept {
        golden.env("HERONRY_GOLDEN", "add");
    }
    let mut commands = vec![(golden, Update::of(mode, "golden"))];
    for (package, targets) in Packages::read()?.targets_with(&TargetKind::Test, "insta::")? {
        for target in targets {
            let command = cargo(["test", "--package", &package, "--test", &target]);
            commands.push((command, Update::of(mode, &target)));
        }
    }
    Ok(commands)
}

/// The list of the snapshots that the tests looked at.
pub(crate) struct LookedAt {
    folder: tempfile::TempDir,
}

impl LookedAt {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(LookedAt { folder })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("looked-at")
    }

    /// Makes the tests of a command say what they look at, and what they do with it.
    pub(crate) fn follow(&self, command: &mut Command, update: Update) {
        command
            .env("INSTA_UPDATE", update.word())
            .env(REFERENCES, self.file());
    }

    /// Every snapshot below a folder that no test looked at, half-accepted ones included.
    pub(crate) fn unreferenced(&self, root: &Path) -> Result<BTreeSet<PathBuf>> {
        // No file: no test has looked at any.
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        let known: BTreeSet<PathBuf> = text.lines().map(|line| whole(Path::new(line))).collect();
        let mut found = BTreeSet::new();
        find(root, &mut found)?;
        found.retain(|file| !known.contains(&whole(file)));
        Ok(found)
    }
}

/// The path without `..` and links; one that leads nowhere stays as it is.
fn whole(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn find(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let shown = folder.display();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {shown}"))? {
        let path = entry
            .with_context(|| format!("cannot list {shown}"))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let endings = [".snap", ".snap.new", ".pending-snap"];
        if path.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_ref()) {
            find(&path, found)?;
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.insert(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_files_are_added_and_never_edited() {
        assert_eq!(Update::of(Mode::Accept, "projection"), Update::Missing);
        assert_eq!(Update::of(Mode::Accept, "surface"), Update::Any);
        assert_eq!(Update::of(Mode::Accept, "conformance"), Update::Any);
        assert_eq!(Update::of(Mode::Check, "surface"), Update::Nothing);
    }

    #[test]
    fn snapshot_that_no_test_looked_at_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = folder.path().join("tests/snapshots");
        fs::create_dir_all(&snapshots).unwrap();
        for name in ["seen.snap", "unseen.snap", "left.snap.new", "other.rs"] {
            fs::write(snapshots.join(name), "").unwrap();
        }
        let looked_at = LookedAt::new().unwrap();
        let seen = snapshots.join("../snapshots/seen.snap");
        fs::write(looked_at.file(), format!("{}\n", seen.display())).unwrap();
        let found = looked_at.unreferenced(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.file_name().unwrap()).collect();
        assert_eq!(names, ["left.snap.new", "unseen.snap"]);
    }
}
