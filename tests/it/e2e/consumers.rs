//! Named consumers across trims, restarts and backups, as exports use them.

use std::fs;

use heronry_tests::process::{Folder, Running};
use serde_json::Value;

fn scene() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    place.run_as("p", "a", &["join"]).ok();
    (place, server)
}

fn stop(server: Running) {
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

fn emit(place: &Folder, kind: &str) {
    place.run_as("p", "a", &["emit", kind]).ok();
}

fn head(place: &Folder) -> String {
    let head = place.run(&["pool", "show", "p", "--field", "head"]).ok();
    head.trim().to_owned()
}

fn position(cursor: &str) -> u64 {
    cursor.rsplit('-').next().unwrap().parse().unwrap()
}

/// Exports to a file as a consumer, and returns the answer.
fn export(place: &Folder, consumer: &str, more: &[&str]) -> Value {
    let to = format!("file:{consumer}.jsonl");
    let arguments = ["--pool", "p", "--json", "export", "--to", &to];
    let named = ["--consumer", consumer];
    place.run(&[&arguments[..], &named, more].concat()).json()
}

fn lines(place: &Folder, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.at(name)).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn positions(place: &Folder, name: &str) -> Vec<u64> {
    let lines = lines(place, name);
    let positions = lines.iter().map(|line| line["position"].as_u64().unwrap());
    positions.collect()
}

/// Returns the consumers as they are listed, by name.
fn consumers(place: &Folder) -> Vec<Value> {
    let listed = place.run(&["--pool", "p", "--json", "consumers", "list"]);
    listed.json()["consumers"].as_array().unwrap().clone()
}

fn trim(place: &Folder, before: &str, more: &[&str]) -> heronry_tests::process::Said {
    let arguments = ["--pool", "p", "journal", "trim", "--before", before];
    place.run(&[&arguments[..], more].concat())
}

#[test]
fn s7_each_consumer_has_a_filter_and_a_place_of_its_own() {
    let (place, _server) = scene();
    emit(&place, "tool_started");
    let tools = ["--filter", "kind == 'tool_started'"];
    assert_eq!(export(&place, "tools", &tools)["exported"], 1);
    let all = export(&place, "all", &[]);
    assert_eq!(all["exported"], position(&head(&place)));
    assert_eq!(all["consumer"], "all");
    emit(&place, "tool_started");
    assert_eq!(export(&place, "tools", &tools)["exported"], 1);
    let known = consumers(&place);
    let names: Vec<_> = known.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["all", "tools"]);
    let lags: Vec<_> = known.iter().map(|it| &it["lag"]).collect();
    assert_eq!(lags, [1, 0]);
    // A place that was reached with one filter says nothing of another.
    let other = ["--pool", "p", "export", "--to", "file:x", "--consumer"];
    let other = place.run(&[&other[..], &["tools"]].concat());
    other.refused(3, "consumer-filter-changed");
}

#[test]
fn s8_a_trim_that_an_export_holds_is_refused_and_after_a_forced_one_it_goes_on_as_it_is_told() {
    let (place, _server) = scene();
    let names = ["failing", "floor", "head"];
    for name in names {
        export(&place, name, &[]);
    }
    let reached = head(&place);
    for _ in 0..3 {
        emit(&place, "tool_started");
    }
    let before = head(&place);
    emit(&place, "tool_completed");
    let last = position(&head(&place));
    let held = trim(&place, &before, &[]);
    held.refused(3, "trim-held");
    assert!(held.err.contains("consumer failing at"), "{held:?}");
    trim(&place, &reached, &[]).ok();
    let said = trim(&place, &before, &["--force"]).ok();
    assert_eq!(said, format!("journal begins after {before}\n"));

    let failing = ["--pool", "p", "export", "--to", "file:failing.jsonl"];
    let failing = place.run(&[&failing[..], &["--consumer", "failing"]].concat());
    failing.refused(3, "cursor-trimmed");
    let until = position(&reached);
    let kept: Vec<u64> = (1..=until).collect();
    assert_eq!(positions(&place, "failing.jsonl"), kept);

    export(&place, "floor", &["--on-stale", "restart_at_floor"]);
    let on: Vec<u64> = positions(&place, "floor.jsonl");
    assert_eq!(on[..kept.len()], kept);
    assert_eq!(on[kept.len()], last, "it goes on where the journal begins");
    export(&place, "head", &["--on-stale", "head"]);
    let on = positions(&place, "head.jsonl");
    assert_eq!(on[..kept.len()], kept);
    assert!(on[kept.len()..].iter().all(|it| *it > last), "{on:?}");
    let resets = ["--pool", "p", "watch", "kind == 'consumer_reset'"];
    let resets = place.run(&resets).ok();
    assert_eq!(
        resets.lines().count(),
        3,
        "that of who failed, too: {resets}"
    );
}

#[test]
fn s8_a_trim_by_age_drops_what_is_older_than_a_span() {
    let (place, _server) = scene();
    emit(&place, "tool_started");
    let trim = ["--pool", "p", "--json", "journal", "trim", "--age"];
    let by_age = |span: &str| place.run(&[&trim[..], &[span]].concat()).json();
    let none = by_age("1h");
    assert!(none["floor"].as_str().unwrap().ends_with("-0"), "{none}");
    // A record is older than no time once the clock has moved on.
    let gone = |_: u32| position(by_age("0s")["floor"].as_str().unwrap()) > 0;
    assert!((0..1_000).any(gone), "nothing was dropped");
    let now = head(&place);
    let both = [&trim[..], &["1h", "--before", &now]].concat();
    assert_eq!(place.run(&both).code, Some(2));
}

#[test]
fn o21_an_export_of_the_server_has_a_file_a_filter_a_form_and_a_recovery() {
    let (place, server) = scene();
    emit(&place, "tool_started");
    stop(server);
    let config = |recovery: &str| {
        let text = format!(
            "[[exports]]\npool = 'p'\nconsumer = 'tools'\nto = 'file:tools.jsonl'\n\
             filter = 'kind == \"tool_started\"'\nformat = 'cloudevents'\non_stale = '{recovery}'\n"
        );
        place.write("serve.toml", text);
        ["--config", "serve.toml"]
    };
    let until = |count: usize, server: &Running| {
        let is_there = |_: u32| {
            head(&place);
            lines(&place, "tools.jsonl").len() >= count
        };
        assert!((0..1_000).any(is_there), "{} exports nothing", server.id());
        let lines = lines(&place, "tools.jsonl");
        assert_eq!(lines.len(), count);
        for line in lines {
            assert_eq!(line["specversion"], "1.0");
            assert_eq!(line["type"], "heronry.tool_started");
        }
    };
    let server = place.serve(&config("fail"));
    until(1, &server);
    stop(server);

    // Nobody exports while a record of it is dropped.
    let server = place.serve(&[]);
    emit(&place, "tool_started");
    let before = head(&place);
    emit(&place, "tool_started");
    trim(&place, &before, &["--force"]).ok();
    stop(server);
    let failing = [&["serve", "--listen", "127.0.0.1:0"][..], &config("fail")].concat();
    let failing = place.run(&failing);
    assert_eq!(failing.code, Some(1), "{failing:?}");
    for part in ["export tools of pool p", "trimmed"] {
        assert!(failing.err.contains(part), "no {part:?} in {failing:?}");
    }
    let server = place.serve(&config("restart_at_floor"));
    until(2, &server);
    stop(server);
}

#[test]
fn o23_consumers_go_along_with_a_backup_and_go_on_behind_what_they_had() {
    let (place, server) = scene();
    export(&place, "audit", &[]);
    emit(&place, "tool_started");
    let [kept] = &consumers(&place)[..] else {
        panic!("one consumer");
    };
    place.run(&["backup", "kept"]).ok();
    // What comes after the backup is not in it.
    export(&place, "audit", &[]);
    let last = position(&head(&place));
    stop(server);
    fs::rename(place.at("audit.jsonl"), place.at("before.jsonl")).unwrap();
    place.run(&["restore", "kept", "--data-dir", "new"]).ok();
    let other = ["--data-dir", "new"];
    let listed = ["--pool", "p", "--json", "consumers", "list"];
    let server = place.serve(&other);
    let listed = place.run(&[&other[..], &listed].concat()).json();
    let [restored] = &listed["consumers"].as_array().unwrap()[..] else {
        panic!("{listed}");
    };
    for field in ["name", "cursor", "filter", "committed_at"] {
        assert_eq!(restored[field], kept[field], "{field}");
    }
    let export = [
        "--pool",
        "p",
        "--json",
        "export",
        "--to",
        "file:audit.jsonl",
    ];
    let named = ["--consumer", "audit"];
    let exported = place.run(&[&other[..], &export, &named].concat()).json();
    // The event that was behind it, and the start of the new timeline.
    assert_eq!(exported["exported"], 2, "{exported}");
    assert_eq!(positions(&place, "audit.jsonl"), [last, last + 1]);
    stop(server);
}
