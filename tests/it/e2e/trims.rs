//! A journal that was trimmed: it is kept short again and again, and its file can be looked at.

use std::fs;

use heronry_tests::process::{Folder, Running, Said};
use serde_json::Value;

/// The stores that keep files.
const STORES: [&str; 2] = ["redb:store.redb", "sled:store.sled"];

/// The parts of a journal: positions from the oldest that is kept to the head.
struct Kept {
    floor: u64,
    head: u64,
}

fn emit(place: &Folder, count: usize) {
    for _ in 0..count {
        place.run_as("p", "a", &["emit", "tool_started"]).ok();
    }
}

fn position(cursor: &str) -> u64 {
    cursor.trim().rsplit('-').next().unwrap().parse().unwrap()
}

fn head(place: &Folder) -> String {
    let head = place.run(&["pool", "show", "p", "--field", "head"]).ok();
    head.trim().to_owned()
}

/// Serves a store whose pool is trimmed twice, with a snapshot right after each trim.
fn trimmed(place: &Folder, store: &str) -> (Running, Kept) {
    let server = place.serve(&["--store", store]);
    place.run(&["pool", "open", "p"]).ok();
    place.run_as("p", "a", &["join"]).ok();
    let mut floor = 0;
    for _ in 0..2 {
        emit(place, 3);
        let before = head(place);
        emit(place, 3);
        let trim = ["--pool", "p", "journal", "trim", "--before", &before];
        place.run(&trim).ok();
        place.run(&["--pool", "p", "journal", "snapshot"]).ok();
        floor = position(&before) + 1;
    }
    let head = position(&head(place));
    (server, Kept { floor, head })
}

#[test]
fn o18_a_trimmed_journal_is_shown_from_its_oldest_record_and_told_so() {
    for store in STORES {
        let place = Folder::new();
        let (server, kept) = trimmed(&place, store);
        server.signal("TERM");
        assert_eq!(server.end().code, Some(0));
        let show = ["--pool", "p", "journal", "show", store, "--json"];
        let shown = place.run(&show);
        let told = format!("were trimmed; the oldest kept is {}", kept.floor);
        assert!(shown.err.contains(&told), "{shown:?}");
        let out = shown.ok();
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        let positions: Vec<u64> = lines
            .map(|line: Value| line["position"].as_u64().unwrap())
            .collect();
        assert_eq!(positions, (kept.floor..=kept.head).collect::<Vec<_>>());
        // Who asks for what is kept is told nothing.
        let after = (kept.floor - 1).to_string();
        let rest = place.run(&[&show[..], &["--after", &after]].concat());
        assert_eq!(rest.err, "", "{rest:?}");
        let stats = place.run(&["journal", "stats", store, "--json"]).json();
        assert_eq!(stats["pools"][0]["records"], kept.head + 1 - kept.floor);
        place.run(&["journal", "verify", store]).ok();
        let export = ["journal", "export", store, "--file", "lines"];
        place.run(&export).ok();
        let lines = fs::read_to_string(place.at("lines")).unwrap();
        let keys = lines.lines().filter(|line| line.starts_with(r#"{"keys""#));
        assert_eq!(keys.count(), 1, "{store}");
        // A store that was trimmed twice and looked at goes on.
        let again = place.serve(&["--store", store]);
        place.run(&["--pool", "p", "journal", "snapshot"]).ok();
        drop(again);
    }
}

/// Sends the message that was sent first of all.
fn say(place: &Folder) -> Said {
    let send = ["send", "--to", "run:a", "--body", "words", "--key", "k"];
    place.run_as("p", "a", &send)
}

/// Checks that the message is not sent a second time, now that it is trimmed.
fn is_told_apart(place: &Folder) {
    let before = head(place);
    let said = say(place);
    assert!(said.err.contains("cursor-trimmed"), "{said:?}");
    assert_eq!(head(place), before);
}

#[test]
fn o23_a_trimmed_pool_is_backed_up_restored_archived_and_imported_with_its_keys() {
    for store in STORES {
        let place = Folder::new();
        let server = place.serve(&["--store", store]);
        place.run(&["pool", "open", "p"]).ok();
        place.run_as("p", "a", &["join"]).ok();
        say(&place).ok();
        // Whoever leaves has no messages any more.
        place.run_as("p", "a", &["leave"]).ok();
        place.run_as("p", "a", &["join"]).ok();
        emit(&place, 3);
        let before = head(&place);
        emit(&place, 3);
        let trim = ["--pool", "p", "journal", "trim", "--before", &before];
        place.run(&trim).ok();
        is_told_apart(&place);
        place.run(&["backup", "kept"]).ok();
        place.run_as("p", "a", &["leave"]).ok();
        place.run(&["pool", "archive", "p", "--to", "p.jsonl"]).ok();
        server.signal("TERM");
        assert_eq!(server.end().code, Some(0));

        let restored = store.replace("store.", "restored.");
        place.run(&["restore", "kept", "--store", &restored]).ok();
        let server = place.serve(&["--store", &restored]);
        place.run_as("p", "a", &["join"]).ok();
        is_told_apart(&place);
        server.signal("TERM");
        assert_eq!(server.end().code, Some(0));

        let imported = store.replace("store.", "imported.");
        let import = ["journal", "import", "p.jsonl", "--store", &imported];
        place.run(&import).ok();
        let _server = place.serve(&["--store", &imported]);
        place.run_as("p", "a", &["join"]).ok();
        is_told_apart(&place);
    }
}
