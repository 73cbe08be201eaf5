//! `heronry store copy` and `heronry journal export|import`: between the stores that keep files.

use std::path::Path;

use crate::support::{Place, said};

/// A store of this kind with two pools and a message, closed; returns how it is named.
fn stored(place: &Place, name: &str) -> String {
    let server = place.serve(&["--store", name]);
    for pool in ["p", "q"] {
        place.run(&["pool", "open", pool]).ok();
    }
    for run in ["a", "b"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    let send = ["--pool", "p", "--run", "a", "send", "--to", "run:b"];
    let what = ["--id", "m-1", "--body", "the body of it"];
    place.run(&[&send[..], &what[..]].concat()).ok();
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    name.to_owned()
}

/// Returns the pools of a store with their heads, without the epoch.
fn pools(place: &Place, name: &str) -> Vec<(String, String)> {
    let stats = place
        .run(&["journal", "stats", name, "--field", "pool,head"])
        .ok();
    let rows = stats.lines().map(|row| {
        let (pool, head) = row.split_once('\t').unwrap();
        (pool.to_owned(), head.to_owned())
    });
    rows.collect()
}

const KINDS: [(&str, &str); 4] = [
    ("redb:from.redb", "sled:to.sled"),
    ("sled:from.sled", "redb:to.redb"),
    ("redb:from.redb", "redb:to.redb"),
    ("sled:from.sled", "sled:to.sled"),
];

#[test]
fn a47_a_store_is_moved_and_the_server_goes_on_with_the_new_one() {
    for (from, to) in KINDS {
        let place = Place::new();
        stored(&place, from);
        let before = pools(&place, from);
        let moved = place
            .run(&["store", "copy", from, to, "--move", "--json"])
            .json();
        assert_eq!(moved["pools"][0]["pool"], "p");
        assert_eq!(moved["pools"][0]["contents"], 1);
        assert_eq!(pools(&place, to), before, "the same cursors");

        let name = to.split_once(':').unwrap().1;
        let there = place.at(name);
        let refused = place.run(&["serve", "--store", from, "--listen", "127.0.0.1:0"]);
        refused.refused(1, &there.canonicalize().unwrap().display().to_string());
        // Tools still look at it.
        assert_eq!(pools(&place, from), before);
        assert_eq!(
            place.run(&["journal", "verify", from, "--json"]).json()["ok"],
            true
        );
        assert_eq!(
            place.run(&["journal", "verify", to, "--json"]).json()["ok"],
            true
        );

        let server = place.serve(&["--store", to]);
        let item = ["--pool", "p", "--run", "b", "inbox", "--bodies", "--json"];
        let inbox = place.run(&item).ok();
        assert!(inbox.contains("the body of it"), "{inbox}");
        server.signal("TERM");
        assert_eq!(server.end().code, Some(0));
        // The same move again changes nothing, and a move elsewhere is refused.
        place
            .run(&["store", "copy", from, "redb:third.redb", "--move"])
            .refused(1, "were moved to");
        assert!(!place.at("third.redb").exists());
    }
}

#[test]
fn a47_a_copy_and_an_import_start_an_epoch_of_their_own() {
    for (from, to) in KINDS {
        let place = Place::new();
        stored(&place, from);
        let before = pools(&place, from);
        let copied = place.run(&["store", "copy", from, to]).ok();
        assert!(copied.contains("2 pools copied"), "{copied}");
        let exported = place.run(&["journal", "export", from, "--file", "lines", "--json"]);
        assert_eq!(exported.json()["pools"][1]["pool"], "q");
        let other = to.replace("to.", "imported.");
        let imported = place
            .run(&["journal", "import", "lines", "--store", &other])
            .ok();
        assert!(imported.contains("2 pools imported"), "{imported}");
        assert_eq!(pools(&place, from), before, "the source is as it was");
        for name in [to, &other] {
            let show = ["--pool", "p", "journal", "show", name, "--field", "kind"];
            let kinds = place.run(&show).ok();
            assert_eq!(kinds.lines().last(), Some("agent_pool_epoch_started"));
            for ((_, old), (_, new)) in before.iter().zip(pools(&place, name)) {
                assert_ne!(
                    old.split_once('-').unwrap().0,
                    new.split_once('-').unwrap().0
                );
            }
        }
        let one = place
            .run(&["--pool", "q", "journal", "export", from, "--no-bodies"])
            .ok();
        assert!(
            one.lines().all(|line| !line.contains("\"pool\":\"p\"")),
            "{one}"
        );
    }
}

/// Returns the bytes of every file under a path.
fn bytes_of(path: &Path) -> Vec<(String, Vec<u8>)> {
    if path.is_file() {
        return vec![(path.display().to_string(), std::fs::read(path).unwrap())];
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).into_iter().flatten() {
        files.extend(bytes_of(&entry.unwrap().path()));
    }
    files.sort();
    files
}

#[test]
fn what_is_refused_is_said_in_one_line_and_changes_nothing() {
    let place = Place::new();
    let from = stored(&place, "redb:from.redb");
    place.run(&["store", "copy", &from, "sled:to.sled"]).ok();
    let refused = |arguments: &[&str], code: i32, why: &str| {
        place
            .run(&[&["store", "copy"], arguments].concat())
            .refused(code, why);
    };
    for moves in [&["--move"][..], &[]] {
        let with = |stores: [&'static str; 2]| [&stores[..], moves].concat();
        refused(
            &with(["redb:from.redb", "redb:from.redb"]),
            1,
            "onto itself",
        );
        refused(&with(["redb:from.redb", "from.redb"]), 1, "onto itself");
        refused(
            &with(["redb:from.redb", "sled:to.sled"]),
            1,
            "pool p is there already",
        );
        refused(&with(["redb:none.redb", "redb:new.redb"]), 1, "none.redb");
        assert!(!place.at("new.redb").exists());
        place.write("other", "not a store");
        refused(
            &with(["redb:from.redb", "redb:other"]),
            6,
            "not a Heronry store",
        );
        refused(
            &with(["redb:other", "redb:new.redb"]),
            6,
            "not a Heronry store",
        );
        assert_eq!(bytes_of(&place.at("other"))[0].1, b"not a store");
    }
    let usage = place.run(&["store", "copy", "memory", "redb:x"]);
    assert_eq!(usage.code, Some(2), "{usage:?}");
    let usage = place.run(&["--pool", "p", "store", "copy", &from, "redb:x", "--move"]);
    usage.refused(2, "a store is moved whole");
    assert!(!place.at("x").exists());

    // In use, on either side.
    let server = place.serve(&["--store", "redb:busy.redb"]);
    refused(
        &["redb:from.redb", "redb:busy.redb"],
        1,
        "another process has it open",
    );
    refused(
        &["redb:busy.redb", "redb:new.redb"],
        1,
        "another process has it open",
    );
    assert!(!place.at("new.redb").exists());
    drop(server);

    let text = place
        .run(&["journal", "export", &from, "--file", "lines"])
        .ok();
    assert!(text.contains("2 pools exported"), "{text}");
    place
        .run(&["journal", "export", &from, "--file", "lines"])
        .refused(1, "lines");
    place
        .run(&["journal", "import", "lines", "--store", &from])
        .refused(1, "pool p is there already");
    let lines = std::fs::read_to_string(place.at("lines")).unwrap();
    place.write("changed", lines.replace("m-1", "m-2"));
    place
        .run(&["journal", "import", "changed", "--store", "redb:new.redb"])
        .refused(6, "pool p, position");
    place.write("cut", &lines[..lines.len() / 2]);
    place
        .run(&["journal", "import", "cut", "--store", "sled:new.sled"])
        .refused(6, "line");
    assert!(!place.at("new.redb").exists() && !place.at("new.sled").exists());
    let piped = place.run(&["journal", "import", "/dev/null", "--store", "redb:new.redb"]);
    piped.refused(1, "is not a file");
}

#[test]
fn a_damaged_source_is_not_copied() {
    let place = Place::new();
    let from = stored(&place, "redb:from.redb");
    let file = place.at("from.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let needle = b"the body of it";
    let found = bytes.windows(needle.len()).enumerate();
    let places: Vec<usize> = found
        .filter_map(|(at, part)| (part == needle).then_some(at))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();
    for moves in [&["--move"][..], &[]] {
        let arguments = [&["store", "copy", from.as_str(), "redb:new.redb"], moves].concat();
        place.run(&arguments).refused(6, "pool p: ");
        assert!(!place.at("new.redb").exists());
    }
    let exported = said(&mut place.command(&["journal", "export", &from]));
    assert_eq!(exported.code, Some(6), "{exported:?}");
    // The source was not sealed.
    let server = place.serve(&["--store", &from]);
    drop(server);
}
