//! `cargo xtask prove`: the long tiers, for which a night has time.
//!
//! The normal tier (`cargo xtask test`) asks the rules once on memory, and what a store has to keep on
//! redb. This asks every test on every store, with more of everything that can be asked for by number,
//! and what needs tools that not every machine has.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

use crate::guide;
use crate::out;
use crate::process::{self, cargo};
use crate::test::{self, Tier};

/// The counts of the long tier, unless the environment says otherwise.
const COUNTS: [(&str, &str); 11] = [
    ("HERONRY_FLIPS", "1000"),
    ("HERONRY_HISTORIES", "2500"),
    ("HERONRY_IO_ERRORS", "100000"),
    ("HERONRY_KILLS", "200"),
    ("HERONRY_MATCHING_SLICE", "1"),
    ("HERONRY_MESSAGES", "100000"),
    ("HERONRY_RACES", "100000"),
    ("HERONRY_RESTARTS", "10000"),
    ("HERONRY_SLOW_READER_EVENTS", "1000000"),
    ("HERONRY_WAITS", "100000"),
    ("PROPTEST_CASES", "32000"),
];

/// Runs every tier to its end, says which were left out and why, and closes with the count of the tests.
pub(crate) fn run() -> Result<ExitCode> {
    let mut broken = Vec::new();
    for tier in other_tiers()? {
        out::line(&format!("\n== prove: {}", tier.name));
        match tier.missing {
            Some(missing) => out::line(&format!("SKIPPED {}: {missing}", tier.name)),
            None => {
                if let Err(error) = (tier.run)() {
                    out::line(&format!("xtask: {error:#}"));
                    broken.push(tier.name);
                }
            }
        }
    }
    out::line("\n== prove: every test on every store");
    for (name, count) in COUNTS {
        out::line(&format!("{name}={}", asked(name, count)));
    }
    let total = test::run(Tier::Prove, &[])?;
    let code = test::close(total);
    if !broken.is_empty() {
        bail!("broken, see above: {}", broken.join(", "));
    }
    Ok(code)
}

/// Sets every count that the environment does not set.
pub(crate) fn count(command: &mut Command) {
    for (name, count) in COUNTS {
        command.env(name, asked(name, count));
    }
}

/// Returns the value that the environment sets, or else the usual one.
fn asked(name: &str, usual: &str) -> String {
    let set = std::env::var(name).ok();
    set.filter(|count| !count.is_empty())
        .unwrap_or_else(|| usual.to_owned())
}

/// A tier beside the tests.
struct Other {
    name: &'static str,
    run: Box<dyn FnOnce() -> Result<()>>,
    /// The tool that this machine lacks for the tier, and the way to get it.
    missing: Option<String>,
}

fn other_tiers() -> Result<[Other; 4]> {
    let oldest = oldest_toolchain()?;
    let toolchain = format!("+{oldest}");
    // A `cargo` that is not the one of rustup takes no `+1.90.0`.
    let mut check = Command::new("cargo");
    check.args([&toolchain, "check"]);
    check.args(["--workspace", "--all-features", "--locked"]);
    // The variables of the cargo that runs this name its own toolchain.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        check.env_remove(name);
    }
    let rustup = format!("not installed; add it with `rustup toolchain install {oldest}`");
    let deny = "not installed; add it with `cargo install cargo-deny --locked`";
    Ok([
        Other {
            name: "the store of the guides",
            run: Box::new(guide::run),
            missing: None,
        },
        Other {
            name: "generated clients",
            run: Box::new(generated_clients),
            missing: missing_tools(&CLIENT_TOOLS),
        },
        Other {
            name: "oldest supported toolchain",
            run: Box::new(|| process::run(check)),
            missing: (!answers("rustup", &["run", &oldest, "rustc", "-V"])).then_some(rustup),
        },
        Other {
            name: "advisories, licences, sources",
            run: Box::new(|| {
                let what = ["advisories", "bans", "licenses", "sources"];
                let mut check = cargo(["deny", "check"]);
                check.args(what);
                process::run(check)
            }),
            missing: (!answers("cargo", &["deny", "--version"])).then(|| deny.to_owned()),
        },
    ])
}

/// Generates clients from the contract with public generators, and runs a program over each.
fn generated_clients() -> Result<()> {
    process::run(cargo(["build", "--package", "heronry-cli"]))?;
    process::run(Command::new("tests/clients/run"))
}

/// A tool, and arguments with which it succeeds where it is there.
struct Tool {
    name: &'static str,
    arguments: &'static [&'static str],
}

/// The tools that generating and running clients needs.
const CLIENT_TOOLS: [Tool; 3] = [
    Tool {
        name: "python3",
        arguments: &["-c", "import venv"],
    },
    Tool {
        name: "node",
        arguments: &["--version"],
    },
    Tool {
        name: "npm",
        arguments: &["--version"],
    },
];

/// Names the tools that are not there; nothing when all are.
fn missing_tools(needed: &[Tool]) -> Option<String> {
    let missing = needed
        .iter()
        .filter(|tool| !answers(tool.name, tool.arguments));
    let missing: Vec<&str> = missing.map(|tool| tool.name).collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
}

/// The toolchain that `rust-version` promises, as rustup names it.
fn oldest_toolchain() -> Result<String> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cannot read the workspace with cargo metadata")?;
    let packages = metadata.workspace_packages();
    let mut versions = packages.iter().filter_map(|one| one.rust_version.as_ref());
    let oldest = versions
        .next()
        .context("no package names its rust-version")?;
    Ok(oldest.to_string())
}

/// Returns true when a program is there and succeeds with these arguments.
fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn tools_that_are_not_there_are_missed() {
        assert!(answers("cargo", &["--version"]));
        assert!(!answers("cargo", &["no-such-subcommand"]));
        assert!(!answers("no-such-program", &[]));
        let needed = ["no-such-program", "cargo", "nor-this"].map(|name| Tool {
            name,
            arguments: &["--version"],
        });
        let missing = missing_tools(&needed).unwrap();
        assert_eq!(missing, "not installed: no-such-program, nor-this");
        assert_eq!(missing_tools(&needed[1..2]), None);
    }

    #[test]
    fn oldest_toolchain_is_the_one_of_the_manifest() {
        let oldest = oldest_toolchain().unwrap();
        assert!(oldest.starts_with("1."), "{oldest}");
        assert_eq!(oldest.split('.').count(), 3, "{oldest}");
    }

    /// Returns the counts that the code of a folder asks for.
    fn asked_for(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                asked_for(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let calls = text.split("as_many_as_asked(\"").skip(1);
                let names = calls.filter_map(|rest| rest.split('"').next());
                found.extend(names.map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_count_that_a_test_asks_for_is_large_here_and_told_to_contributors() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.unwrap();
        let mut found = BTreeSet::new();
        asked_for(&root.join("tests"), &mut found);
        // The testkit and proptest read theirs themselves.
        found.extend(["HERONRY_FLIPS", "PROPTEST_CASES"].map(str::to_owned));
        let counts = COUNTS.map(|(name, _)| name.to_owned());
        assert_eq!(found, counts.into());
        let told = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
        for (name, count) in COUNTS {
            let row = format!("| `{name}` |");
            let row = told.lines().find(|line| line.starts_with(&row));
            let row = row.unwrap_or_else(|| panic!("no row of {name}"));
            let last = row.trim_matches('|').rsplit('|').next().unwrap();
            assert_eq!(last.replace(' ', ""), count, "{row}");
        }
    }

    #[test]
    fn every_count_is_set() {
        let mut command = Command::new("true");
        count(&mut command);
        let set: Vec<_> = command.get_envs().collect();
        assert_eq!(set.len(), COUNTS.len());
        assert!(set.iter().all(|(_, value)| value.is_some()));
    }
}
