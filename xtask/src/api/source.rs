//! The modules of one crate, parsed.

use std::path::Path;

use anyhow::{Context, Result, bail};
use syn::{Item, ItemMod};

use super::item::{is_for_tests, is_hidden, is_public};

/// The number of a module; 0 is the root.
pub(crate) type ModuleId = usize;

/// The modules of one crate.
pub(crate) struct Source {
    /// The crate's name in code.
    pub(crate) name: String,
    /// Every module, the root first.
    pub(crate) modules: Vec<Module>,
}

/// One module and what stands in it.
pub(crate) struct Module {
    /// The module around it; the root is its own.
    pub(crate) parent: ModuleId,
    pub(crate) name: String,
    pub(crate) is_public: bool,
    /// The items that are compiled outside tests.
    pub(crate) items: Vec<Item>,
}

impl Source {
    /// Reads the crate whose root is `src/lib.rs` below this folder.
    pub(crate) fn read(name: &str, folder: &Path) -> Result<Self> {
        let mut source = Source {
            name: name.replace('-', "_"),
            modules: Vec::new(),
        };
        let folder = folder.join("src");
        let root = parse(&folder.join("lib.rs"))?;
        let module = Module {
            parent: 0,
            name: source.name.clone(),
            is_public: true,
            items: Vec::new(),
        };
        source.modules.push(module);
        source.fill(0, root, &folder)?;
        Ok(source)
    }

    /// A crate of one file.
    #[cfg(test)]
    pub(crate) fn of(name: &str, text: &str) -> Self {
        let mut source = Source {
            name: name.to_owned(),
            modules: Vec::new(),
        };
        source.modules.push(Module {
            parent: 0,
            name: name.to_owned(),
            is_public: true,
            items: Vec::new(),
        });
        let items = syn::parse_file(text).unwrap().items;
        source.fill(0, items, Path::new("nowhere")).unwrap();
        source
    }

    /// Keeps the items of a module and reads the modules that it declares, which lie in `folder`.
    fn fill(&mut self, id: ModuleId, items: Vec<Item>, folder: &Path) -> Result<()> {
        for item in items.into_iter().filter(|item| !is_for_tests(item)) {
            if let Item::Mod(inner) = item {
                self.add(id, inner, folder)?;
            } else if let Some(module) = self.modules.get_mut(id) {
                module.items.push(item);
            }
        }
        Ok(())
    }

    fn add(&mut self, parent: ModuleId, module: ItemMod, folder: &Path) -> Result<()> {
        let name = module.ident.to_string();
        if module.attrs.iter().any(|one| one.path().is_ident("path")) {
            bail!("module {name} has a #[path], which the listing of public items cannot follow");
        }
        let folder = folder.join(&name);
        let items = match module.content {
            Some((_, items)) => items,
            None => parse_module(&folder)?,
        };
        let id = self.modules.len();
        self.modules.push(Module {
            parent,
            name,
            is_public: is_public(&module.vis) && !is_hidden(&module.attrs),
            items: Vec::new(),
        });
        self.fill(id, items, &folder)
    }

    /// The modules directly inside a module.
    pub(crate) fn children(&self, id: ModuleId) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.modules
            .iter()
            .enumerate()
            .filter(move |(child, module)| *child != 0 && module.parent == id)
    }

    /// Every item with its module and its number in it.
    pub(crate) fn items(&self) -> impl Iterator<Item = (ModuleId, usize, &Item)> {
        self.modules.iter().enumerate().flat_map(|(id, module)| {
            let items = module.items.iter().enumerate();
            items.map(move |(index, item)| (id, index, item))
        })
    }

    pub(crate) fn item(&self, id: ModuleId, index: usize) -> Option<&Item> {
        self.modules.get(id)?.items.get(index)
    }

    /// Returns true when a module is declared `pub`.
    pub(crate) fn is_public(&self, id: ModuleId) -> bool {
        self.modules.get(id).is_some_and(|module| module.is_public)
    }

    /// Returns the path of a module from the root.
    pub(crate) fn path_of(&self, id: ModuleId) -> String {
        match self.modules.get(id) {
            Some(module) if id != 0 => format!("{}::{}", self.path_of(module.parent), module.name),
            _ => self.name.clone(),
        }
    }
}

/// `pool.rs` beside the folder `pool`, or `mod.rs` inside it.
fn parse_module(folder: &Path) -> Result<Vec<Item>> {
    let beside = folder.with_extension("rs");
    if beside.is_file() {
        return parse(&beside);
    }
    parse(&folder.join("mod.rs"))
}

fn parse(file: &Path) -> Result<Vec<Item>> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let parsed = syn::parse_file(&text).with_context(|| format!("cannot parse {shown}"))?;
    Ok(parsed.items)
}
