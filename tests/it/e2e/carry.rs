//! `heronry store copy` and `heronry journal export|import`: between the stores that keep files.

use serde_json::json;

use heronry_tests::process::{Folder, Said, said};

/// A store of this kind with two pools and a message, closed; returns how it is named.
fn stored(place: &Folder, name: &str) -> String {
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
fn pools(place: &Folder, name: &str) -> Vec<(String, String)> {
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
        let place = Folder::new();
        stored(&place, from);
        let before = pools(&place, from);
        let moved = place
            .run(&["store", "copy", from, to, "--move", "--json"])
            .json();
        assert_eq!(moved["pools"][0]["pool"], "p");
        assert_eq!(moved["pools"][0]["contents"], 1);
        assert_eq!(moved.get("invalid"), None, "tokens go along");
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

/// Checks that a command says that names came from elsewhere, and that tokens did not.
#[track_caller]
fn check_tokens_stay_behind(said: &Said) {
    assert!(
        said.err.contains("member tokens are not valid here") && said.err.lines().count() == 1,
        "{said:?}"
    );
}

#[test]
fn a47_a_copy_and_an_import_start_an_epoch_of_their_own() {
    for (from, to) in KINDS {
        let place = Folder::new();
        stored(&place, from);
        let before = pools(&place, from);
        let copied = place.run(&["store", "copy", from, to]);
        check_tokens_stay_behind(&copied);
        let copied = copied.ok();
        assert!(copied.contains("2 pools copied"), "{copied}");
        let one = ["--pool", "q", "store", "copy", from, "redb:one", "--json"];
        let copied = place.run(&one);
        check_tokens_stay_behind(&copied);
        assert_eq!(copied.json()["invalid"], json!(["member_tokens"]));
        let exported = place.run(&["journal", "export", from, "--file", "lines", "--json"]);
        assert_eq!(exported.err, "");
        assert_eq!(exported.json()["pools"][1]["pool"], "q");
        let other = to.replace("to.", "imported.");
        let imported = place.run(&["journal", "import", "lines", "--store", &other]);
        check_tokens_stay_behind(&imported);
        let imported = imported.ok();
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

/// Copies or moves, and checks that it is refused.
#[track_caller]
fn refused(place: &Folder, arguments: &[&str], code: i32, why: &str) {
    let all = [&["store", "copy"], arguments].concat();
    place.run(&all).refused(code, why);
}

#[test]
fn a_copy_that_is_refused_is_said_in_one_line_and_changes_nothing() {
    let place = Folder::new();
    let from = stored(&place, "redb:from.redb");
    place.run(&["store", "copy", &from, "sled:to.sled"]).ok();
    place.write("other", "not a store");
    for moves in [&["--move"][..], &[]] {
        let check = |from: &str, to: &str, code, why| {
            refused(&place, &[&[from, to], moves].concat(), code, why);
        };
        check("redb:from.redb", "redb:from.redb", 1, "onto itself");
        check("redb:from.redb", "from.redb", 1, "onto itself");
        check(
            "redb:from.redb",
            "sled:to.sled",
            1,
            "pool p is there already",
        );
        check("redb:none.redb", "redb:new.redb", 1, "none.redb");
        check("redb:from.redb", "redb:other", 6, "not a Heronry store");
        check("redb:other", "redb:new.redb", 6, "not a Heronry store");
        assert!(!place.at("new.redb").exists());
        assert_eq!(std::fs::read(place.at("other")).unwrap(), b"not a store");
    }
    let usage = place.run(&["store", "copy", "memory", "redb:x"]);
    assert_eq!(usage.code, Some(2), "{usage:?}");
    let usage = place.run(&["--pool", "p", "store", "copy", &from, "redb:x", "--move"]);
    usage.refused(2, "a store is moved whole");
    assert!(!place.at("x").exists());
}

#[test]
fn a_store_in_use_is_neither_copied_nor_written() {
    let place = Folder::new();
    let from = stored(&place, "redb:from.redb");
    let server = place.serve(&["--store", "redb:busy.redb"]);
    let why = "another process has it open";
    refused(&place, &[&from, "redb:busy.redb"], 1, why);
    refused(&place, &["redb:busy.redb", "redb:new.redb"], 1, why);
    assert!(!place.at("new.redb").exists());
    drop(server);
}

#[test]
fn an_import_that_is_refused_is_said_in_one_line_and_changes_nothing() {
    let place = Folder::new();
    let from = stored(&place, "redb:from.redb");
    let export = ["journal", "export", &from, "--file", "lines"];
    let text = place.run(&export).ok();
    assert!(text.contains("2 pools exported"), "{text}");
    place.run(&export).refused(1, "lines");
    let check = |file: &str, to: &str, code, why| {
        let import = ["journal", "import", file, "--store", to];
        place.run(&import).refused(code, why);
    };
    check("lines", &from, 1, "pool p is there already");
    let lines = std::fs::read_to_string(place.at("lines")).unwrap();
    place.write("changed", lines.replace("m-1", "m-2"));
    check("changed", "redb:new.redb", 6, "pool p, position");
    place.write("cut", &lines[..lines.len() / 2]);
    check("cut", "sled:new.sled", 6, "line");
    check("/dev/null", "redb:new.redb", 1, "is not a file");
    check("no-such-file", "redb:new.redb", 1, "no-such-file");
    assert!(!place.at("new.redb").exists() && !place.at("new.sled").exists());
}

#[test]
fn a_damaged_source_is_not_copied() {
    let place = Folder::new();
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
