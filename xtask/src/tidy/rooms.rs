//! Rooms of the engine's crate: rules, folds and state know no engine.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Path, UseTree};

use super::Finding;
use super::tree::Tree;

/// The crate whose rooms are looked at.
const CRATE: &str = "crates/heronry-pool/src/";

/// The engine itself, and the file that names its parts.
const ENGINE: [&str; 3] = ["engine.rs", "engine/", "lib.rs"];

/// Checks every file of the crate that is not the engine's. Files that are not Rust are left to the
/// check of sizes.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_ending("rs") {
        let Some(inner) = path.strip_prefix(CRATE) else {
            continue;
        };
        if ENGINE.iter().any(|room| inner.starts_with(room)) {
            continue;
        }
        if let Ok(file) = syn::parse_file(text) {
            let mut names = Names {
                path,
                findings: Vec::new(),
            };
            names.visit_file(&file);
            findings.extend(names.findings);
        }
    }
    findings
}

/// Walks a file and notes where it names the engine.
struct Names<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl Names<'_> {
    fn note(&mut self, span: Span) {
        let text = "a rule names the engine; move what it needs to the rules, or to command/";
        let line = span.start().line;
        self.findings.push(Finding::new(self.path, line, text));
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    /// The last segment may be a function or a variant of that name; one before it is the module.
    fn visit_path(&mut self, path: &'ast Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| &segment.ident).collect();
        let found = names.windows(2).filter_map(|pair| match pair {
            [from, name] if *from == "engine" => Some(name.span()),
            [from, name] if *name == "Engine" && (*from == "crate" || *from == "super") => {
                Some(name.span())
            }
            _ => None,
        });
        found.for_each(|span| self.note(span));
        visit::visit_path(self, path);
    }

    fn visit_use_tree(&mut self, tree: &'ast UseTree) {
        let name = match tree {
            UseTree::Path(path) => Some(&path.ident),
            UseTree::Name(name) => Some(&name.ident),
            UseTree::Rename(rename) => Some(&rename.ident),
            UseTree::Glob(_) | UseTree::Group(_) => None,
        };
        if let Some(name) = name.filter(|name| *name == "engine" || *name == "Engine") {
            self.note(name.span());
        }
        visit::visit_use_tree(self, tree);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(path: &str, text: &str) -> Vec<usize> {
        let tree = Tree::of(&[(path, text)]);
        check(&tree).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn rule_that_names_the_engine_is_a_finding() {
        let rule = "crates/heronry-pool/src/decide/message/send.rs";
        for text in [
            "use crate::engine::Found;",
            "use crate::{State, engine::{Found, Heard}};",
            "use crate::engine;",
            "use super::super::engine as other;",
            "use crate::Engine;",
            "fn f(it: &crate::engine::Heard) {}",
            "fn f(it: &crate::Engine) {}",
        ] {
            assert_eq!(lines(rule, text), [1], "{text}");
        }
        for room in ["apply.rs", "state/member.rs", "suspicion/watch.rs"] {
            let path = format!("{CRATE}{room}");
            assert_eq!(lines(&path, "\nuse crate::engine::Found;"), [2], "{room}");
        }
    }

    #[test]
    fn function_or_variant_of_that_name_is_none() {
        let rule = "crates/heronry-pool/src/decide/wake/register.rs";
        assert!(lines(rule, "fn f() { Author::engine(it).entry(body); }").is_empty());
        assert!(lines(rule, "const BY: Actor = Actor::Engine;").is_empty());
        assert!(lines(rule, "/// The engine acts.\nfn engine() {}").is_empty());
    }

    #[test]
    fn engine_itself_and_other_crates_may() {
        let text = "use crate::engine::Found;";
        for path in [
            "crates/heronry-pool/src/engine.rs",
            "crates/heronry-pool/src/engine/leases.rs",
            "crates/heronry-pool/src/lib.rs",
            "crates/heronry-runtime/src/actor.rs",
        ] {
            assert!(lines(path, text).is_empty(), "{path}");
        }
    }
}
