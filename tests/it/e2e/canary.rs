//! A body is printed where it is asked for, and nowhere else: neither by the command nor by the server.

use heronry_tests::canary::{CANARY, check_bytes};

use heronry_tests::process::{Folder, Running, Said};

/// The base64 that an export writes instead of the word.
const IN_BASE64: &str = "Y2FuYXJ5LTRmMWQwYzli";

/// Checks that a command says nothing of a body.
#[track_caller]
fn check_silent(said: &Said) {
    for (what, text) in [("the output", &said.out), ("the errors", &said.err)] {
        check_bytes(what, text.as_bytes());
        assert!(!text.contains(IN_BASE64), "a body in {what}: {text}");
    }
}

/// A pool whose members `a` and `b` exchange bodies with the word in them.
struct CanaryScene {
    place: Folder,
    server: Running,
}

impl CanaryScene {
    fn new() -> Self {
        let place = Folder::new();
        let server = place.serve(&[]);
        place.write("body", CANARY);
        let limits = [
            "--limit",
            "content_bytes_max=20",
            "--limit",
            "attempts_max=1",
        ];
        place
            .run(&[&["pool", "open", "p"][..], &limits].concat())
            .ok();
        let scene = Self { place, server };
        for run in ["a", "b"] {
            scene.quiet(run, &["join"]);
        }
        scene
    }

    fn act(&self, run: &str, arguments: &[&str]) -> Said {
        let named = ["--pool", "p", "--run", run];
        self.place.run(&[&named, arguments].concat())
    }

    /// Does something that says nothing of a body; returns what it says.
    #[track_caller]
    fn quiet(&self, run: &str, arguments: &[&str]) -> String {
        let said = self.act(run, arguments);
        check_silent(&said);
        said.ok()
    }

    /// Shows something, as text and as JSON, that says nothing of a body.
    #[track_caller]
    fn shows(&self, run: &str, arguments: &[&str]) {
        let text = self.quiet(run, arguments);
        assert!(!text.is_empty(), "{arguments:?} shows nothing");
        self.quiet(run, &[arguments, &["--json"]].concat());
    }

    /// Is refused, and the refusal says nothing of a body.
    #[track_caller]
    fn refused(&self, run: &str, (code, why): (i32, &str), arguments: &[&str]) {
        for shape in [&[][..], &["--json"]] {
            let said = self.act(run, &[arguments, shape].concat());
            check_silent(&said);
            assert_eq!(said.code, Some(code), "{said:?}");
            assert!(said.err.contains(why), "no {why:?} in {said:?}");
        }
    }

    fn send(&self, id: &str, more: &[&str]) {
        let send = ["send", "--to", "run:b", "--id", id, "--key", id];
        self.quiet("a", &[&send, more].concat());
    }
}

const SEND: [&str; 3] = ["send", "--to", "run:b"];

#[test]
fn a_body_is_printed_where_it_is_asked_for_and_nowhere_else() {
    let scene = CanaryScene::new();
    scene.send("m1", &["--body", CANARY]);
    scene.send("m2", &["--file", "body", "--json"]);
    let stored = ["contents", "put", "--file", "body", "--key", "c1"];
    scene.shows("a", &stored);
    for shown in [
        &["receipt", "m1"][..],
        &["watch"],
        &["members"],
        &["pool", "show"],
        &["inbox", "--peek"],
        &[
            "inbox",
            "--receive-id",
            "r1",
            "--max",
            "1",
            "--claim-for",
            "12h",
        ],
    ] {
        let run = if shown[0] == "receipt" { "a" } else { "b" };
        scene.shows(run, shown);
    }
    let waited = [
        "wait",
        "terminal || family == \"agent_pool\"",
        "--since",
        "start",
    ];
    scene.shows("b", &waited);
    let taken = ["inbox", "--receive-id", "r1", "--max", "1"];
    let claim = scene.quiet("b", &[&taken[..], &["--field", "claim"]].concat());
    scene.quiet("b", &["ack", claim.trim(), "--note", "done with it"]);
    scene.shows("a", &["receipt", "m1"]);

    // Where it is asked for.
    let fields = [
        "inbox",
        "--bodies",
        "--claim-for",
        "12h",
        "--field",
        "content_ref,body",
    ];
    let taken = scene.act("b", &fields).ok();
    let (content_ref, body) = taken.trim_end().split_once('\t').unwrap();
    assert_eq!(body, CANARY);
    assert_eq!(scene.act("b", &["body", content_ref]).ok(), CANARY);
    let got = scene.act("b", &["contents", "get", content_ref]).ok();
    assert_eq!(got, CANARY);
}

#[test]
fn an_erased_body_is_printed_by_nobody() {
    let scene = CanaryScene::new();
    scene.send("m1", &["--body", CANARY]);
    let fields = ["inbox", "--peek", "--field", "content_ref"];
    let content_ref = scene.quiet("b", &fields);
    let content_ref = content_ref.trim_end();
    assert_eq!(scene.act("b", &["body", content_ref]).ok(), CANARY);
    scene.shows("a", &["contents", "erase", content_ref]);
    for fetch in [&["body"][..], &["contents", "get"]] {
        scene.refused("b", (3, "erased"), &[fetch, &[content_ref]].concat());
    }
    scene.shows("b", &["inbox", "--peek", "--bodies"]);
    scene.shows("a", &["cancel", "m1"]);
}

#[test]
fn a_refusal_says_nothing_of_the_body_that_was_sent() {
    let scene = CanaryScene::new();
    scene.send("m1", &["--body", CANARY]);
    let other = format!("{CANARY}!");
    let large = format!("{CANARY} is too large");
    let a = |why: (i32, &str), arguments: &[&str]| scene.refused("a", why, arguments);
    a(
        (3, "idempotency-conflict"),
        &[&SEND[..], &["--body", &other, "--key", "m1"]].concat(),
    );
    a(
        (3, "idempotency-conflict"),
        &[&SEND[..], &["--body", CANARY, "--id", "m1"]].concat(),
    );
    a(
        (3, "content_bytes_max"),
        &["contents", "put", "--body", &large],
    );
    let policy = ["--body", CANARY, "--policy", "host:team"];
    a((3, "team"), &[&SEND[..], &policy].concat());
    let fewer = ["--body", CANARY, "--expect", "2", "--within", "1h"];
    a((3, "contract"), &[&SEND[..], &fewer].concat());
    scene.quiet("a", &["contents", "put", "--body", CANARY, "--key", "c1"]);
    a(
        (3, "idempotency-conflict"),
        &["contents", "put", "--body", &other, "--key", "c1"],
    );
    scene.refused(
        "c",
        (3, "member"),
        &[&SEND[..], &["--body", CANARY]].concat(),
    );
    let nobody = ["send", "--to", "run:nobody", "--body", CANARY];
    check_silent(&scene.act("a", &nobody));
    let usage = [&SEND[..], &["--body", CANARY, "--importance", "none"]].concat();
    a((2, "importance"), &usage);
    let CanaryScene { place, server } = scene;
    server.kill();
    let unsent = [
        "--pool", "p", "--run", "a", "send", "--to", "run:b", "--body", CANARY,
    ];
    let gone = place.run(&unsent);
    check_silent(&gone);
    assert_ne!(gone.code, Some(0), "the server is gone");
}

#[test]
fn neither_the_server_nor_the_tools_for_its_store_print_a_body() {
    let scene = CanaryScene::new();
    scene.send("m1", &["--body", CANARY]);
    scene.send("m2", &["--body", CANARY]);
    scene.quiet("a", &["contents", "put", "--file", "body", "--key", "c1"]);
    // A claim that lapses is the end of the only attempt.
    scene.quiet("b", &["inbox", "--max", "1", "--claim-for", "1ms"]);
    let dead = r#"kind == "run_message_dead_lettered""#;
    scene.quiet("b", &["watch", dead, "--follow", "--limit", "1"]);
    scene.shows("b", &["dead-letters", "list"]);
    let CanaryScene { place, server } = scene;
    server.signal("TERM");
    check_silent(&server.end());
    let store = ".heronry/store.redb";
    for arguments in [
        &["--pool", "p", "journal", "show", store][..],
        &["--pool", "p", "journal", "show", store, "--json"],
        &["journal", "stats", store],
        &["journal", "stats", store, "--json"],
        &["journal", "verify", store],
        &["journal", "export", store, "--no-bodies"],
        &["journal", "export", store, "--file", "exported"],
        &["journal", "import", "exported", "--store", "other.redb"],
        &["store", "copy", store, "sled:third"],
    ] {
        let said = place.run(arguments);
        check_silent(&said);
        said.ok();
    }
    // An export carries bodies unless it is told not to.
    assert!(
        place
            .run(&["journal", "export", store])
            .ok()
            .contains(IN_BASE64)
    );
    place.write("exported", "{\"content\": \"damaged\"}");
    check_silent(&place.run(&["journal", "import", "exported", "--store", "fourth.redb"]));
}
