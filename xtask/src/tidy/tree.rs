//! The files of the workspace, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry};
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold no source of ours.
const SKIPPED_FOLDERS: [&str; 4] = [".git", ".heronry", "node_modules", "target"];

/// The kinds of file whose text some check reads.
const READ_ENDINGS: [&str; 3] = ["rs", "md", "toml"];

/// Every path of the workspace, and the text of the files that are checked.
///
/// Paths are relative to the root and use `/`.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    texts: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads the tree below a folder.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let shown = folder.display();
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {shown}"))? {
            let entry = entry.with_context(|| format!("cannot list {shown}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                self.read_entry(&entry, format!("{prefix}{name}"))?;
            }
        }
        Ok(())
    }

    fn read_entry(&mut self, entry: &DirEntry, path: String) -> Result<()> {
        let kind = entry
            .file_type()
            .with_context(|| format!("cannot read {path}"))?;
        if kind.is_dir() {
            self.read_folder(&entry.path(), &format!("{path}/"))?;
        } else if kind.is_file() && is_read(&path) {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {path} as UTF-8"))?;
            self.texts.insert(path.clone(), text);
        }
        self.paths.insert(path);
        Ok(())
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
            let ends = path
                .match_indices('/')
                .map(|(at, _)| at)
                .chain([path.len()]);
            tree.paths
                .extend(ends.filter_map(|end| path.get(..end)).map(str::to_owned));
        }
        tree
    }

    /// The number of files whose text was read.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The text of a file, if it exists and is of a kind that is read.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Returns true when a file or folder exists; the empty path is the root.
    pub(crate) fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path)
    }

    /// Path and text of every file with this ending, in path order.
    pub(crate) fn with_ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .filter(move |(path, _)| ending_of(path) == Some(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The names directly inside a folder, in order.
    pub(crate) fn names_in(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{folder}/");
        self.paths
            .iter()
            .filter_map(move |path| path.strip_prefix(&prefix))
            .filter(|name| !name.contains('/'))
    }
}

fn is_read(name: &str) -> bool {
    ending_of(name).is_some_and(|ending| READ_ENDINGS.contains(&ending))
}

/// The part of a file's name after its last dot.
pub(crate) fn ending_of(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}
