//! `cargo xtask api`: the public items of each published crate, as files that reviews see.
//!
//! It reads the source and compiles nothing, so it needs no nightly toolchain. What it does not see:
//! what a macro or a derive makes (the call itself is listed, with its tokens, and each derive by its
//! name), which items a `#[cfg]` leaves out (all are listed, with the condition), what a foreign crate
//! re-exports through a `*`, automatic traits such as `Send`, and whether a type that a signature
//! names can be named by others.

pub(crate) mod item;
mod lines;
mod list;
mod resolve;
mod source;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::out;
use crate::packages::{Packages, Published};
use source::Source;

/// The folder of the listings.
const FOLDER: &str = "docs/api";

/// The most differing lines that are shown for each crate.
const SHOWN_MAX: usize = 20;

/// The mode of the command: listings are compared, or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Check,
    Accept,
}

impl Mode {
    /// Reads the arguments of a command: nothing checks, `--accept` accepts, the rest is wrong.
    pub(crate) fn of(arguments: &[String]) -> Option<Self> {
        match arguments {
            [] => Some(Mode::Check),
            [word] if word == "--accept" => Some(Mode::Accept),
            _ => None,
        }
    }
}

/// Compares the listing of each published crate with its file, or writes the files.
pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let listings = listings(&Packages::read()?)?;
    if mode == Mode::Accept {
        write(&listings)?;
    }
    let differences = compare(&listings)?;
    for line in &differences {
        out::line(line);
    }
    if differences.is_empty() {
        let items: usize = listings.values().map(|text| text.lines().count()).sum();
        out::line(&format!("api: {} crates, {items} lines", listings.len()));
        return Ok(ExitCode::SUCCESS);
    }
    out::line(
        "api: public items changed; look at the lines above, then run `cargo xtask api --accept`",
    );
    Ok(ExitCode::FAILURE)
}

/// The listing of each published library, by file name.
fn listings(packages: &Packages) -> Result<BTreeMap<String, String>> {
    let libraries = packages.published().filter(|package| package.has_library());
    libraries.map(listing).collect()
}

fn listing(package: Published<'_>) -> Result<(String, String)> {
    let (name, folder) = (package.name(), package.folder());
    let source = Source::read(name, folder).with_context(|| format!("cannot list {name}"))?;
    let lines = list::list(&source);
    let head = format!(
        "# Public items of {name}, written by `cargo xtask api --accept`; macros are not expanded."
    );
    Ok((
        format!("{name}.txt"),
        format!("{head}\n{}\n", lines.join("\n")),
    ))
}

fn write(listings: &BTreeMap<String, String>) -> Result<()> {
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot make {FOLDER}"))?;
    for name in stored()?.difference(&listings.keys().cloned().collect()) {
        let file = Path::new(FOLDER).join(name);
        std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    for (name, text) in listings {
        let file = Path::new(FOLDER).join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn stored() -> Result<BTreeSet<String>> {
    if !Path::new(FOLDER).is_dir() {
        return Ok(BTreeSet::new());
    }
    let entries = std::fs::read_dir(FOLDER).with_context(|| format!("cannot list {FOLDER}"))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

fn compare(listings: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    for name in stored()?
        .iter()
        .filter(|name| !listings.contains_key(*name))
    {
        differences.push(format!(
            "{FOLDER}/{name}: no published library has this name"
        ));
    }
    for (name, text) in listings {
        let file = format!("{FOLDER}/{name}");
        match std::fs::read_to_string(&file) {
            Ok(known) => differences.extend(diff(&file, &known, text)),
            Err(_) => differences.push(format!("{file}: is missing")),
        }
    }
    Ok(differences)
}

/// The lines that only one side has, the ones that went first.
fn diff(file: &str, known: &str, found: &str) -> Vec<String> {
    let (known, found) = (lines_of(known), lines_of(found));
    let went = known
        .difference(&found)
        .map(|line| format!("{file}: - {line}"));
    let came = found
        .difference(&known)
        .map(|line| format!("{file}: + {line}"));
    let mut lines: Vec<String> = went.chain(came).collect();
    if lines.len() > SHOWN_MAX {
        let more = lines.len() - SHOWN_MAX;
        lines.truncate(SHOWN_MAX);
        lines.push(format!("{file}: and {more} more lines"));
    }
    lines
}

/// Lines without the line end of the system that checked the file out.
fn lines_of(text: &str) -> BTreeSet<&str> {
    text.lines().map(str::trim_end).collect()
}

#[cfg(test)]
mod tests;
