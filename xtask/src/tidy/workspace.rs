//! Our packages and what their manifests declare.

use cargo_metadata::{DependencyKind, Metadata};

use super::tree::Tree;

/// The facts about the workspace that the check needs.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) edges: Vec<Edge>,
}

/// One package and its manifest, relative to the root.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: String,
}

/// One dependency as a manifest declares it.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: DependencySection,
    pub(crate) manifest: String,
    pub(crate) line: usize,
}

/// The section of a manifest that declares a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencySection {
    Normal,
    Build,
    Dev,
}

impl DependencySection {
    fn of(kind: DependencyKind) -> Self {
        if kind == DependencyKind::Development {
            DependencySection::Dev
        } else if kind == DependencyKind::Build {
            DependencySection::Build
        } else {
            DependencySection::Normal
        }
    }

    fn section(self) -> &'static str {
        match self {
            DependencySection::Normal => "dependencies",
            DependencySection::Build => "build-dependencies",
            DependencySection::Dev => "dev-dependencies",
        }
    }
}

impl Workspace {
    /// Reads packages and declared dependencies from `cargo metadata`.
    pub(crate) fn read(metadata: &Metadata, tree: &Tree) -> Self {
        let mut workspace = Workspace::default();
        for package in metadata.workspace_packages() {
            let manifest = package
                .manifest_path
                .strip_prefix(&metadata.workspace_root)
                .unwrap_or(&package.manifest_path)
                .as_str()
                .replace('\\', "/");
            let text = tree.text(&manifest).unwrap_or_default();
            for dependency in &package.dependencies {
                let kind = DependencySection::of(dependency.kind);
                let key = dependency.rename.as_deref().unwrap_or(&dependency.name);
                workspace.edges.push(Edge {
                    from: package.name.to_string(),
                    to: dependency.name.clone(),
                    kind,
                    manifest: manifest.clone(),
                    line: line_of(text, key, kind),
                });
            }
            workspace.packages.push(Package {
                name: package.name.to_string(),
                manifest,
            });
        }
        workspace
    }
}

/// The line that declares a dependency, or 1 where it stands in an unusual form.
fn line_of(manifest: &str, key: &str, kind: DependencySection) -> usize {
    let mut in_section = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let section = header.trim_end_matches(']');
            in_section =
                section == kind.section() || section.ends_with(&format!(".{}", kind.section()));
            continue;
        }
        let declares = line
            .strip_prefix(key)
            .is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
        if in_section && declares {
            return index + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_names_the_line_of_the_right_section() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nserde = \"1\"\ntokio-util = \"1\"\n\
                        [dev-dependencies]\ntokio.workspace = true\n";
        assert_eq!(line_of(manifest, "serde", DependencySection::Normal), 4);
        assert_eq!(line_of(manifest, "tokio", DependencySection::Dev), 7);
        assert_eq!(line_of(manifest, "tokio", DependencySection::Normal), 1);
    }
}
