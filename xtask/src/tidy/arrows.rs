//! The direction of arrows: which crate may depend on which.

use std::collections::BTreeMap;

use super::Finding;
use super::workspace::{DependencySection, Edge, Workspace};

/// One line a crate: name, which of ours it may depend on, which foreign groups it must not know.
/// The `heronry-` prefix is left out; `facade` is `heronry` itself. `docs/ARCHITECTURE.md` says why.
const TABLE: &str = "
    types        |                                                   | tokio async random http http-server http-client disk terminal
    journal      | types                                             | tokio async random http http-server http-client disk terminal
    event        | types                                             | tokio async random http http-server http-client disk terminal
    store        | types journal                                     | tokio http http-server http-client disk terminal
    pool         | types journal event store                         | tokio async random http http-server http-client disk terminal
    store-embedded | types journal store                             | tokio http http-server http-client disk terminal
    store-memory | types journal store                               | http http-server http-client disk terminal
    store-redb   | types journal store store-embedded                | http http-server http-client terminal
    store-sled   | types journal store store-embedded                | http http-server http-client terminal
    host         | types                                             | tokio random http http-server http-client disk terminal
    host-process | types host                                        | http http-server http-client disk terminal
    testkit      | types journal store host                          | http http-server http-client disk terminal
    transfer     | types journal store                               | tokio async random http http-server http-client disk terminal
    runtime      | types journal event store pool transfer           | http http-server http-client disk terminal
    unified      | types journal event store pool transfer runtime host   | http http-server http-client disk terminal
    wire         | types event                                       | tokio async random http http-server http-client disk terminal
    api          | types journal event store pool transfer runtime wire | http http-server http-client disk terminal
    server       | types journal event store pool transfer runtime wire api | http-client disk terminal
    client       | types event wire                                  | http-server disk terminal
    sink-http    | types event runtime wire                          | http-server http-client disk terminal
    cli          | types journal event store pool host host-process unified store-embedded store-memory store-redb store-sled transfer runtime wire api server client sink-http | http http-server disk
    facade       | types journal event store pool store-embedded store-memory store-redb store-sled testkit transfer runtime | http http-server http-client disk terminal
";

/// The foreign crates behind each group of the table.
const GROUPS: &str = "
    tokio        | tokio tokio-util tokio-stream
    async        | futures futures-util async-trait
    random       | getrandom rand fastrand uuid
    http-server  | axum axum-server tower-http
    http         | http http-body-util hyper hyper-util
    http-client  | reqwest
    disk         | redb sled fjall
    terminal     | clap clap_complete clap_mangen miette indicatif comfy-table anstream owo-colors anyhow
";

/// Crates that are never published and may depend on anything; nothing depends on them.
const EXEMPT: [&str; 3] = ["heronry-bench", "heronry-tests", "xtask"];

/// The only one of our crates that a published crate may take as a dev-dependency.
const DEV_TARGET: &str = "heronry-testkit";

/// Compares every declared edge with the table.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let rules = Rules::parse(TABLE, GROUPS);
    let mut findings = unknown_packages(workspace, &rules);
    findings.extend(
        workspace
            .edges
            .iter()
            .filter_map(|edge| judge(edge, &rules)),
    );
    findings
}

fn unknown_packages(workspace: &Workspace, rules: &Rules) -> Vec<Finding> {
    workspace
        .packages
        .iter()
        .filter(|package| !is_exempt(&package.name) && !rules.rows.contains_key(&package.name))
        .map(|package| {
            let text = format!(
                "{} is not in the table of arrows; add its line to xtask/src/tidy/arrows.rs and to docs/ARCHITECTURE.md",
                package.name
            );
            Finding::new(&package.manifest, 1, text)
        })
        .collect()
}

fn judge(edge: &Edge, rules: &Rules) -> Option<Finding> {
    if is_exempt(&edge.from) {
        return None;
    }
    let row = rules.rows.get(&edge.from)?;
    let ours = rules.rows.contains_key(&edge.to) || is_exempt(&edge.to);
    let (from, to) = (&edge.from, &edge.to);
    let text = match (edge.kind, ours) {
        (DependencySection::Dev, true) if to == DEV_TARGET => return None,
        (DependencySection::Dev, true) => format!(
            "{from} takes {to} as a dev-dependency; only {DEV_TARGET} may be one, move the test to tests/"
        ),
        (DependencySection::Dev, false) => return None,
        (DependencySection::Normal | DependencySection::Build, true) if row.ours.contains(to) => {
            return None;
        }
        (DependencySection::Normal | DependencySection::Build, true) => format!(
            "{from} must not depend on {to}; move the code to the crate that may, see docs/ARCHITECTURE.md"
        ),
        (DependencySection::Normal | DependencySection::Build, false) => {
            let (_, group) = row.forbidden.iter().find(|(name, _)| name == to)?;
            format!(
                "{from} must not know {to} ({group}); move that code outwards, see docs/ARCHITECTURE.md"
            )
        }
    };
    Some(Finding::new(&edge.manifest, edge.line, text))
}

fn is_exempt(name: &str) -> bool {
    EXEMPT.contains(&name)
}

/// The two tables, parsed.
struct Rules {
    rows: BTreeMap<String, CrateRow>,
}

struct CrateRow {
    ours: Vec<String>,
    /// Foreign crate and the group that names it.
    forbidden: Vec<(String, String)>,
}

impl Rules {
    fn parse(table: &str, groups: &str) -> Self {
        let groups: BTreeMap<&str, &str> = groups
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(trim_both)
            .collect();
        let mut rows = BTreeMap::new();
        for line in table.lines() {
            let Some((name, rest)) = line.split_once('|') else {
                continue;
            };
            let Some((ours, forbidden)) = rest.split_once('|') else {
                continue;
            };
            let row = CrateRow {
                ours: ours.split_whitespace().map(full_name).collect(),
                forbidden: forbidden
                    .split_whitespace()
                    .flat_map(|group| expand(group, &groups))
                    .collect(),
            };
            rows.insert(full_name(name.trim()), row);
        }
        Rules { rows }
    }
}

fn trim_both<'a>((left, right): (&'a str, &'a str)) -> (&'a str, &'a str) {
    (left.trim(), right.trim())
}

fn full_name(short: &str) -> String {
    match short {
        "facade" => "heronry".to_owned(),
        short => format!("heronry-{short}"),
    }
}

fn expand(group: &str, groups: &BTreeMap<&str, &str>) -> Vec<(String, String)> {
    let members = groups.get(group).copied().unwrap_or_default();
    members
        .split_whitespace()
        .map(|name| (name.to_owned(), group.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::workspace::Package;

    #[track_caller]
    fn check_edge(from: &str, kind: DependencySection, to: &str, expected: Option<&str>) {
        let edge = Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            kind,
            manifest: "Cargo.toml".to_owned(),
            line: 7,
        };
        let workspace = Workspace {
            packages: Vec::new(),
            edges: vec![edge],
        };
        let found: Vec<String> = check(&workspace).iter().map(ToString::to_string).collect();
        match expected {
            None => assert_eq!(found, Vec::<String>::new()),
            Some(part) => {
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].starts_with("Cargo.toml:7: "), "{found:?}");
                assert!(found[0].contains(part), "{found:?}");
            }
        }
    }

    #[test]
    fn arrows_point_inwards() {
        check_edge(
            "heronry-pool",
            DependencySection::Normal,
            "heronry-event",
            None,
        );
        check_edge(
            "heronry-event",
            DependencySection::Normal,
            "heronry-journal",
            Some("must not depend on"),
        );
        check_edge(
            "heronry-journal",
            DependencySection::Build,
            "heronry-event",
            Some("must not depend on"),
        );
        check_edge(
            "heronry-store-redb",
            DependencySection::Normal,
            "heronry-pool",
            Some("must not depend on"),
        );
        check_edge(
            "heronry-runtime",
            DependencySection::Normal,
            "heronry-store-redb",
            Some("must not depend on"),
        );
    }

    #[test]
    fn nothing_depends_on_the_binary_or_on_the_unpublished_crates() {
        check_edge(
            "heronry-server",
            DependencySection::Normal,
            "heronry-cli",
            Some("must not depend on"),
        );
        check_edge(
            "heronry-cli",
            DependencySection::Normal,
            "heronry-bench",
            Some("must not depend on"),
        );
        check_edge(
            "heronry-bench",
            DependencySection::Normal,
            "heronry-store-redb",
            None,
        );
        check_edge(
            "heronry-tests",
            DependencySection::Dev,
            "heronry-server",
            None,
        );
    }

    #[test]
    fn dev_edges_between_our_crates_point_only_at_the_testkit() {
        check_edge(
            "heronry-store-redb",
            DependencySection::Dev,
            "heronry-testkit",
            None,
        );
        check_edge(
            "heronry-runtime",
            DependencySection::Dev,
            "heronry-store-memory",
            Some("dev-dependency"),
        );
        check_edge("heronry-event", DependencySection::Dev, "proptest", None);
        check_edge("heronry-pool", DependencySection::Dev, "tokio", None);
    }

    #[test]
    fn foreign_crates_stay_where_they_belong() {
        check_edge("heronry-server", DependencySection::Normal, "axum", None);
        check_edge(
            "heronry-cli",
            DependencySection::Normal,
            "axum",
            Some("must not know axum (http-server)"),
        );
        check_edge(
            "heronry-pool",
            DependencySection::Normal,
            "tokio",
            Some("must not know tokio (tokio)"),
        );
        check_edge("heronry-store", DependencySection::Normal, "futures", None);
        check_edge(
            "heronry-store",
            DependencySection::Normal,
            "tokio",
            Some("must not know"),
        );
        check_edge(
            "heronry-store-redb",
            DependencySection::Normal,
            "redb",
            None,
        );
        check_edge(
            "heronry-runtime",
            DependencySection::Normal,
            "redb",
            Some("must not know redb (disk)"),
        );
        check_edge("heronry-types", DependencySection::Normal, "serde", None);
    }

    #[test]
    fn facade_brings_the_engine_and_neither_server_nor_client() {
        check_edge(
            "heronry",
            DependencySection::Normal,
            "heronry-store-redb",
            None,
        );
        for other in [
            "heronry-server",
            "heronry-client",
            "heronry-wire",
            "heronry-cli",
        ] {
            check_edge(
                "heronry",
                DependencySection::Normal,
                other,
                Some("must not depend on"),
            );
        }
        check_edge(
            "heronry-cli",
            DependencySection::Normal,
            "heronry",
            Some("must not depend on"),
        );
    }

    #[test]
    fn new_crate_needs_a_line_in_the_table() {
        let package = |name: &str| Package {
            name: name.to_owned(),
            manifest: "Cargo.toml".to_owned(),
        };
        let packages = vec![
            package("heronry-types"),
            package("heronry-new"),
            package("xtask"),
        ];
        let findings = check(&Workspace {
            packages,
            edges: Vec::new(),
        });
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0]
                .text
                .starts_with("heronry-new is not in the table")
        );
    }

    #[test]
    fn every_word_of_the_tables_means_something() {
        let rules = Rules::parse(TABLE, GROUPS);
        assert_eq!(
            rules.rows.len(),
            TABLE.lines().filter(|line| line.contains('|')).count()
        );
        for (name, row) in &rules.rows {
            for ours in &row.ours {
                assert!(
                    rules.rows.contains_key(ours),
                    "{name} may depend on unknown {ours}"
                );
            }
        }
        let groups: Vec<&str> = GROUPS
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(name, _)| name.trim())
            .collect();
        for line in TABLE.lines().filter(|line| line.contains('|')) {
            let column = line.rsplit('|').next().unwrap_or_default();
            for group in column.split_whitespace() {
                assert!(groups.contains(&group), "unknown group {group}");
            }
        }
    }
}
