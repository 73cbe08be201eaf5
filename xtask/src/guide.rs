//! `cargo xtask guide`: the guide *write a store*, pasted into a crate of its own and tested there.
//!
//! Its examples are doc tests of `heronry`, too. This shows the rest: that its manifest names all that it
//! needs, and that each file is whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;

use crate::packages::Packages;
use crate::process::{self, cargo};

/// The parts of the guide, in the order in which rustdoc puts them together.
const PARTS: [&str; 5] = [
    "crates/heronry/docs/write-a-store.md",
    "crates/heronry/docs/toy_store.rs",
    "crates/heronry/docs/write-a-store-2.md",
    "crates/heronry/docs/toy_conformance.rs",
    "crates/heronry/docs/write-a-store-3.md",
];

/// The files that its blocks are, in their order.
const FILES: [&str; 3] = ["Cargo.toml", "src/lib.rs", "tests/conformance.rs"];

/// The profile of this workspace, so that what it has built is used again.
const PROFILE: [&str; 2] = [
    "profile.dev.debug=\"line-tables-only\"",
    "profile.dev.package.\"*\".debug=false",
];

/// Makes the crate in a temporary folder, with our crates in the place of published ones, and tests it.
pub(crate) fn run() -> Result<()> {
    let text = PARTS.iter().map(|part| read(Path::new(part)));
    let blocks = blocks(&text.collect::<Result<String>>()?);
    let (found, wanted) = (blocks.len(), FILES.len());
    ensure!(
        found == wanted,
        "the guide has {found} blocks of toml and rust, not the {wanted} of a crate"
    );
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    for (file, block) in FILES.iter().zip(&blocks) {
        write(&folder.path().join(file), block)?;
    }
    let manifest = folder.path().join("Cargo.toml");
    write(&manifest, &format!("{}\n{}", read(&manifest)?, ours()?))?;
    fs::copy("Cargo.lock", folder.path().join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    let mut command = cargo(["test", "--quiet", "--offline", "--manifest-path"]);
    command.arg(&manifest).env("CARGO_TARGET_DIR", target()?);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    process::run(command)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The blocks of toml and rust, without the lines that rustdoc hides.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if is_inside && line == "```" {
            is_inside = false;
        } else if line == "```toml" || line.starts_with("```rust") {
            is_inside = true;
            blocks.push(String::new());
        } else if let Some(block) = blocks.last_mut().filter(|_| is_inside) {
            let is_hidden = line == "#" || line.starts_with("# ");
            if !is_hidden {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

/// Returns the lines of a manifest that put our crates in the place of published ones.
fn ours() -> Result<String> {
    let packages = Packages::read()?;
    let lines = packages.published().map(|package| {
        let (name, folder) = (package.name(), package.folder().display());
        format!("{name} = {{ path = \"{folder}\" }}\n")
    });
    Ok(format!("[patch.crates-io]\n{}", lines.collect::<String>()))
}

/// A folder of its own: the crates of the workspace have other features there.
fn target() -> Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cannot read the workspace with cargo metadata")?;
    Ok(metadata.target_directory.join("guide").into_std_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_what_a_reader_sees() {
        let text = "a\n```toml\n[package]\n```\nb\n```rust,standalone_crate\n# mod hidden {}\n#\n#[test]\nfn main() {}\n```\n```sh\nls\n```\n";
        assert_eq!(blocks(text), ["[package]\n", "#[test]\nfn main() {}\n"]);
    }
}
