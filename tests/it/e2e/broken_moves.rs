//! `heronry store move` that broke off: whoever is refused is told what ends it, and it is ended either way.

use std::sync::Arc;

use futures::executor::block_on;
use heronry_store::{MoveRoute, Reservation, Store};
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use heronry_types::PoolId;

use heronry_tests::process::{Folder, Running};

const KINDS: [(&str, &str); 2] = [
    ("redb:from.redb", "sled:to.sled"),
    ("sled:from.sled", "redb:to.redb"),
];

fn stop(server: Running) {
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

/// Leaves a store with a pool and a member.
fn stored(place: &Folder, name: &str, pool: &str) {
    let server = place.serve(&["--store", name]);
    place.run(&["pool", "open", pool]).ok();
    place.run(&["--pool", pool, "--run", "a", "join"]).ok();
    stop(server);
}

/// Returns how a store is named with its whole path.
fn absolute(place: &Folder, name: &str) -> String {
    let (kind, path) = name.split_once(':').unwrap();
    let folder = place.path().canonicalize().unwrap();
    format!("{kind}:{}", folder.join(path).display())
}

/// Leaves what a move leaves that is killed before it has sealed the source.
fn break_off(place: &Folder, (from, to): (&str, &str)) {
    reserve(place, (from, to), &["p"]);
}

/// Reserves pools at the other place of a move, as it does.
fn reserve(place: &Folder, (from, to): (&str, &str), pools: &[&str]) {
    let (kind, path) = to.split_once(':').unwrap();
    let path = place.at(path);
    let store = match kind {
        "redb" => Store::of(Arc::new(RedbStore::open_or_create(path).unwrap())),
        _ => Store::of(Arc::new(SledStore::open_or_create(path).unwrap())),
    };
    let reservation = Reservation {
        route: MoveRoute {
            from: absolute(place, from),
            to: absolute(place, to),
        },
        pools: pools.iter().map(|it| PoolId::parse(*it).unwrap()).collect(),
    };
    block_on(store.custody.reserve(&reservation)).unwrap();
}

fn serves(place: &Folder, store: &str) -> bool {
    let server = place.serve(&["--store", store]);
    let shown = place.run(&["pool", "show", "p", "--field", "members"]);
    stop(server);
    shown.code == Some(0)
}

#[test]
fn a_move_that_broke_off_is_told_and_ended_either_way() {
    for (from, to) in KINDS {
        let place = Folder::new();
        stored(&place, from, "p");
        stored(&place, to, "other");
        break_off(&place, (from, to));

        // The other place is used as before, but for the pool that is on its way.
        let server = place.serve(&["--store", to]);
        place.run(&["--pool", "other", "--run", "b", "join"]).ok();
        let opened = place.run(&["pool", "open", "p"]);
        assert_ne!(opened.code, Some(0), "{opened:?}");
        stop(server);
        let verify = place.run(&["journal", "verify", to]);
        assert_eq!(verify.code, Some(1), "{verify:?}");
        stored(&place, "redb:third.redb", "third");
        let third = place.run(&["store", "move", "redb:third.redb", to]);
        assert_eq!(third.code, Some(1), "{third:?}");
        let ends = format!(
            "heronry store move {} {}",
            absolute(&place, from),
            absolute(&place, to)
        );
        for said in [opened, verify, third] {
            for part in [ends.as_str(), "--resume", "--abandon"] {
                assert!(said.err.contains(part), "no {part} in {said:?}");
            }
        }
        assert!(serves(&place, from), "the source is used as before");

        let back = place.run(&["store", "move", from, to, "--abandon"]).ok();
        assert!(back.contains("taken back"), "{back}");
        assert!(serves(&place, from));
        assert!(!serves(&place, to));
        for end in ["--resume", "--abandon"] {
            place
                .run(&["store", "move", from, to, end])
                .refused(1, "no move from");
        }

        break_off(&place, (from, to));
        let moved = place.run(&["store", "move", from, to, "--resume", "--json"]);
        assert_eq!(moved.json()["pools"][0]["pool"], "p");
        assert!(serves(&place, to));
        place
            .run(&["serve", "--store", from, "--listen", "127.0.0.1:0"])
            .refused(1, "were moved to");
        place
            .run(&["store", "move", from, to, "--abandon"])
            .refused(1, "--resume` finishes it");
        let sealed = place.run(&["journal", "verify", from]).ok();
        assert!(sealed.contains(&absolute(&place, to)), "{sealed}");
        let verify = place.run(&["journal", "verify", to, "--json"]).json();
        assert_eq!(verify["ok"], true);
    }
}

fn lose(place: &Folder, store: &str) {
    let path = place.at(store.split_once(':').unwrap().1);
    if path.is_dir() {
        std::fs::remove_dir_all(path).unwrap();
    } else {
        std::fs::remove_file(path).unwrap();
    }
}

/// Leaves what a move leaves that is killed between the seal and its end, or the same with a pool that
/// is missing.
fn break_off_late(place: &Folder, (from, to): (&str, &str), pools: &[&str]) {
    stored(place, from, "p");
    stored(place, to, "other");
    place.run(&["store", "move", from, to]).ok();
    reserve(place, (from, to), pools);
}

#[test]
fn a_move_whose_source_is_lost_is_ended_at_the_other_place_alone() {
    for (from, to) in KINDS {
        for end in ["--resume", "--abandon"] {
            let place = Folder::new();
            break_off_late(&place, (from, to), &["p"]);
            let lost = ["store", "move", from, to, end, "--lost"];
            place.run(&lost).refused(1, "leave --lost out");
            lose(&place, from);
            let opened = {
                let server = place.serve(&["--store", to]);
                let opened = place.run(&["pool", "open", "p"]);
                stop(server);
                opened
            };
            let verify = place.run(&["journal", "verify", to]);
            let without = place.run(&["store", "move", from, to, end]);
            for said in [opened, verify, without] {
                assert_ne!(said.code, Some(0), "{said:?}");
                assert!(said.err.contains("--lost"), "{said:?}");
            }
            let ended = place.run(&lost).ok();
            let (done, is_there) = match end {
                "--resume" => ("p: moved", true),
                _ => ("p: deleted", false),
            };
            assert!(ended.contains(done), "{ended}");
            assert_eq!(serves(&place, to), is_there);
            place.run(&lost).refused(1, "no move from");
            let verify = place.run(&["journal", "verify", to, "--json"]).json();
            assert_eq!(verify["ok"], true);
        }
    }
    let place = Folder::new();
    let alone = ["store", "move", "redb:a.redb", "redb:b.redb", "--lost"];
    assert_eq!(place.run(&alone).code, Some(2), "it says how a move ends");
}

#[test]
fn a_move_of_which_a_pool_is_missing_is_not_finished_without_its_source() {
    for (from, to) in KINDS {
        let place = Folder::new();
        break_off_late(&place, (from, to), &["p", "q"]);
        lose(&place, from);
        let finished = place.run(&["store", "move", from, to, "--resume", "--lost"]);
        finished.refused(1, "pool q has not arrived whole");
        assert!(finished.err.contains("--abandon --lost"), "{finished:?}");
        let ended = place.run(&["store", "move", from, to, "--abandon", "--lost"]);
        assert!(ended.ok().contains("p: deleted"));
        assert!(!serves(&place, to));
        let server = place.serve(&["--store", to]);
        place.run(&["pool", "open", "q"]).ok();
        stop(server);
    }
}
