//! Crate docs: the README is the crate's documentation and starts from an example.

use super::Finding;
use super::tree::Tree;

/// The line that makes the README the crate's documentation.
const INCLUDE: &str = "#![doc = include_str!(\"../README.md\")]";

/// Holds benchmarks only, and documents nothing.
const WITHOUT_DOCS: [&str; 1] = ["heronry-bench"];

/// Checks each folder under `crates/`.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.names_in("crates")
        .filter(|name| !WITHOUT_DOCS.contains(name))
        .map(|name| format!("crates/{name}"))
        .filter(|folder| tree.exists(&format!("{folder}/Cargo.toml")))
        .flat_map(|folder| check_crate(tree, &folder))
        .collect()
}

fn check_crate(tree: &Tree, folder: &str) -> Vec<Finding> {
    let library = format!("{folder}/src/lib.rs");
    let binary = format!("{folder}/src/main.rs");
    let (root, fence) = match tree.text(&library) {
        Some(text) => ((library, text), "```rust"),
        // rustdoc runs no example of a binary, so a command line is the better example there.
        None => (
            (binary.clone(), tree.text(&binary).unwrap_or_default()),
            "```",
        ),
    };
    let readme = format!("{folder}/README.md");
    let mut findings = Vec::new();
    let (root_path, root_text) = root;
    if !root_text.lines().any(|line| line.trim() == INCLUDE) {
        let text = format!("the README is not the crate's documentation; add {INCLUDE}");
        findings.push(Finding::new(&root_path, 1, text));
    }
    match tree.text(&readme) {
        None => findings.push(Finding::new(
            &readme,
            1,
            "is missing; write the crate's documentation",
        )),
        Some(text) if !text.lines().any(|line| line.starts_with(fence)) => {
            let text =
                format!("shows no example; start it with a {fence} block of about ten lines");
            findings.push(Finding::new(&readme, 1, text));
        }
        Some(_) => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_files(files: &[(&str, &str)], expected: &[&str]) {
        let found: Vec<String> = check(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, start) in found.iter().zip(expected) {
            assert!(
                line.starts_with(start),
                "{line} does not start with {start}"
            );
        }
    }

    #[test]
    fn library_with_an_example_passes() {
        check_files(
            &[
                ("crates/a/Cargo.toml", ""),
                ("crates/a/README.md", "# a\n\n```rust\nlet a = 1;\n```\n"),
                (
                    "crates/a/src/lib.rs",
                    "#![doc = include_str!(\"../README.md\")]\n",
                ),
            ],
            &[],
        );
    }

    #[test]
    fn missing_parts_are_named() {
        check_files(
            &[
                ("crates/a/Cargo.toml", ""),
                ("crates/a/src/lib.rs", "//! Something else.\n"),
            ],
            &[
                "crates/a/src/lib.rs:1: the README is not",
                "crates/a/README.md:1: is missing",
            ],
        );
    }

    #[test]
    fn library_needs_a_rust_example_and_a_binary_any() {
        let readme = "# a\n\n```sh\nheronry up\n```\n";
        let root = "#![doc = include_str!(\"../README.md\")]\n";
        check_files(
            &[
                ("crates/a/Cargo.toml", ""),
                ("crates/a/README.md", readme),
                ("crates/a/src/lib.rs", root),
            ],
            &["crates/a/README.md:1: shows no example"],
        );
        check_files(
            &[
                ("crates/a/Cargo.toml", ""),
                ("crates/a/README.md", readme),
                ("crates/a/src/main.rs", root),
            ],
            &[],
        );
    }

    #[test]
    fn benchmarks_need_no_docs() {
        check_files(
            &[
                ("crates/heronry-bench/Cargo.toml", ""),
                ("crates/heronry-bench/src/lib.rs", ""),
            ],
            &[],
        );
    }
}
