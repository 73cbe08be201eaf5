//! `heronry journal verify`: every body that a record or a row names is there, and has its digest.

use std::fs;

use heronry_tests::process::Folder;

/// A store with two messages, one body that a message took up later, and one that nobody has named.
fn stored(store: &str) -> Folder {
    let place = Folder::new();
    let server = place.serve(&["--store", store]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    let run = |verb: &[&str]| {
        let line = [&["--pool", "p", "--run", "a"], verb].concat();
        place.run(&line).ok();
    };
    fs::write(place.at("alone"), "needle-that-is-alone ".repeat(100)).unwrap();
    run(&["contents", "put", "--file", "alone"]);
    for body in ["first", "second"] {
        run(&["send", "--to", "run:b", "--body", body]);
    }
    // One that is too large to ride with its message is stored by itself first.
    fs::write(place.at("named"), "needle-that-is-named ".repeat(15_000)).unwrap();
    run(&["send", "--to", "run:b", "--file", "named"]);
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    place
}

#[test]
fn a_flip_in_a_body_that_was_stored_by_itself_is_found() {
    for needle in ["needle-that-is-named", "needle-that-is-alone"] {
        let place = stored("redb:s.redb");
        place.run(&["journal", "verify", "s.redb"]).ok();
        let flipped = heronry_testkit::flip_copies(&place.at("s.redb"), needle.as_bytes());
        assert!(flipped.unwrap() > 0);
        let said = place.run(&["journal", "verify", "s.redb", "-q"]);
        said.refused(6, "pool p, first bad position");
        said.refused(6, "digest");
    }
}

#[test]
fn a_flip_in_a_body_is_found_on_sled() {
    for needle in ["needle-that-is-named", "needle-that-is-alone"] {
        let place = stored("sled:s.sled");
        let before = fs::read(place.at("s.sled/db")).unwrap();
        let report = place
            .run(&["journal", "verify", "sled:s.sled", "--json"])
            .json();
        assert_eq!(report["pools"][0]["contents"], 4, "{report}");
        assert!(fs::read(place.at("s.sled/db")).unwrap() == before);
        let flipped = heronry_testkit::flip_copies(&place.at("s.sled/db"), needle.as_bytes());
        assert!(flipped.unwrap() > 0);
        place
            .run(&["journal", "verify", "sled:s.sled", "-q"])
            .refused(6, "damaged");
    }
}

/// Imports what is left of an export without some of its bodies.
fn without(place: &Folder, is_left: impl Fn(&str) -> bool, contents: u64) {
    let exported = place.run(&["journal", "export", "s.redb"]).ok();
    let is_body = |line: &str| line.starts_with(r#"{"content""#);
    let lines = exported
        .lines()
        .filter(|line| !is_body(line) || is_left(line));
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    let end = lines.last_mut().unwrap();
    *end = end.replace(r#""contents":4"#, &format!(r#""contents":{contents}"#));
    fs::write(place.at("cut.jsonl"), lines.join("\n") + "\n").unwrap();
    place
        .run(&["journal", "import", "cut.jsonl", "--store", "cut.redb"])
        .ok();
}

#[test]
fn a_body_that_is_missing_is_named_by_the_record_that_names_it() {
    let place = stored("redb:s.redb");
    without(&place, |line| line.contains("append"), 2);
    let said = place.run(&["journal", "verify", "cut.redb", "-q"]);
    said.refused(6, "pool p, first bad position");
    said.refused(6, "is missing, and so 2 bodies of later records");
}

#[test]
fn bodies_that_were_left_out_of_an_export_are_counted_and_no_damage() {
    let place = stored("redb:s.redb");
    without(&place, |_| false, 0);
    let report = place
        .run(&["journal", "verify", "cut.redb", "--json"])
        .json();
    let pool = &report["pools"][0];
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(
        (&pool["contents"], &pool["contents_left_out"]),
        (&0.into(), &5.into())
    );
}
