//! `cargo xtask main-job`: the review example on a small generated tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;

use crate::out;
use crate::process::{self, cargo};

const MANIFEST: &str = "examples/review/pool.toml";

/// The job takes seconds; one that hangs must not hold up CI for hours.
const TIME_MAX: Duration = Duration::from_secs(5 * 60);

/// Runs the job in a temporary folder and checks what it leaves behind.
pub(crate) fn run() -> Result<()> {
    ensure!(
        Path::new(MANIFEST).is_file(),
        "{MANIFEST} is missing; the main job cannot run"
    );
    process::run(cargo(["build", "--workspace", "--bin", "heronry"]))?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let input = folder.path().join("input");
    let output = folder.path().join("output");
    fs::create_dir_all(&output).context("cannot make the output folder")?;
    for (path, text) in source_tree() {
        write(&input.join(path), &text)?;
    }
    let mut up = Command::new(binary()?);
    up.args(["up", MANIFEST, "--data-dir"])
        .arg(folder.path().join("data"));
    up.arg("--input").arg(&input).arg("--output").arg(&output);
    process::run_within(up, TIME_MAX)?;
    check_reports(&output)
}

/// A few files of several languages, with what the scanners look for: a note, a likely secret, a
/// long file, a name with a space, a file without a line.
fn source_tree() -> [(&'static str, String); 6] {
    // Put together here, so that no scanner takes this file for one that holds a secret.
    let secret = format!("{}_key = \"{}\"\n", "api", "0123456789abcdef".repeat(2));
    [
        (
            "src/main.rs",
            "// TODO: greet politely\nfn main() {\n    greet();\n}\n".to_owned(),
        ),
        ("src/longest.py", "print('hello')\n".repeat(120)),
        ("src/settings.toml", secret),
        (
            "docs/read me.md",
            "# Read me\n\nFIXME: say what this is.\n".to_owned(),
        ),
        ("bin/run.sh", "#!/bin/sh\nexec true\n".to_owned()),
        ("empty.txt", String::new()),
    ]
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file of the tree has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The binary that was just built, wherever the target folder is.
fn binary() -> Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cannot read the workspace with cargo metadata")?;
    let name = format!("heronry{}", std::env::consts::EXE_SUFFIX);
    Ok(metadata
        .target_directory
        .join("debug")
        .join(name)
        .into_std_path_buf())
}

/// Both reports exist, say something, and the machine-readable one is JSON.
fn check_reports(output: &Path) -> Result<()> {
    let json = read_report(&output.join("report.json"))?;
    let value: serde_json::Value =
        serde_json::from_str(&json).context("report.json is not JSON; see the reporter's log")?;
    ensure!(value.is_object(), "report.json holds no object");
    let text = read_report(&output.join("report.md"))?;
    out::line(&format!(
        "main job: report.json {} bytes, report.md {} bytes",
        json.len(),
        text.len()
    ));
    Ok(())
}

fn read_report(path: &Path) -> Result<String> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("the job left no {shown}"))?;
    ensure!(!text.trim().is_empty(), "{shown} is empty");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            write(&folder.path().join(name), text).unwrap();
        }
        let found = check_reports(folder.path())
            .map_or_else(|error| format!("{error:#}"), |()| "ok".to_owned());
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn both_reports_are_needed_and_must_say_something() {
        check(&[("report.json", "{}"), ("report.md", "# Report\n")], "ok");
        check(&[("report.json", "{}")], "report.md");
        check(&[("report.md", "# Report\n")], "report.json");
        check(&[("report.json", "{}"), ("report.md", " \n")], "is empty");
        check(
            &[("report.json", "{"), ("report.md", "# Report\n")],
            "is not JSON",
        );
        check(
            &[("report.json", "[]"), ("report.md", "# Report\n")],
            "holds no object",
        );
    }
}
