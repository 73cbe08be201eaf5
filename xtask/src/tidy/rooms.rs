//! Rooms of the engine's crate: rules, folds and state know no engine, folds and state no filter, and
//! the projection no state.

use proc_macro2::{Ident, Span};
use syn::visit::{self, Visit};
use syn::{Path, UseTree};

use super::Finding;
use super::tree::Tree;

/// The crate whose rooms are looked at.
const CRATE: &str = "crates/heronry-pool/src/";

/// The engine itself, and the file that names its parts.
const ENGINE: [&str; 3] = ["engine.rs", "engine/", "lib.rs"];

/// A room, and the names that it never says.
struct Room {
    folders: &'static [&'static str],
    unknown: &'static [&'static str],
    advice: &'static str,
}

const ROOMS: [Room; 2] = [
    Room {
        folders: &["apply.rs", "apply/", "state.rs", "state/"],
        unknown: &["heronry_event", "project"],
        advice: "a fold or the state knows events or filters; decide what they say, and record it",
    },
    Room {
        folders: &["project.rs", "project/"],
        unknown: &["state", "State"],
        advice: "the projection knows the state; record what the event has to show",
    },
];

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
            for room in ROOMS.iter().filter(|room| room.holds(inner)) {
                let mut said = Said {
                    room,
                    path,
                    findings: Vec::new(),
                };
                said.visit_file(&file);
                findings.extend(said.findings);
            }
        }
    }
    findings
}

impl Room {
    fn holds(&self, inner: &str) -> bool {
        self.folders.iter().any(|folder| inner.starts_with(folder))
    }
}

/// Walks a file of a room and notes the names that it should not say.
struct Said<'a> {
    room: &'static Room,
    path: &'a str,
    findings: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Said<'_> {
    fn visit_ident(&mut self, name: &'ast Ident) {
        if self.room.unknown.iter().any(|unknown| name == unknown) {
            let line = name.span().start().line;
            self.findings
                .push(Finding::new(self.path, line, self.room.advice));
        }
    }
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

    #[test]
    fn fold_that_names_a_filter_and_projection_that_names_the_state_are_findings() {
        for (room, text) in [
            ("apply/wake.rs", "use heronry_event::filter::Filter;"),
            ("state.rs", "fn f(it: &heronry_event::Envelope) {}"),
            ("apply.rs", "use crate::project;"),
            ("project.rs", "use crate::State;"),
            ("project/events.rs", "fn f(it: &crate::state::Member) {}"),
        ] {
            assert_eq!(lines(&format!("{CRATE}{room}"), text), [1], "{text}");
        }
        let other = format!("{CRATE}decide/wake/register.rs");
        assert!(lines(&other, "use heronry_event::filter::Filter;").is_empty());
        let fold = format!("{CRATE}apply/message.rs");
        assert!(lines(&fold, "fn f(it: Vec<u8>) { it.iter().filter(|_| true); }").is_empty());
    }
}
