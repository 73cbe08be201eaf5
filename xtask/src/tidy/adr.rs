//! The index of decisions names every decision.

use super::Finding;
use super::tree::{Tree, ending_of};

const FOLDER: &str = "docs/adr";
const INDEX: &str = "docs/adr/README.md";

/// Checks that each file of the folder is linked from its index.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let index = tree.text(INDEX).unwrap_or_default();
    tree.names_in(FOLDER)
        .filter(|name| ending_of(name) == Some("md") && format!("{FOLDER}/{name}") != INDEX)
        .filter(|name| !index.contains(&format!("]({name})")))
        .map(|name| {
            let text = format!("is not in the index; add a line with [..]({name}) to {INDEX}");
            Finding::new(&format!("{FOLDER}/{name}"), 1, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexed_decision_passes() {
        let tree = Tree::of(&[
            ("docs/adr/README.md", "- [0001](0001-chunks.md)\n"),
            ("docs/adr/0001-chunks.md", "# 1\n"),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn decision_outside_the_index_is_named() {
        let tree = Tree::of(&[
            ("docs/adr/README.md", "- 0001-chunks.md is not a link\n"),
            ("docs/adr/0001-chunks.md", "# 1\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("docs/adr/0001-chunks.md:1: is not in the index"),
            "{found:?}"
        );
    }
}
