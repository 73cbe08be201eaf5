//! The packaging of published crates: the metadata of their manifests, and the number of crates
//! that they bring along.

use super::Finding;
use super::tree::Tree;
use crate::packages::Published;

/// The crates that others pick alone, and how many direct dependencies each may have. Events have one more,
/// `serde_json`: the JSON of an event is written once for all its readers, and they share it.
const DEPENDENCIES_MAX: [(&str, usize); 3] = [
    ("heronry-types", 6),
    ("heronry-journal", 6),
    ("heronry-event", 7),
];

/// The most keywords and categories that the registry takes.
const WORDS_MAX: usize = 5;

/// The fact sheet of one published crate.
pub(crate) struct Sheet {
    pub(crate) name: String,
    /// The folder of its manifest, relative to the root.
    pub(crate) folder: String,
    pub(crate) features: Vec<String>,
    pub(crate) direct_dependencies: usize,
    pub(crate) keywords: usize,
    pub(crate) categories: usize,
    /// The wanted entries that the manifest leaves out.
    pub(crate) missing: Vec<&'static str>,
}

impl Sheet {
    pub(crate) fn of(package: Published<'_>, folder: String) -> Self {
        let manifest = package.0;
        let wanted = [
            ("description", manifest.description.is_some()),
            ("license", manifest.license.is_some()),
            ("readme", manifest.readme.is_some()),
            ("repository", manifest.repository.is_some()),
            ("rust-version", manifest.rust_version.is_some()),
            (
                "[package.metadata.docs.rs]",
                manifest.metadata.pointer("/docs/rs").is_some(),
            ),
        ];
        let missing = wanted.into_iter().filter(|(_, is_there)| !is_there);
        Sheet {
            name: package.name().to_owned(),
            folder,
            features: package.features().map(str::to_owned).collect(),
            direct_dependencies: package.direct_dependencies(),
            keywords: manifest.keywords.len(),
            categories: manifest.categories.len(),
            missing: missing.map(|(name, _)| name).collect(),
        }
    }
}

/// Checks the sheet of each published crate.
pub(crate) fn check(sheets: &[Sheet], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sheet in sheets {
        let manifest = format!("{}/Cargo.toml", sheet.folder);
        let texts = manifest_texts(sheet);
        findings.extend(
            texts
                .into_iter()
                .map(|text| Finding::new(&manifest, 1, text)),
        );
        findings.extend(check_readme(sheet, tree));
    }
    findings.extend(check_includes(sheets, tree));
    findings
}

/// Returns one line with the number of direct dependencies of each crate.
pub(crate) fn summary(sheets: &[Sheet]) -> String {
    let counts = sheets.iter().map(|sheet| {
        let name = sheet.name.strip_prefix("heronry-").unwrap_or(&sheet.name);
        format!("{name} {}", sheet.direct_dependencies)
    });
    format!(
        "direct dependencies: {}",
        counts.collect::<Vec<_>>().join(", ")
    )
}

fn manifest_texts(sheet: &Sheet) -> Vec<String> {
    let mut texts: Vec<String> = sheet
        .missing
        .iter()
        .map(|what| format!("has no {what}; a published crate says it"))
        .collect();
    for (what, count) in [
        ("keywords", sheet.keywords),
        ("categories", sheet.categories),
    ] {
        if count == 0 || count > WORDS_MAX {
            texts.push(format!(
                "has {count} {what}; the registry shows 1 to {WORDS_MAX}"
            ));
        }
    }
    let limit = DEPENDENCIES_MAX
        .iter()
        .find(|(name, _)| *name == sheet.name);
    if let Some((_, max)) = limit.filter(|(_, max)| sheet.direct_dependencies > *max) {
        let count = sheet.direct_dependencies;
        texts.push(format!(
            "has {count} direct dependencies, the limit is {max}; people pick this crate alone"
        ));
    }
    texts
}

/// The README has a row for each feature, and says where changes stand.
fn check_readme(sheet: &Sheet, tree: &Tree) -> Vec<Finding> {
    let path = format!("{}/README.md", sheet.folder);
    let text = tree.text(&path).unwrap_or_default();
    let missing = sheet
        .features
        .iter()
        .filter(|name| !text.contains(&format!("| `{name}` |")));
    let mut findings: Vec<Finding> = missing
        .map(|name| {
            Finding::new(
                &path,
                1,
                format!("has no row for feature {name}; add it to a table of features"),
            )
        })
        .collect();
    if !text.contains("CHANGELOG.md") {
        findings.push(Finding::new(
            &path,
            1,
            "does not say where changes stand; link CHANGELOG.md",
        ));
    }
    findings
}

/// Checks that no file outside a crate is compiled into it: the archive would not hold that file.
fn check_includes(sheets: &[Sheet], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_ending("rs") {
        let Some(sheet) = sheets.iter().find(|sheet| is_below(path, &sheet.folder)) else {
            continue;
        };
        let depth = path
            .get(sheet.folder.len() + 1..)
            .unwrap_or_default()
            .matches('/')
            .count();
        for (line, target) in includes(text) {
            let ups = target.split('/').take_while(|part| *part == "..").count();
            if ups > depth {
                let text = format!(
                    "includes {target}, which is not in the archive of {}; move it into the crate",
                    sheet.name
                );
                findings.push(Finding::new(path, line, text));
            }
        }
    }
    findings
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Line and target of each file that is included by a literal path.
fn includes(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for open in ["include_str!(\"", "include_bytes!(\"", "include!(\""] {
            let target = line
                .split_once(open)
                .and_then(|(_, rest)| rest.split_once('"'));
            found.extend(target.map(|(target, _)| (index + 1, target.to_owned())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            name: "heronry-event".to_owned(),
            folder: "crates/heronry-event".to_owned(),
            features: vec!["wide".to_owned()],
            direct_dependencies: 7,
            keywords: 3,
            categories: 1,
            missing: Vec::new(),
        }
    }

    #[track_caller]
    fn check_sheet(sheet: Sheet, files: &[(&str, &str)], expected: &[&str]) {
        let found: Vec<String> = check(&[sheet], &Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line} does not contain {part}");
        }
    }

    const README: (&str, &str) = (
        "crates/heronry-event/README.md",
        "| `wide` | no | all |\n[x](../CHANGELOG.md)\n",
    );

    #[test]
    fn crate_that_says_everything_passes() {
        check_sheet(sheet(), &[README], &[]);
    }

    #[test]
    fn crate_at_its_limit_passes_and_one_dependency_more_does_not() {
        let heavy = Sheet {
            direct_dependencies: 8,
            ..sheet()
        };
        check_sheet(
            heavy,
            &[README],
            &["has 8 direct dependencies, the limit is 7"],
        );
        let other = Sheet {
            name: "heronry-server".to_owned(),
            direct_dependencies: 30,
            ..sheet()
        };
        check_sheet(other, &[README], &[]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let bare = Sheet {
            keywords: 0,
            categories: 6,
            missing: vec!["readme"],
            ..sheet()
        };
        let readme = ("crates/heronry-event/README.md", "# event\n");
        check_sheet(
            bare,
            &[readme],
            &[
                "has no readme",
                "has 0 keywords",
                "has 6 categories",
                "no row for feature wide",
                "link CHANGELOG.md",
            ],
        );
    }

    #[test]
    fn included_files_stay_inside_the_crate() {
        let inside = (
            "crates/heronry-event/src/filter.rs",
            "#![doc = include_str!(\"../docs/F.md\")]\n",
        );
        check_sheet(sheet(), &[README, inside], &[]);
        let outside = (
            "crates/heronry-event/src/lib.rs",
            "\n#![doc = include_str!(\"../../../docs/F.md\")]\n",
        );
        check_sheet(
            sheet(),
            &[README, outside],
            &["src/lib.rs:2: includes ../../../docs/F.md"],
        );
        let elsewhere = (
            "tests/src/lib.rs",
            "const X: &str = include_str!(\"../../docs/F.md\");\n",
        );
        check_sheet(sheet(), &[README, elsewhere], &[]);
    }
}
