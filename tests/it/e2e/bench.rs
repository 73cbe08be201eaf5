//! `heronry bench`.

use heronry_tests::process::Folder;

#[test]
fn every_group_is_measured_and_held_against_its_bars() {
    let place = Folder::new();
    let quick = ["--json", "bench", "--quick", "--dir", "."];
    let figures = place.run(&quick).json();
    let rows = figures["rows"].as_array().unwrap();
    let says = |word: &str| {
        rows.iter()
            .any(|row| row["what"].as_str().unwrap().contains(word))
    };
    for group in [
        "fdatasync",
        "durable send",
        "memory send",
        "send after",
        "joins",
        "broadcast",
        "waits",
        "replay",
        "bystander",
        "/healthz",
    ] {
        assert!(says(group), "{group}: {figures}");
    }
    for row in rows {
        let has_bar = row.get("at_least").or_else(|| row.get("at_most")).is_some();
        let verdict = row["verdict"].as_str().unwrap();
        assert_eq!(has_bar, ["met", "missed"].contains(&verdict), "{row}");
        assert_eq!(row["seen"].is_null(), verdict == "skipped", "{row}");
    }
    let left = std::fs::read_dir(place.path()).unwrap().count();
    assert_eq!(left, 0, "nothing is left");
}
