//! Which of our packages are published, and what their manifests say.

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

    /// Those that may be published, by name.
    pub(crate) fn published(&self) -> impl Iterator<Item = Published<'_>> {
        self.0
            .iter()
            .filter(|package| package.publish.as_ref().is_none_or(|to| !to.is_empty()))
            .map(Published)
    }
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

    /// How many packages it depends on itself outside tests, ours and optional ones included.
    pub(crate) fn direct_dependencies(self) -> usize {
        let declared = self.0.dependencies.iter();
        let normal = declared.filter(|one| one.kind != DependencyKind::Development);
        let names: std::collections::BTreeSet<_> = normal.map(|one| &one.name).collect();
        names.len()
    }
}
