//! The public items of one crate, one line each.

use std::collections::BTreeSet;

use syn::{Item, ItemImpl, ItemUse, Type};

use super::item::{Head, head, is_hidden, is_public};
use super::lines;
use super::resolve::{Import, Target, imports};
use super::source::{ModuleId, Source};
use super::tokens::text;

/// Every public item that can be reached from the root, sorted.
///
/// The lines of one item stand together, because lines are sorted by path first.
pub(crate) fn list(source: &Source) -> Vec<String> {
    let mut listing = Listing {
        source,
        lines: BTreeSet::new(),
        seen: BTreeSet::new(),
        shown: BTreeSet::new(),
    };
    listing.module(0, &source.name);
    for (id, _, item) in source.items() {
        listing.aside(id, item);
    }
    listing.lines.into_iter().map(|line| line.text).collect()
}

/// One line, and the path of what it belongs to.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ListingLine {
    path: String,
    text: String,
}

impl ListingLine {
    fn new(path: &str, text: String) -> Self {
        ListingLine {
            path: path.to_owned(),
            text,
        }
    }
}

struct Listing<'a> {
    source: &'a Source,
    lines: BTreeSet<ListingLine>,
    /// Modules that are listed, each under a path.
    seen: BTreeSet<(ModuleId, String)>,
    /// Items that are listed, each under a path.
    shown: BTreeSet<(ModuleId, usize, String)>,
}

impl Listing<'_> {
    fn module(&mut self, id: ModuleId, path: &str) {
        if !self.seen.insert((id, path.to_owned())) {
            return;
        }
        let source = self.source;
        for (child, module) in source.children(id).filter(|(_, inner)| inner.is_public) {
            let path = format!("{path}::{}", module.name);
            self.lines
                .insert(ListingLine::new(&path, format!("pub mod {path}")));
            self.module(child, &path);
        }
        for (_, index, item) in source.items().filter(|(module, ..)| *module == id) {
            if let Some(head) = head(item) {
                self.item(id, index, format!("{path}::{}", head.name));
            } else if let Item::Use(item) = item {
                self.exports(id, item, path);
            }
        }
    }

    /// Lists what a `pub use` shows here.
    fn exports(&mut self, from: ModuleId, item: &ItemUse, here: &str) {
        if !is_public(&item.vis) || is_hidden(&item.attrs) {
            return;
        }
        let cfg = lines::cfg(&item.attrs);
        for import in imports(&item.tree) {
            for target in self.source.resolve(from, &import.path) {
                self.export(&import, target, &cfg, here);
            }
        }
    }

    fn export(&mut self, import: &Import, target: Target, cfg: &str, here: &str) {
        let path = import
            .alias
            .as_ref()
            .map(|alias| format!("{here}::{alias}"));
        match (target, path) {
            (Target::Item(module, index), Some(path)) => self.item(module, index, path),
            (Target::Module(module), Some(path)) if self.source.is_public(module) => {
                self.module(module, &path);
            }
            // A private module shares its name with an item; nothing can be taken out of an item.
            (Target::Module(_), Some(_)) | (Target::Item(..), None) => {}
            (Target::Module(module), None) => self.module(module, here),
            (Target::Elsewhere(name), path) => {
                let path = path.unwrap_or_else(|| format!("{here}::*"));
                let text = format!("{cfg}pub use {path} = {name}");
                self.lines.insert(ListingLine::new(&path, text));
            }
        }
    }

    fn item(&mut self, module: ModuleId, index: usize, path: String) {
        let item = self.source.item(module, index);
        if let Some(item) = item.filter(|item| head(item).is_some_and(Head::is_shown)) {
            let lines = lines::of_item(item, &path);
            self.lines
                .extend(lines.into_iter().map(|text| ListingLine::new(&path, text)));
            self.shown.insert((module, index, path));
        }
    }

    /// Lists what belongs to an item and stands elsewhere.
    fn aside(&mut self, id: ModuleId, item: &Item) {
        if let Item::Macro(item) = item {
            let path = self.source.path_of(id);
            let line = ListingLine::new(&path, lines::of_macro(item, &path));
            self.lines.insert(line);
        } else if let Item::Impl(item) = item {
            self.implementation(id, item);
        }
    }

    /// Lists an impl of what is listed, or of a type of another crate.
    fn implementation(&mut self, id: ModuleId, item: &ItemImpl) {
        let foreign = || item.trait_.iter().map(|_| text(&item.self_ty)).collect();
        let paths: Vec<String> = self.own_paths(id, &item.self_ty).unwrap_or_else(foreign);
        for path in paths {
            let lines = lines::of_impl(item, &path);
            self.lines
                .extend(lines.into_iter().map(|text| ListingLine::new(&path, text)));
        }
    }

    /// The listed paths of a type of this crate; nothing when it is another crate's.
    fn own_paths(&self, from: ModuleId, of: &Type) -> Option<Vec<String>> {
        let Type::Path(of) = of else { return None };
        let names = of.path.segments.iter().map(|part| part.ident.to_string());
        let targets = self.source.resolve(from, &names.collect::<Vec<_>>());
        let own = |(module, index, _): &&(ModuleId, usize, String)| {
            targets.contains(&Target::Item(*module, *index))
        };
        if targets
            .iter()
            .all(|target| matches!(target, Target::Elsewhere(_)))
        {
            return None;
        }
        Some(
            self.shown
                .iter()
                .filter(own)
                .map(|(_, _, path)| path.clone())
                .collect(),
        )
    }
}
