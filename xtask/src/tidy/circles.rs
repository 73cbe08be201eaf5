//! Circles of modules: in crates that are made of rooms, arrows between them go one way.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{ItemMod, ItemUse, Path, UseTree, spanned::Spanned};

use super::Finding;
use super::tree::Tree;

/// The crates whose modules are looked at.
const CRATES: [&str; 2] = ["crates/heronry-api/src/", "crates/heronry-server/src/"];

/// One module that names another.
#[derive(Debug)]
struct Arrow {
    from: String,
    to: String,
    path: String,
    line: usize,
}

/// Checks that no module is reached again from a module that it names.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    CRATES
        .iter()
        .flat_map(|root| check_crate(tree, root))
        .collect()
}

fn check_crate(tree: &Tree, root: &str) -> Vec<Finding> {
    let arrows = arrows(tree, root);
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in &arrows {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let in_circle = arrows
        .iter()
        .filter(|arrow| reaches(&next, &arrow.to, &arrow.from));
    let findings = in_circle.map(|Arrow { from, to, path, line }| {
        let text = format!(
            "{from} names {to}, and {to} comes back to it; move what both need to a module that knows neither"
        );
        Finding::new(path, *line, text)
    });
    findings.collect()
}

fn reaches(next: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(next.get(module).into_iter().flatten());
        }
    }
    false
}

/// Returns the arrows between the modules at the root of a crate.
fn arrows(tree: &Tree, root: &str) -> Vec<Arrow> {
    let files = || {
        let files = tree.with_ending("rs");
        files.filter_map(|(path, text)| Some((path, path.strip_prefix(root)?, text)))
    };
    let exports: BTreeMap<String, String> = files()
        .filter(|(_, inner, _)| *inner == "lib.rs")
        .filter_map(|(_, _, text)| syn::parse_file(text).ok())
        .flat_map(|file| exports(&file))
        .collect();
    let mut arrows = Vec::new();
    for (path, inner, text) in files().filter(|(_, inner, _)| *inner != "lib.rs") {
        let Ok(file) = syn::parse_file(text) else {
            continue;
        };
        let top = inner.split('/').next().unwrap_or(inner);
        let from = top.strip_suffix(".rs").unwrap_or(top);
        let mut named = Named::default();
        named.visit_file(&file);
        for (name, line) in named.0 {
            let to = exports.get(&name).unwrap_or(&name);
            if to != from {
                arrows.push(Arrow {
                    from: from.to_owned(),
                    to: to.clone(),
                    path: path.to_owned(),
                    line,
                });
            }
        }
    }
    arrows
}

/// Returns the names that the root of a crate exports, each with the module that it is from.
fn exports(file: &syn::File) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item
            && let UseTree::Path(path) = &item.tree
        {
            let module = path.ident.to_string();
            let names = first_names(&path.tree);
            exports.extend(names.into_iter().map(|name| (name, module.clone())));
        }
    }
    exports
}

/// Returns the first name of each branch of an import.
fn first_names(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) => vec![path.ident.to_string()],
        UseTree::Name(name) => vec![name.ident.to_string()],
        UseTree::Rename(rename) => vec![rename.ident.to_string()],
        UseTree::Glob(_) => Vec::new(),
        UseTree::Group(group) => group.items.iter().flat_map(first_names).collect(),
    }
}

/// The names behind `crate::` that a file says outside its tests, each with its line.
#[derive(Default)]
struct Named(Vec<(String, usize)>);

impl<'ast> Visit<'ast> for Named {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if let UseTree::Path(path) = &item.tree
            && path.ident == "crate"
        {
            let line = item.span().start().line;
            let names = first_names(&path.tree);
            self.0.extend(names.into_iter().map(|name| (name, line)));
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let mut segments = path.segments.iter();
        if let (Some(root), Some(name)) = (segments.next(), segments.next())
            && root.ident == "crate"
        {
            let line = name.ident.span().start().line;
            self.0.push((name.ident.to_string(), line));
        }
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<(String, &str)> = files
            .iter()
            .map(|(inner, text)| (format!("{}{inner}", CRATES[0]), *text))
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let findings = check(&Tree::of(&files));
        findings
            .iter()
            .map(|it| format!("{}:{}", &it.path[CRATES[0].len()..], it.line))
            .collect()
    }

    #[test]
    fn modules_that_come_back_to_each_other_are_findings() {
        let pair = [
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "fn f(it: crate::a::A) {}"),
        ];
        assert_eq!(found(&pair), ["a.rs:1", "b.rs:1"]);
        let three = [
            ("a.rs", "\nuse crate::{b::B, d};"),
            ("b/deep.rs", "use crate::c;"),
            ("c.rs", "use crate::a;"),
            ("d.rs", "use std::fmt;"),
        ];
        assert_eq!(found(&three), ["a.rs:2", "b/deep.rs:1", "c.rs:1"]);
    }

    #[test]
    fn name_that_the_root_exports_is_its_module() {
        let root = ("lib.rs", "mod a;\nmod b;\npub use b::{B, Other};");
        let one_way = [root, ("a.rs", "use crate::B;"), ("b.rs", "")];
        assert!(found(&one_way).is_empty());
        let back = [
            root,
            ("a.rs", "use crate::B;"),
            ("b.rs", "use crate::a::A;"),
        ];
        assert_eq!(found(&back), ["a.rs:1", "b.rs:1"]);
    }

    #[test]
    fn tests_and_the_module_itself_make_no_circle() {
        let inner = "use crate::a::deep; mod tests { use crate::b; }";
        assert!(found(&[("a.rs", inner), ("b.rs", "use crate::a;")]).is_empty());
    }
}
