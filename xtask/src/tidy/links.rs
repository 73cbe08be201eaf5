//! Relative links of Markdown files lead somewhere.

use super::Finding;
use super::tree::Tree;

/// Checks every relative link of every Markdown file.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_ending("md")
        .flat_map(|(path, text)| {
            links(text)
                .into_iter()
                .filter(|(_, target)| is_broken(tree, path, target))
                .map(|(line, target)| {
                    let text = format!("the link to {target} leads nowhere; mend or remove it");
                    Finding::new(path, line, text)
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Line number and target of every link outside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            in_fence = !in_fence;
            continue;
        }
        if !in_fence {
            let targets = targets_of(&without_code(line));
            found.extend(targets.into_iter().map(|target| (index + 1, target)));
        }
    }
    found
}

/// The line with inline code spans cut out.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("")
}

/// Targets of `[text](target "title")` and of `[label]: target`.
fn targets_of(line: &str) -> Vec<String> {
    let mut targets: Vec<String> = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(clean)
        .collect();
    let reference = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "));
    if let Some((label, target)) = reference
        && !label.contains(']')
    {
        targets.push(clean(target));
    }
    targets
}

/// The path of a target: without title, angle brackets and escapes.
fn clean(target: &str) -> String {
    let path = target.split_whitespace().next().unwrap_or_default();
    path.trim_matches(['<', '>']).replace("%20", " ")
}

fn is_broken(tree: &Tree, from: &str, target: &str) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || is_elsewhere(path) || is_rust_path(from, path) {
        return false;
    }
    resolve(from, path).is_none_or(|resolved| !tree.exists(&resolved))
}

/// Another site, which this check does not visit.
fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// A link to a Rust item in a crate's README, which rustdoc checks.
fn is_rust_path(from: &str, target: &str) -> bool {
    target.contains("::") || (from.starts_with("crates/") && !target.contains(['/', '.']))
}

/// The path from the root, or nothing when the link leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_page(path: &str, text: &str, expected: &[&str]) {
        let tree = Tree::of(&[
            (path, text),
            ("LICENSE-MIT", ""),
            ("docs/ARCHITECTURE.md", ""),
            ("docs/adr/0001-chunks.md", ""),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|part| format!("{path}:{part} leads nowhere; mend or remove it"))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        check_page(
            "docs/a.md",
            "[x](ARCHITECTURE.md#ports) and [y](../LICENSE-MIT \"title\")",
            &[],
        );
        check_page(
            "docs/a.md",
            "[x](adr/) [y](/docs/ARCHITECTURE.md) [z](..)\n[l]: adr/0001-chunks.md\n",
            &[],
        );
        check_page(
            "docs/a.md",
            "[x](https://example.org/a) [y](#here) [z](mailto:a@example.org)",
            &[],
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_named_with_their_line() {
        check_page(
            "docs/a.md",
            "\n[x](GONE.md) [y](ARCHITECTURE.md)",
            &["2: the link to GONE.md"],
        );
        check_page(
            "docs/a.md",
            "[l]: adr/0002.md\n",
            &["1: the link to adr/0002.md"],
        );
        check_page(
            "docs/a.md",
            "[x](../../outside.md)",
            &["1: the link to ../../outside.md"],
        );
    }

    #[test]
    fn code_is_not_a_link() {
        check_page(
            "docs/a.md",
            "`[x](GONE.md)`\n```text\n[x](GONE.md)\n```\n",
            &[],
        );
    }

    #[test]
    fn links_to_rust_items_are_left_to_rustdoc() {
        check_page(
            "crates/a/README.md",
            "[x](crate::Journal) [y](Journal)",
            &[],
        );
        check_page(
            "crates/a/README.md",
            "[x](docs/GONE.md)",
            &["1: the link to docs/GONE.md"],
        );
    }
}
