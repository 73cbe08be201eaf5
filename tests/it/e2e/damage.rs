//! `heronry journal`: reads a store that no server has open, and finds what is damaged.

use std::path::Path;

use heronry_tests::process::Folder;

/// A store with a pool, two members and one message whose id and body can be found in the file.
fn stored() -> Folder {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    let send = ["--pool", "p", "--run", "a", "send", "--to", "run:b"];
    let what = [
        "--id",
        "needle-of-the-record",
        "--body",
        "needle-of-the-body",
    ];
    place.run(&[&send[..], &what[..]].concat()).ok();
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    place
}

/// Flips one bit wherever the text stands in the file.
fn flip(file: &Path, text: &str) {
    let mut bytes = std::fs::read(file).unwrap();
    let size = text.len();
    let places: Vec<usize> = bytes
        .windows(size)
        .enumerate()
        .filter_map(|(at, part)| (part == text.as_bytes()).then_some(at))
        .collect();
    assert!(!places.is_empty(), "no {text:?} in the file");
    for at in places {
        bytes[at + size / 2] ^= 1;
    }
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_good_store_is_verified_counted_shown_and_exported() {
    let place = stored();
    let report = place.run(&["journal", "verify", "--json"]).json();
    assert_eq!(report["ok"], true);
    assert_eq!(report["pools"][0]["head"], 5);
    assert_eq!(report["pools"][0]["contents"], 1);
    let stats = place
        .run(&["journal", "stats", "--field", "pool,records"])
        .ok();
    assert_eq!(stats, "p\t5\n");
    let stats = place.run(&["journal", "stats", "--json"]).json();
    let [head, floor] = ["head", "floor"].map(|name| {
        let text = stats["pools"][0][name].as_str().unwrap();
        text.parse::<heronry_types::Cursor>().unwrap()
    });
    assert_eq!((floor.epoch, floor.position.0), (head.epoch, 0));
    let shown = place
        .run(&[
            "journal",
            "show",
            "--after",
            "3",
            "--field",
            "position,kind",
        ])
        .ok();
    assert_eq!(shown, "4\trun_message_accepted\n5\trun_message_delivered\n");
    let exported = place.run(&["journal", "export"]).ok();
    let count = |begin: &str| exported.lines().filter(|it| it.starts_with(begin)).count();
    let found = ["{\"chunk\"", "{\"position\"", "{\"content\"", "{\"end\""].map(count);
    assert_eq!(found, [4, 5, 1, 1]);
}

#[test]
fn a_damaged_record_is_named_by_its_position() {
    let place = stored();
    flip(&place.at(".heronry/store.redb"), "needle-of-the-record");
    let said = place.run(&["journal", "verify", "--quiet"]);
    said.refused(6, "pool p, position 4");
    place
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .refused(6, "pool p, position 4");
}

#[test]
fn a_damaged_body_is_named_by_the_position_of_its_message() {
    let place = stored();
    flip(&place.at(".heronry/store.redb"), "needle-of-the-body");
    let said = place.run(&["journal", "verify", "--quiet"]);
    said.refused(6, "pool p, first bad position 4");
}

#[test]
fn a_store_that_is_cut_is_damaged() {
    let place = stored();
    let file = place.at(".heronry/store.redb");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let said = place.run(&["journal", "verify"]);
    assert_eq!(said.code, Some(6), "{said:?}");
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
}

#[test]
fn a_file_that_cannot_be_opened_is_named_in_one_line() {
    let place = stored();
    let good = std::fs::read(place.at(".heronry/store.redb")).unwrap();
    // What kind of file it is, how large its pages are, and both of its latest commits.
    for at in [&[0][..], &[12], &[64, 192]] {
        let mut bytes = good.clone();
        for at in at {
            bytes[*at] ^= 0x55;
        }
        std::fs::write(place.at("bad.redb"), bytes).unwrap();
        for verb in ["verify", "stats", "show", "export"] {
            let said = place.run(&["journal", verb, "bad.redb", "-q"]);
            said.refused(6, "bad.redb");
        }
        let report = place.run(&["journal", "verify", "bad.redb", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
        assert_eq!(report["store"], "redb:bad.redb");
        assert!(report["first_bad"]["what"].is_string(), "{report}");
    }
}

#[test]
fn a_store_that_is_missing_or_in_use_is_not_called_damaged() {
    let place = Folder::new();
    let said = place.run(&["journal", "verify", "none.redb"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let _server = place.serve(&[]);
    place
        .run(&["journal", "verify"])
        .refused(1, "another process has it open");
    place
        .run(&["journal", "stats"])
        .refused(1, "another process has it open");
}
