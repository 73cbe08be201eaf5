//! Our packages: the published ones, and the content of their manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand, Package, TargetKind};

/// Every package of the workspace.
pub(crate) struct Packages(Vec<Package>);

impl Packages {
    /// Asks cargo.
    pub(crate) fn read() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .context("cannot read the workspace with cargo metadata")?;
        let packages = metadata.workspace_packages().into_iter().cloned();
        Ok(Packages(packages.collect()))
    }

    /// Returns the packages that may be published, by name.
    pub(crate) fn published(&self) -> impl Iterator<Item = Published<'_>> {
        self.0
            .iter()
            .filter(|package| package.publish.as_ref().is_none_or(|to| !to.is_empty()))
            .map(Published)
    }

    /// The targets of a kind whose source contains a text, by package.
    pub(crate) fn targets_with(
        &self,
        kind: &TargetKind,
        text: &str,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let targets = self.0.iter().flat_map(|package| {
            let of_kind = package.targets.iter().filter(|one| one.kind.contains(kind));
            of_kind.map(|target| (package.name.to_string(), target))
        });
        for (package, target) in targets {
            if source_contains(target.src_path.as_std_path(), text)? {
                found.entry(package).or_default().push(target.name.clone());
            }
        }
        Ok(found)
    }
}

/// Looks into a file, and into the folder of the modules that belong to it.
fn source_contains(file: &Path, text: &str) -> Result<bool> {
    let shown = file.display();
    let source = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    if source.contains(text) {
        return Ok(true);
    }
    let is_root_of_folder = file.file_name().is_some_and(|name| name == "main.rs");
    let folder = match file.parent() {
        Some(parent) if is_root_of_folder => parent.to_owned(),
        _ => file.with_extension(""),
    };
    if !folder.is_dir() {
        return Ok(false);
    }
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {shown}"))? {
        let inner = entry
            .with_context(|| format!("cannot list {shown}"))?
            .path();
        let is_module = inner != file && inner.extension().is_some_and(|ending| ending == "rs");
        if is_module && source_contains(&inner, text)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A package that may be published.
#[derive(Clone, Copy)]
pub(crate) struct Published<'a>(pub(crate) &'a Package);

impl<'a> Published<'a> {
    pub(crate) fn name(self) -> &'a str {
        &self.0.name
    }

    /// The folder of its manifest.
    pub(crate) fn folder(self) -> &'a Path {
        let manifest = self.0.manifest_path.as_std_path();
        manifest.parent().unwrap_or(manifest)
    }

    pub(crate) fn has_library(self) -> bool {
        let mut targets = self.0.targets.iter();
        targets.any(|target| target.kind.contains(&TargetKind::Lib))
    }

    /// The features that can be chosen by name, `default` left out.
    pub(crate) fn features(self) -> impl Iterator<Item = &'a str> {
        let names = self.0.features.keys().map(String::as_str);
        names.filter(|name| *name != "default")
    }

    /// Returns the number of packages that this one depends on itself outside tests, ours included.
    /// A crate that is picked alone brings no optional one.
    pub(crate) fn direct_dependencies(self) -> usize {
        let declared = self.0.dependencies.iter();
        let normal =
            declared.filter(|one| one.kind != DependencyKind::Development && !one.optional);
        let names: BTreeSet<_> = normal.map(|one| &one.name).collect();
        names.len()
    }
}
