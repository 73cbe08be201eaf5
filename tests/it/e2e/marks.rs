//! An older copy of a store that is put back, and a store that lost its end: verify says so, and a server
//! goes on in a new epoch, or refuses.

use std::path::Path;

use heronry_runtime::marks::Marks;
use heronry_types::{Cursor, PoolId};

use heronry_tests::process::{Folder, Running};

/// The stores that keep files.
const STORES: [&str; 2] = ["redb:store.redb", "sled:store.sled"];

fn path_of(store: &str) -> &str {
    store.split_once(':').unwrap().1
}

/// Serves a store with a pool and two members.
fn served(place: &Folder, store: &str) -> Running {
    let server = place.serve(&["--store", store]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    server
}

fn send(place: &Folder, text: &str) {
    let send = ["--pool", "p", "--run", "a", "send", "--to", "run:b"];
    place.run(&[&send[..], &["--body", text]].concat()).ok();
}

fn head(place: &Folder) -> Cursor {
    let head = place.run(&["pool", "show", "p", "--field", "head"]).ok();
    head.trim().parse().unwrap()
}

/// Returns the timelines of the pool, as `pool show` tells them.
fn timelines(place: &Folder) -> Vec<String> {
    let shown = place.run(&["pool", "show", "p"]).ok();
    let lines = shown.lines();
    let lines = lines.filter_map(|line| line.strip_prefix("timeline "));
    lines.map(str::to_owned).collect()
}

fn stop(server: Running) {
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

fn put_back(place: &Folder, from: &str, store: &str) {
    let there = place.at(path_of(store));
    if there.is_dir() {
        std::fs::remove_dir_all(&there).unwrap();
    }
    copy(&place.at(from), &there);
}

fn mark_of(place: &Folder, store: &str) -> std::path::PathBuf {
    place.at(&format!("{}.mark", path_of(store)))
}

fn marked(place: &Folder, store: &str) -> Option<Cursor> {
    let bytes = std::fs::read(mark_of(place, store)).ok()?;
    let at = Marks::decode(&bytes).of(&PoolId::parse("p").unwrap())?;
    Some(Cursor::new(at.epoch, at.position))
}

/// The end of a server before an older copy was put back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ServerEnd {
    Stopped,
    Killed,
}

/// Leaves a store under which an older copy was put back; returns the heads of both.
fn rolled_back(place: &Folder, store: &str, end: ServerEnd) -> (Cursor, Cursor) {
    let server = served(place, store);
    let older = head(place);
    stop(server);
    assert_eq!(marked(place, store), Some(older), "exact at a clean stop");
    copy(&place.at(path_of(store)), &place.at("backup"));
    let server = place.serve(&["--store", store]);
    for text in ["1", "2", "3"] {
        send(place, text);
    }
    let newer = head(place);
    match end {
        ServerEnd::Stopped => stop(server),
        ServerEnd::Killed => {
            assert_eq!(marked(place, store), Some(newer), "exact at every answer");
            server.kill();
        }
    }
    put_back(place, "backup", store);
    (older, newer)
}

#[test]
fn a_store_that_was_rolled_back_is_told_by_verify_and_goes_on_in_a_new_epoch() {
    for (store, end) in STORES
        .into_iter()
        .flat_map(|store| [ServerEnd::Stopped, ServerEnd::Killed].map(|end| (store, end)))
    {
        let place = Folder::new();
        let (older, newer) = rolled_back(&place, store, end);
        let verify = place.run(&["journal", "verify", store]);
        assert_eq!(verify.code, Some(6), "{verify:?}");
        for part in [
            "pool p",
            "rolled back",
            &older.to_string(),
            &newer.to_string(),
        ] {
            assert!(verify.err.contains(part), "no {part} in {verify:?}");
        }
        let serve = ["serve", "--listen", "127.0.0.1:0", "--store", store];
        let strict = place.run(&[&serve[..], &["--strict"]].concat());
        strict.refused(6, "without --strict");
        for part in ["pool p", &older.to_string(), &newer.to_string()] {
            assert!(strict.err.contains(part), "no {part} in {strict:?}");
        }
        // To look and to refuse changes nothing.
        assert_eq!(marked(&place, store), Some(newer));

        let server = place.serve(&["--store", store]);
        let now = head(&place);
        assert_eq!(now.position, older.position.next());
        assert_ne!(now.epoch, older.epoch);
        let first = format!("{} from 1 (created)", older.epoch);
        let lost = format!("(tail_lost, the head was {newer})");
        let second = format!("{} from {} {lost}", now.epoch, now.position);
        assert_eq!(timelines(&place), [first, second]);
        for text in ["4", "5", "6", "7"] {
            send(&place, text);
        }
        let lost = newer.to_string();
        let watch = ["--pool", "p", "watch", "--from", &lost];
        let read = place.run(&watch);
        assert_eq!(read.code, Some(3), "{read:?}");
        assert!(read.err.contains(&older.to_string()), "{read:?}");
        // Whoever stopped before it goes on.
        let kept = older.to_string();
        let watch = ["--pool", "p", "watch", "--from", &kept, "--field", "kind"];
        let kinds = place.run(&watch).ok();
        assert_eq!(kinds.lines().next(), Some("agent_pool_epoch_started"));
        assert_eq!(kinds.lines().count(), 9, "{kinds}");
        let end = {
            server.signal("TERM");
            server.end()
        };
        assert_eq!(end.code, Some(0));
        for part in ["rolled back", &newer.to_string(), &now.to_string()] {
            assert!(end.err.contains(part), "no {part} in the log: {end:?}");
        }
        let verify = place.run(&["journal", "verify", store, "--json"]).json();
        assert_eq!(verify["ok"], true);
        // Once is enough.
        stop(place.serve(&["--store", store, "--strict"]));
    }
}

#[test]
fn what_takes_the_mark_back_too_is_declared_by_the_operator() {
    for store in STORES {
        let place = Folder::new();
        let server = served(&place, store);
        let older = head(&place);
        stop(server);
        copy(&place.at(path_of(store)), &place.at("backup"));
        let mark = mark_of(&place, store);
        copy(&mark, &place.at("backup.mark"));
        let server = place.serve(&["--store", store]);
        send(&place, "lost");
        stop(server);
        put_back(&place, "backup", store);
        copy(&place.at("backup.mark"), &mark);
        let verify = place.run(&["journal", "verify", store]);
        assert_eq!(verify.code, Some(0), "nothing beside the image says it");
        let server = place.serve(&["--store", store, "--restored"]);
        let now = head(&place);
        assert_eq!(now.position, older.position.next());
        assert_ne!(now.epoch, older.epoch);
        let newest = format!("{} from {} (restore)", now.epoch, now.position);
        assert_eq!(timelines(&place).last(), Some(&newest));
        stop(server);
    }
    let place = Folder::new();
    let both = place.run(&["serve", "--strict", "--restored"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn a_job_does_not_start_on_a_store_that_was_rolled_back_when_it_is_told_so() {
    let place = Folder::new();
    rolled_back(&place, STORES[0], ServerEnd::Stopped);
    place.write("pool.toml", place.run(&["up", "--example"]).ok());
    let up = ["up", "pool.toml", "--store", STORES[0], "--strict"];
    place.run(&up).refused(6, "rolled back");
}

#[test]
fn a_server_that_is_killed_over_and_over_raises_no_alarm() {
    for store in STORES {
        let place = Folder::new();
        let mut server = served(&place, store);
        for text in ["1", "2", "3", "4"] {
            send(&place, text);
            server.kill();
            let verify = place.run(&["journal", "verify", store]);
            assert_eq!(verify.code, Some(0), "{verify:?}");
            server = place.serve(&["--store", store, "--strict"]);
        }
        // A pool that was deleted is not taken for one that was lost.
        place.run(&["pool", "open", "q"]).ok();
        place.run(&["pool", "delete", "q", "--yes"]).ok();
        server.kill();
        stop(place.serve(&["--store", store, "--strict"]));
    }
}

#[test]
fn a_pool_that_was_brought_by_a_copy_or_an_import_is_in_the_mark_of_its_new_place() {
    let place = Folder::new();
    stop(served(&place, STORES[0]));
    for to in ["redb:to.redb", "sled:to.sled"] {
        place.run(&["store", "copy", STORES[0], to]).ok();
        assert!(marked(&place, to).is_some(), "{to}");
        stop(place.serve(&["--store", to, "--strict"]));
    }
    place
        .run(&["journal", "export", STORES[0], "--file", "lines"])
        .ok();
    place
        .run(&["journal", "import", "lines", "--store", "redb:in.redb"])
        .ok();
    assert!(marked(&place, "redb:in.redb").is_some());
}

#[test]
fn a_store_that_was_rolled_back_is_not_moved_as_if_it_were_whole() {
    let place = Folder::new();
    rolled_back(&place, STORES[0], ServerEnd::Stopped);
    let moved = place.run(&["store", "copy", STORES[0], "redb:to.redb", "--move"]);
    moved.refused(6, "serve it once");
    assert!(!place.at("to.redb").exists());
}

/// The mark under which an older copy of a store is put back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LeftMark {
    /// The one of the newest head.
    Exact,
    /// One of an earlier head, which the copy does not hold either: so a power cut may leave it.
    Behind,
}

/// Whoever was ahead when an older copy was put back.
struct Ahead {
    older: Cursor,
    newer: Cursor,
    /// The head that the mark names.
    marked: Cursor,
    /// A reader that follows the pool all the time.
    follower: Running,
    /// The token of a run that joined in the lost end.
    token: String,
}

const MARKED: [(&str, ServerEnd, LeftMark); 6] = [
    (STORES[0], ServerEnd::Stopped, LeftMark::Exact),
    (STORES[0], ServerEnd::Killed, LeftMark::Exact),
    (STORES[0], ServerEnd::Killed, LeftMark::Behind),
    (STORES[1], ServerEnd::Stopped, LeftMark::Exact),
    (STORES[1], ServerEnd::Killed, LeftMark::Exact),
    (STORES[1], ServerEnd::Killed, LeftMark::Behind),
];

/// Puts an older copy back under readers, waits, senders and members that were ahead.
fn put_back_under_all(place: &Folder, store: &str, (end, mark): (ServerEnd, LeftMark)) -> Ahead {
    let server = served(place, store);
    let older = head(place);
    stop(server);
    copy(&place.at(path_of(store)), &place.at("backup"));
    let server = place.serve(&["--store", store]);
    place
        .run_as(
            "p",
            "a",
            &[
                "send", "--to", "run:b", "--body", "1", "--key", "k", "--id", "lost",
            ],
        )
        .ok();
    copy(&mark_of(place, store), &place.at("mark.behind"));
    let mut marked = head(place);
    let joined = place.run_as("p", "c", &["join", "--json"]).json();
    let follow = ["--pool", "p", "watch", "--follow", "--field", "kind"];
    let mut follower = place.start(&follow);
    follower.until("run_message_accepted");
    let wait = [
        "wait",
        "kind == \"run_message_accepted\"",
        "--timeout",
        "9s",
        "--cursor-file",
        "waited",
    ];
    place
        .run_as("p", "a", &[&wait[..], &["--since", "start"]].concat())
        .ok();
    send(place, "2");
    let watch = ["--pool", "p", "watch", "--cursor-file", "seen"];
    place.run(&watch).ok();
    let newer = head(place);
    match end {
        ServerEnd::Stopped => stop(server),
        ServerEnd::Killed => server.kill(),
    }
    put_back(place, "backup", store);
    match mark {
        LeftMark::Exact => marked = newer,
        LeftMark::Behind => copy(&place.at("mark.behind"), &mark_of(place, store)),
    }
    Ahead {
        older,
        newer,
        marked,
        follower,
        token: joined["member_token"].as_str().unwrap().to_owned(),
    }
}

/// Checks that every way to name a point of the lost end is refused, with the point where the two part.
fn check_foreign(place: &Folder, ahead: &Ahead) {
    let lost = ahead.newer.to_string();
    let filter = "kind == \"run_message_accepted\"";
    let reads: [&[&str]; 4] = [
        &["watch", "--from", &lost],
        &["watch", "--from", &lost, "--follow"],
        &["watch", "--cursor-file", "seen"],
        &["wait", filter, "--since", &lost, "--timeout", "9s"],
    ];
    for read in reads {
        let told = place.run_as("p", "a", read);
        assert_eq!(told.code, Some(3), "{read:?}: {told:?}");
        for part in ["cursor-foreign", &ahead.older.to_string()] {
            assert!(told.err.contains(part), "{read:?}, no {part}: {told:?}");
        }
    }
}

#[test]
fn o22_an_older_file_under_the_mark_starts_an_epoch_and_no_lost_point_comes_to_mean_another_event()
{
    for (store, end, mark) in MARKED {
        let place = Folder::new();
        let ahead = put_back_under_all(&place, store, (end, mark));
        let server = place.serve(&["--store", store]);
        let now = head(&place);
        assert_eq!(now.position, ahead.older.position.next(), "{store} {end:?}");
        check_foreign(&place, &ahead);

        // The key and the receipt of what was lost are gone, and so is who joined there.
        let receipt = ["--pool", "p", "--run", "a", "receipt", "lost"];
        place.run(&receipt).refused(3, "message-not-found");
        let heartbeat = ["--token", &ahead.token, "heartbeat"];
        let unknown = "does not know this token";
        place.run(&heartbeat).refused(3, unknown);
        let again = [
            "send", "--to", "run:b", "--body", "another", "--key", "k", "--id", "new",
        ];
        place.run_as("p", "a", &again).ok();
        place.run(&receipt).refused(3, "message-not-found");
        place.run_as("p", "c", &["join"]).ok();
        for number in 0..9 {
            send(&place, &format!("new {number}"));
        }
        assert!(head(&place).position > ahead.newer.position);
        check_foreign(&place, &ahead);
        place.run(&heartbeat).refused(3, unknown);
        // Who followed all the time is told, too, and sees nothing of the new timeline before.
        let followed = ahead.follower.end();
        assert_eq!(followed.code, Some(3), "{followed:?}");
        assert!(followed.err.contains("cursor-foreign"), "{followed:?}");
        assert!(!followed.out.contains("epoch_started"), "{followed:?}");

        stop(server);
        let show = ["--pool", "p", "journal", "show", store, "--json"];
        let shown = place.run(&show).ok();
        let records = shown
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let records: Vec<serde_json::Value> = records.collect();
        let start = &records[usize::try_from(ahead.older.position.0).unwrap()];
        assert_eq!(start["body"]["reason"], "tail_lost");
        assert_eq!(start["body"]["lost"], ahead.marked.to_string());
        stop(place.serve(&["--store", store, "--strict"]));
    }
}

#[test]
fn o22_a_mark_that_is_missing_or_older_than_the_file_is_no_alarm() {
    for store in STORES {
        let place = Folder::new();
        let server = served(&place, store);
        let older = head(&place);
        stop(server);
        copy(&mark_of(&place, store), &place.at("older.mark"));
        let server = place.serve(&["--store", store]);
        send(&place, "1");
        let newer = head(&place);
        stop(server);
        for mark in [Some("older.mark"), None] {
            match mark {
                Some(mark) => copy(&place.at(mark), &mark_of(&place, store)),
                None => std::fs::remove_file(mark_of(&place, store)).unwrap(),
            }
            let verified = place.run(&["journal", "verify", store]);
            assert_eq!(verified.code, Some(0), "{verified:?}");
            let server = place.serve(&["--store", store, "--strict"]);
            assert_eq!(head(&place), newer, "the same epoch as {older}");
            stop(server);
        }
    }
}

/// Returns the places of a store where bits are flipped: in both headers of redb, and all over the
/// log of sled.
fn places_to_flip(store: &str, bytes: usize) -> Vec<usize> {
    if store.starts_with("redb") {
        return vec![80, 100, 140, 200, 228, 260];
    }
    let last = bytes - 1;
    (1..16).map(|part| last * part / 16).collect()
}

#[test]
fn a_flipped_bit_after_a_kill_takes_no_record_away_silently() {
    for (store, file) in STORES.into_iter().zip(["store.redb", "store.sled/db"]) {
        let place = Folder::new();
        let server = served(&place, store);
        for number in 0..40 {
            send(&place, &format!("message {number}"));
        }
        let newer = head(&place);
        server.kill();
        assert_eq!(marked(&place, store), Some(newer), "exact after a kill");
        copy(&place.at(path_of(store)), &place.at("backup"));
        let whole = std::fs::read(place.at(file)).unwrap();
        let written = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let mut told = 0;
        for at in places_to_flip(store, written) {
            put_back(&place, "backup", store);
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            std::fs::write(place.at(file), bytes).unwrap();
            let verify = place.run(&["journal", "verify", store, "--json"]);
            if verify.code == Some(0) {
                let report: serde_json::Value = serde_json::from_str(&verify.out).unwrap();
                let head = report["pools"][0]["head"].as_u64().unwrap();
                assert!(head >= newer.position.0, "{store} at {at}: {verify:?}");
            } else {
                told += 1;
                assert!(
                    matches!(verify.code, Some(6)),
                    "{store} at {at}: {verify:?}"
                );
            }
        }
        assert_ne!(told, 0, "{store}: some flips hurt");
    }
}
