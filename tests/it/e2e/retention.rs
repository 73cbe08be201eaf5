//! The part of its journal that a pool keeps, as flags and manifests set it.

use heronry_tests::process::Folder;
use serde_json::{Value, json};

/// Changes what the pool `p` keeps.
fn set(place: &Folder, flags: &[&str]) {
    place.run(&[&["pool", "set", "p"], flags].concat()).ok();
}

fn kept(place: &Folder, pool: &str) -> Value {
    let view = place.run(&["pool", "show", pool, "--json"]).json();
    view["settings"]["retention"].clone()
}

fn kept_line(place: &Folder) -> String {
    let shown = place.run(&["pool", "show", "p"]).ok();
    let line = shown.lines().find(|line| line.starts_with("records kept"));
    line.unwrap().to_owned()
}

#[test]
fn a_keep_flag_changes_what_it_names_and_leaves_the_rest() {
    let place = Folder::new();
    let _server = place.serve(&["--store", "memory"]);
    place.run(&["pool", "open", "p"]).ok();
    assert_eq!(kept_line(&place), "records kept all");
    let alone = ["pool", "set", "p", "--keep-min", "5"];
    place.run(&alone).refused(2, "--keep-min changes nothing");
    let nothing = place.run(&["pool", "set", "p"]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    assert!(nothing.err.contains("--keep-age"), "{nothing:?}");
    set(&place, &["--keep-age", "2h"]);
    assert_eq!(kept(&place, "p"), json!({"age_ms": 7_200_000}));
    set(&place, &["--keep-min", "5"]);
    set(&place, &["--keep-bytes", "100000"]);
    let all = json!({"age_ms": 7_200_000, "bytes": 100_000, "keep_min": 5});
    assert_eq!(kept(&place, "p"), all);
    let line = "records kept 7200 s, 100000 bytes, at least 5 records";
    assert_eq!(kept_line(&place), line);
    set(&place, &["--limit", "inbox_depth_max=7"]);
    assert_eq!(kept(&place, "p"), all, "a limit does not touch it");
    let two = ["--keep-age", "1h", "--keep-min", "6"];
    set(&place, &two);
    let changed = json!({"age_ms": 3_600_000, "bytes": 100_000, "keep_min": 6});
    assert_eq!(kept(&place, "p"), changed);
    let old = ["pool", "set", "p", "--keep-min", "7"];
    let old = [&old[..], &["--expected-version", "1"]].concat();
    place.run(&old).refused(3, "settings-conflict");
    let both = ["pool", "set", "p", "--keep-all", "--keep-min", "7"];
    assert_eq!(place.run(&both).code, Some(2));
    assert_eq!(
        kept(&place, "p"),
        changed,
        "what is refused changes nothing"
    );
    set(&place, &["--keep-all"]);
    assert_eq!(kept(&place, "p"), Value::Null);
    assert_eq!(kept_line(&place), "records kept all");
}

#[test]
fn a_manifest_says_how_much_of_its_journal_the_pool_keeps() {
    let place = Folder::new();
    let member = "pool = \"job\"\n[[member]]\nagent = \"a\"\ncommand = [\"true\"]\n";
    let retention = "[retention]\nage = \"30d\"\nkeep_min = 100\n";
    place.write("pool.toml", format!("{member}{retention}"));
    place
        .run(&["up", "pool.toml", "--listen", "127.0.0.1:0"])
        .ok();
    let _server = place.serve(&[]);
    let expected = json!({"age_ms": 2_592_000_000_u64, "keep_min": 100});
    assert_eq!(kept(&place, "job.1"), expected);

    place.write(
        "alone.toml",
        format!("{member}[retention]\nkeep_min = 100\n"),
    );
    let alone = place.run(&["up", "alone.toml", "--listen", "127.0.0.1:0"]);
    alone.refused(2, "alone.toml:5: keep_min");
}
