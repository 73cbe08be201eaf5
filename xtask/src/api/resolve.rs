//! The meaning of a name inside one crate.

use std::collections::BTreeSet;

use syn::{Ident, Item, UseTree};

use super::item::head;
use super::source::{ModuleId, Source};

/// The questions on the way to an answer, so that imports in a circle end.
type AskedPaths = BTreeSet<(ModuleId, Vec<String>)>;

/// The target of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The item of this number in a module.
    Item(ModuleId, usize),
    /// A module of this crate.
    Module(ModuleId),
    /// Something that no file of this crate spells out: another crate's, or made by a macro.
    Elsewhere(String),
}

/// One name that a `use` brings in.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name under which it is known here; nothing for a `*`.
    pub(crate) alias: Option<String>,
}

/// Every name that a `use` brings in.
pub(crate) fn imports(tree: &UseTree) -> Vec<Import> {
    let mut found = Vec::new();
    collect(tree, &mut Vec::new(), &mut found);
    found
}

fn collect(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<Import>) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            collect(&inner.tree, path, found);
            path.pop();
        }
        UseTree::Group(group) => {
            for inner in &group.items {
                collect(inner, path, found);
            }
        }
        UseTree::Name(name) => add(&name.ident, &name.ident, path, found),
        UseTree::Rename(rename) => add(&rename.ident, &rename.rename, path, found),
        UseTree::Glob(_) => found.push(Import {
            path: path.clone(),
            alias: None,
        }),
    }
}

fn add(name: &Ident, alias: &Ident, path: &[String], found: &mut Vec<Import>) {
    let mut path = path.to_vec();
    let mut alias = alias.to_string();
    if name == "self" {
        if alias == "self" {
            alias = path.last().cloned().unwrap_or_default();
        }
    } else {
        path.push(name.to_string());
    }
    found.push(Import {
        path,
        alias: Some(alias),
    });
}

impl Source {
    /// Returns the targets of a path that is written in this module; several items may share a
    /// name.
    ///
    /// Visibility is not looked at: the written code compiles.
    pub(crate) fn resolve(&self, from: ModuleId, path: &[String]) -> BTreeSet<Target> {
        let found = self.resolve_once(from, path, &mut AskedPaths::new());
        if found.is_empty() {
            return BTreeSet::from([Target::Elsewhere(path.join("::"))]);
        }
        found
    }

    fn resolve_once(
        &self,
        from: ModuleId,
        path: &[String],
        asked: &mut AskedPaths,
    ) -> BTreeSet<Target> {
        let Some((first, rest)) = path.split_first() else {
            return BTreeSet::from([Target::Module(from)]);
        };
        let question = (from, path.to_vec());
        if !asked.insert(question.clone()) {
            return BTreeSet::new();
        }
        let found = self.walk(from, (first, rest), asked);
        asked.remove(&question);
        found
    }

    fn walk(
        &self,
        from: ModuleId,
        (first, rest): (&str, &[String]),
        asked: &mut AskedPaths,
    ) -> BTreeSet<Target> {
        let parent = self.modules.get(from).map_or(0, |module| module.parent);
        match first {
            "crate" => return self.resolve_once(0, rest, asked),
            "self" => return self.resolve_once(from, rest, asked),
            "super" => return self.resolve_once(parent, rest, asked),
            _ => {}
        }
        let named = self.named(from, first, asked);
        if rest.is_empty() {
            return named;
        }
        let inner = named.into_iter().map(|target| match target {
            Target::Module(id) => self.resolve_once(id, rest, asked),
            Target::Item(..) => BTreeSet::new(),
            Target::Elsewhere(name) => {
                BTreeSet::from([Target::Elsewhere(format!("{name}::{}", rest.join("::")))])
            }
        });
        inner.flatten().collect()
    }

    /// Returns the targets of a single name in a module: its own items, or else its imports.
    fn named(&self, id: ModuleId, name: &str, asked: &mut AskedPaths) -> BTreeSet<Target> {
        let mut found: BTreeSet<Target> = self
            .children(id)
            .filter(|(_, module)| module.name == name)
            .map(|(child, _)| Target::Module(child))
            .collect();
        let items = self.modules.get(id).map_or(&[][..], |module| &module.items);
        for (index, item) in items.iter().enumerate() {
            if head(item).is_some_and(|head| head.name == name) {
                found.insert(Target::Item(id, index));
            }
        }
        let uses = items.iter().filter_map(|item| {
            let Item::Use(item) = item else { return None };
            Some(imports(&item.tree))
        });
        for import in uses.flatten() {
            found.extend(self.imported(id, &import, name, asked));
        }
        if found.len() > 1 {
            found.retain(|target| !matches!(target, Target::Elsewhere(_)));
        }
        found
    }

    /// Returns the targets that one import brings in under a name.
    fn imported(
        &self,
        id: ModuleId,
        import: &Import,
        name: &str,
        asked: &mut AskedPaths,
    ) -> BTreeSet<Target> {
        match &import.alias {
            Some(alias) if alias != name => BTreeSet::new(),
            Some(_) => {
                let found = self.resolve_once(id, &import.path, asked);
                if found.is_empty() {
                    return BTreeSet::from([Target::Elsewhere(import.path.join("::"))]);
                }
                found
            }
            None => {
                let through = self.resolve_once(id, &import.path, asked);
                let named = through.into_iter().map(|target| match target {
                    Target::Module(module) => self.resolve_once(module, &[name.to_owned()], asked),
                    Target::Item(..) | Target::Elsewhere(_) => BTreeSet::new(),
                });
                named.flatten().collect()
            }
        }
    }
}
