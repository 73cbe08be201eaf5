//! Pools that are deleted and archived, and runs that are taken over, by commands.

use std::{fs, os::unix::fs::PermissionsExt};

use heronry_tests::process::{Folder, Running};

/// A server with the pool `p`, where `a` sent a message to itself and left.
fn used(arguments: &[&str]) -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(arguments);
    fill(&place);
    (place, server)
}

fn fill(place: &Folder) {
    place.run(&["pool", "open", "p"]).ok();
    let act = ["--pool", "p", "--run", "a"];
    place.run(&[&act[..], &["join"]].concat()).ok();
    let send = ["send", "--to", "run:a", "--body", "words", "--key", "k"];
    place.run(&[&act[..], &send].concat()).ok();
}

fn leave(place: &Folder) {
    place.run(&["--pool", "p", "--run", "a", "leave"]).ok();
}

fn pools(place: &Folder) -> String {
    place.run(&["pool", "list", "--field", "pool"]).ok()
}

#[test]
fn a_pool_is_deleted_when_nobody_is_a_member_and_yes_is_said() {
    let (place, _server) = used(&[]);
    let delete = ["pool", "delete", "p", "--yes"];
    place.run(&delete).refused(3, "the pool has 1 member;");
    leave(&place);
    let asked = place.run(&["pool", "delete", "p"]);
    asked.refused(2, "say --yes");
    assert_eq!(pools(&place), "p\n");
    let deleted = place.run(&[&delete[..], &["--json"]].concat()).json();
    assert_eq!(deleted["pool"], "p");
    assert_eq!(pools(&place), "");
    place.run(&delete).refused(3, "no such pool");
    let old = deleted["head"].as_str().unwrap();
    place.run(&["pool", "open", "p"]).ok();
    let watch = ["--pool", "p", "watch", "--from", old];
    place.run(&watch).refused(3, "cursor-foreign");
}

#[test]
fn a_pool_is_archived_into_a_file_that_brings_it_back() {
    let (place, server) = used(&[]);
    let archive = ["pool", "archive", "p", "--to", "p.jsonl"];
    place.run(&archive).refused(3, "the pool has 1 member;");
    assert!(
        !place.at("p.jsonl").exists(),
        "what is refused leaves no file"
    );
    leave(&place);
    let archived = place.run(&[&archive[..], &["--json"]].concat()).json();
    assert_eq!(
        (&archived["pool"], &archived["contents"]),
        (&"p".into(), &1.into())
    );
    let mode = fs::metadata(place.at("p.jsonl")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(pools(&place), "");
    // A pool of the name that comes later does not overwrite it.
    fill(&place);
    leave(&place);
    place.run(&archive).refused(1, "cannot create p.jsonl");
    assert_eq!(pools(&place), "p\n");
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));

    let other = ["--store", "redb:other.redb"];
    let import = [&["journal", "import", "p.jsonl"][..], &other].concat();
    place.run(&import).ok();
    let _server = place.serve(&other);
    let kinds = ["--pool", "p", "watch", "--from", "start", "--field", "kind"];
    let kinds = place.run(&kinds).ok();
    assert!(kinds.contains("run_message_accepted"), "{kinds}");
}

#[test]
fn a_deleted_pool_is_gone_also_after_a_kill() {
    for store in ["redb:s.redb", "sled:s.sled"] {
        let (place, server) = used(&["--store", store]);
        leave(&place);
        place.run(&["pool", "delete", "p", "--yes"]).ok();
        server.kill();
        let server = place.serve(&["--store", store]);
        assert_eq!(pools(&place), "", "{store}");
        fill(&place);
        assert_eq!(pools(&place), "p\n", "{store}");
        server.kill();
        let _server = place.serve(&["--store", store]);
        assert_eq!(pools(&place), "p\n", "{store}");
    }
}

#[test]
fn a_pool_that_up_runs_on_is_not_deleted() {
    let place = Folder::new();
    place.write(
        "pool.toml",
        "pool = \"job\"\n[[member]]\nagent = \"a\"\ncommand = [\"cat\", \"pipe\"]\n",
    );
    let made = std::process::Command::new("mkfifo")
        .arg(place.at("pipe"))
        .status();
    assert!(made.unwrap().success());
    let mut up = place.start(&["up", "pool.toml", "--listen", "127.0.0.1:0"]);
    up.until("job.1");
    let members = ["pool", "show", "job.1", "--field", "members"];
    // All join before one is started; so many looks take far longer than that.
    let joined = (0..500).any(|_| place.run(&members).out == "1\n");
    assert!(joined, "nobody joined");
    let delete = ["pool", "delete", "job.1", "--yes"];
    place.run(&delete).refused(3, "the pool has 1 member;");
    fs::write(place.at("pipe"), "").unwrap();
    assert_eq!(up.end().code, Some(0));
    let _server = place.serve(&[]);
    place.run(&delete).ok();
    assert_eq!(pools(&place), "");
}

#[test]
fn a_join_that_takes_a_live_run_over_says_so_on_stderr() {
    let (place, _server) = used(&[]);
    let join = ["--pool", "p", "--run", "a", "join", "--instance"];
    let with = |instance: &str, more: &[&str]| place.run(&[&join[..], &[instance], more].concat());
    let taken = with("two", &["--json"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    assert!(taken.err.contains("warning: a was live"), "{taken:?}");
    assert_eq!(taken.err.lines().count(), 1, "{taken:?}");
    let answer = taken.json();
    let generation = &answer["taken_over"]["generation"];
    assert!(
        generation.is_u64() && *generation != answer["generation"],
        "{answer}"
    );
    assert!(answer["taken_over"]["last_seen"].is_string(), "{answer}");
    let quiet = with("three", &["--quiet"]);
    assert_eq!(
        (quiet.code, quiet.err.as_str(), quiet.out.as_str()),
        (Some(0), "", "")
    );
    let refused = with("four", &["--new"]);
    refused.refused(3, "the run is live in generation");
    refused.refused(3, "run-taken");
    let fresh = place.run(&["--pool", "p", "--run", "b", "join", "--new"]);
    assert_eq!((fresh.code, fresh.err.as_str()), (Some(0), ""), "{fresh:?}");
}

#[test]
fn a_limit_with_which_a_pool_could_not_be_used_is_refused() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for limit in ["page_items_max", "members_max", "claim_ms_max"] {
        let none = format!("{limit}=0");
        let refused = place.run(&["pool", "set", "p", "--limit", &none]);
        assert!(refused.code != Some(0), "{refused:?}");
        assert!(refused.err.contains("1 at least"), "{refused:?}");
    }
    let members = place.run(&["--pool", "p", "members"]);
    members.ok();
    let forget = place.run(&["--pool", "p", "consumers", "forget", "nothere"]);
    assert!(
        forget.err.contains("there is no consumer nothere"),
        "{forget:?}"
    );
    assert!(!forget.err.contains("claim"), "{forget:?}");
}
