//! A store is copied while its server runs, and put back: each pool is a prefix of its journal, and goes on in
//! a new epoch unless it is a move.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use heronry_tests::process::{Folder, Running};
use heronry_types::Cursor;
use serde_json::Value;

/// The stores that keep files.
const STORES: [&str; 2] = ["redb:store.redb", "sled:store.sled"];

/// The backups that are made while members send.
const BACKUPS: [&str; 3] = ["one", "two", "three"];

const WRITERS: usize = 8;

fn stop(server: Running) {
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

fn head(place: &Folder, data_dir: &[&str]) -> Cursor {
    let show = ["--pool", "p", "pool", "show", "--field", "head"];
    let head = place.run(&[data_dir, &show[..]].concat()).ok();
    head.trim().parse().unwrap()
}

/// Serves a store with two pools.
fn served(place: &Folder, store: &str) -> Running {
    let server = place.serve(&["--store", store]);
    for pool in ["p", "q"] {
        place.run(&["pool", "open", pool]).ok();
        place.run_as(pool, "reader", &["join"]).ok();
        for writer in 0..WRITERS {
            place.run_as(pool, &format!("w{writer}"), &["join"]).ok();
        }
    }
    server
}

/// Lets a run of both pools send until it is told to stop.
fn write(place: &Folder, run: &str, is_over: &AtomicBool) {
    let mut number = 0;
    while !is_over.load(Ordering::Acquire) {
        for pool in ["p", "q"] {
            let body = format!("{run} says {number}");
            let send = ["send", "--to", "run:reader", "--body", &body];
            place.run_as(pool, run, &send).ok();
        }
        number += 1;
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Returns the files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Checks that a backup is its owner's alone, and has no secret in it.
fn check_private(place: &Folder, backup: &str) {
    let folder = place.at(backup);
    assert_eq!(mode(&folder), 0o700);
    let names = ["backup.json", "store.redb"].map(|name| folder.join(name));
    assert_eq!(files(&folder), names);
    for secret in ["operator.token", "token.key"] {
        let secret = fs::read_to_string(place.at(".heronry").join(secret)).unwrap();
        for file in files(&folder) {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
            let bytes = fs::read(&file).unwrap();
            let found = bytes
                .windows(secret.trim().len())
                .any(|window| window == secret.trim().as_bytes());
            assert!(!found, "a secret is in {}", file.display());
        }
    }
}

/// Returns the lines of chunks and records of a pool.
fn lines(place: &Folder, pool: &str, store: &str) -> Vec<String> {
    let export = ["--pool", pool, "journal", "export", "--no-bodies", store];
    let lines = place.run(&export).ok();
    let lines = lines.lines().filter(|line| !line.starts_with("{\"end\""));
    lines.map(str::to_owned).collect()
}

/// Checks that each pool of a backup is a prefix of its journal; returns how many lines of `p` it has.
fn check_prefix(place: &Folder, backup: &str, store: &str) -> usize {
    let kept = format!("redb:{backup}/store.redb");
    let verified = place.run(&["journal", "verify", &kept, "--json"]).json();
    let made: Value =
        serde_json::from_slice(&fs::read(place.at(backup).join("backup.json")).unwrap()).unwrap();
    assert_eq!(verified["pools"], made["pools"]);
    let [p, q] = ["p", "q"].map(|pool| {
        let (part, whole) = (lines(place, pool, &kept), lines(place, pool, store));
        assert!(part.len() < whole.len(), "{pool}: nothing came after it");
        assert_eq!(part, whole[..part.len()], "{pool}");
        part.len()
    });
    assert!(q > 0);
    p
}

#[test]
fn o23_a_backup_while_eight_writers_send_is_a_prefix_of_each_pool_and_opens_elsewhere() {
    for store in STORES {
        let place = Folder::new();
        let server = served(&place, store);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (place, is_over) = (&place, &is_over);
                scope.spawn(move || write(place, &format!("w{writer}"), is_over));
            }
            for backup in BACKUPS {
                place.run(&["backup", backup]).ok();
            }
            is_over.store(true, Ordering::Release);
        });
        place
            .run_as("p", "w0", &["send", "--to", "run:reader", "--body", "last"])
            .ok();
        place
            .run_as("q", "w0", &["send", "--to", "run:reader", "--body", "last"])
            .ok();
        let newest = head(&place, &[]);
        stop(server);
        let mut before = 0;
        for backup in BACKUPS {
            check_private(&place, backup);
            let lines = check_prefix(&place, backup, store);
            assert!(lines > before, "{backup} has more than the one before");
            before = lines;
        }

        let kept = "redb:three/store.redb";
        let kept = place.run(&["journal", "verify", kept, "--json"]).json();
        let kept = kept["pools"][0]["head"].as_u64().unwrap();
        for (target, is_move) in [("new", false), ("moved", true)] {
            let elsewhere = ["--data-dir", target];
            let mut restore = vec!["restore", "three", "--data-dir", target];
            restore.extend(is_move.then_some("--move"));
            place.run(&restore).ok();
            let server = place.serve(&elsewhere);
            let now = head(&place, &elsewhere);
            assert_eq!(now.epoch == newest.epoch, is_move, "{target}");
            assert_eq!(now.position.0, kept + u64::from(!is_move));
            let lost = newest.to_string();
            let watch = ["--pool", "p", "watch", "--from", &lost];
            let watched = place.run(&[&elsewhere[..], &watch].concat());
            let why = if is_move {
                "cursor-ahead"
            } else {
                "cursor-foreign"
            };
            watched.refused(3, why);
            stop(server);
        }
    }
}

#[test]
fn o23_member_tokens_outlive_a_restore_where_the_key_goes_along() {
    let place = Folder::new();
    let server = served(&place, STORES[0]);
    let joined = place.run_as("p", "guest", &["join", "--json"]).json();
    let token = joined["member_token"].as_str().unwrap();
    place.run(&["backup", "without"]).ok();
    place.run(&["backup", "with", "--with-keys"]).ok();
    assert!(!place.at("with/operator.token").exists());
    assert_eq!(mode(&place.at("with/token.key")), 0o600);
    stop(server);
    for (backup, is_good) in [("without", false), ("with", true)] {
        let target = format!("new-{backup}");
        let elsewhere = ["--data-dir", target.as_str()];
        place.run(&["restore", backup, "--data-dir", &target]).ok();
        let server = place.serve(&elsewhere);
        let heartbeat = ["--data-dir", &target, "--token", token, "heartbeat"];
        let said = place.run(&heartbeat);
        assert_eq!(said.code, Some(if is_good { 0 } else { 3 }), "{said:?}");
        stop(server);
    }
    // A server on it would draw another key, so one that is there is not written over.
    place.private("other");
    place.write_secret("other/token.key", "0".repeat(64));
    let restore = ["restore", "with", "--data-dir", "other"];
    place.run(&restore).refused(1, "another token.key");
    assert!(!place.at("other/store.redb").exists());
}

#[test]
fn o23_a_backup_without_a_server_is_of_the_store_that_is_there_or_named() {
    let place = Folder::new();
    stop(place.serve(&[]));
    place.run(&["backup", "empty"]).ok();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    place.run(&["backup", "served"]).ok();
    // Nobody takes the data directory of a server that ended in disorder for one that runs.
    server.kill();
    place.run(&["backup", "killed"]).ok();
    let named = place.run(&[
        "backup",
        "named",
        "--store",
        ".heronry/store.redb",
        "--json",
    ]);
    let named = named.json();
    for backup in ["served", "killed"] {
        let made = fs::read(place.at(backup).join("backup.json")).unwrap();
        let made: Value = serde_json::from_slice(&made).unwrap();
        assert_eq!(made["pools"], named["pools"], "{backup}");
    }
    place
        .run(&["restore", "empty", "--store", "sled:empty.sled"])
        .ok();
    let verified = place.run(&["journal", "verify", "sled:empty.sled", "--json"]);
    assert_eq!(verified.json()["pools"], serde_json::json!([]));
}

#[test]
fn a_backup_goes_into_a_new_folder_or_nowhere() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.write("taken/something", "x");
    place.write("file", "x");
    std::os::unix::fs::symlink(place.at("nowhere"), place.at("link")).unwrap();
    let before = files(place.path());
    for (dir, why) in [
        ("taken", "not empty"),
        ("file", "no folder"),
        ("link", "no folder"),
        ("missing/inner", "missing"),
        (".", "."),
    ] {
        place.run(&["backup", dir]).refused(1, why);
    }
    let absent = ["--data-dir", "absent", "backup", "b", "--with-keys"];
    place.run(&absent).refused(1, "token.key");
    assert_eq!(files(place.path()), before, "nothing is left");
    place.private("empty");
    place.run(&["--pool", "absent", "backup", "empty"]).ok();
    stop(server);
}

/// Makes a backup bad in one way.
fn spoil(place: &Folder, way: &str) {
    let (manifest, store) = (place.at("bad/backup.json"), place.at("bad/store.redb"));
    let text = fs::read_to_string(&manifest).unwrap();
    match way {
        "no manifest" => fs::remove_file(manifest).unwrap(),
        "no store" => fs::remove_file(store).unwrap(),
        "no key" => fs::remove_file(place.at("bad/token.key")).unwrap(),
        "another key" => fs::write(place.at("bad/token.key"), "0".repeat(64)).unwrap(),
        "newer" => fs::write(manifest, text.replace("\"version\": 1", "\"version\": 2")).unwrap(),
        "another time" => {
            let other = text.replace("\"made_at\": \"2", "\"made_at\": \"3");
            assert_ne!(other, text);
            fs::write(manifest, other).unwrap();
        }
        "another store" => {
            fs::copy(place.at("other/store.redb"), store).unwrap();
        }
        "cut" => {
            let bytes = fs::read(&store).unwrap();
            fs::write(store, &bytes[..bytes.len() / 2]).unwrap();
        }
        "a flipped bit" => {
            let mut bytes = fs::read(&store).unwrap();
            let mark = b"body to find";
            let at = bytes.windows(mark.len()).position(|it| it == mark);
            bytes[at.unwrap()] ^= 1;
            fs::write(store, bytes).unwrap();
        }
        way => panic!("{way}"),
    }
}

#[test]
fn a_bad_backup_is_refused_by_what_is_wrong_with_it_and_nothing_is_written() {
    let place = Folder::new();
    let server = served(&place, STORES[0]);
    place.run(&["backup", "other"]).ok();
    place
        .run_as(
            "p",
            "w0",
            &["send", "--to", "run:w1", "--body", "body to find"],
        )
        .ok();
    for (way, code, why) in [
        ("no manifest", 6, "there is no bad/backup.json"),
        ("no store", 6, "store.redb is missing"),
        ("no key", 6, "token.key is missing"),
        ("another key", 6, "token.key is damaged"),
        ("newer", 1, "use a newer build"),
        ("another time", 6, "backup.json is damaged"),
        ("another store", 6, "does not hold pool p"),
        ("cut", 6, "damaged"),
        ("a flipped bit", 6, "damaged"),
    ] {
        place.run(&["backup", "bad", "--with-keys"]).ok();
        spoil(&place, way);
        let refused = place.run(&["restore", "bad", "--data-dir", "new"]);
        assert_eq!(refused.code, Some(code), "{way}: {refused:?}");
        assert!(refused.err.contains(why), "{way}: {refused:?}");
        assert!(!place.at("new").exists(), "{way}");
        fs::remove_dir_all(place.at("bad")).unwrap();
    }
    place.run(&["backup", "good"]).ok();
    place
        .run(&["restore", "good", "--store", "there.redb"])
        .ok();
    let kept = fs::read(place.at("there.redb")).unwrap();
    let again = place.run(&["restore", "good", "--store", "there.redb"]);
    again.refused(1, "is there already");
    assert!(fs::read(place.at("there.redb")).unwrap() == kept);
    // The data directory of a server that runs is not restored into.
    place.run(&["restore", "good"]).refused(1, "owner");
    stop(server);
}
