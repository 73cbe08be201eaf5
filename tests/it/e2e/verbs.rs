//! The verbs, across processes.

use serde_json::json;

use heronry_tests::process::{Folder, Running};

/// A server with a pool `p` and the members `a` and `b`.
fn pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place
            .run(&["--pool", "p", "--run", run, "join", "--topic", "t"])
            .ok();
    }
    (place, server)
}

#[test]
fn a_dead_letter_is_listed_and_replayed() {
    let (place, _server) = pool();
    let receipt = place.run_as(
        "p",
        "a",
        &["send", "--to", "run:b", "--body", "x", "--json"],
    );
    let cursor = receipt.json()["cursor"].as_str().unwrap().to_owned();
    for _attempt in 1..=5 {
        let claim = place.run_as("p", "b", &["inbox", "--field", "claim"]).ok();
        place.run_as("p", "b", &["release", claim.trim_end()]).ok();
    }
    let list = ["dead-letters", "list", "--field", "cursor,reason,attempt"];
    assert_eq!(
        place.run_as("p", "b", &list).ok(),
        format!("{cursor}\treleased\t5\n")
    );
    place
        .run_as("p", "b", &["dead-letters", "replay", &cursor])
        .ok();
    assert_eq!(place.run_as("p", "b", &list).ok(), "");
    let attempt = place
        .run_as("p", "b", &["inbox", "--field", "attempt"])
        .ok();
    assert_eq!(attempt, "1\n");
}

#[test]
fn a_message_says_how_it_is_handed_over() {
    let (place, _server) = pool();
    for (id, flags) in [
        ("usual", &["--on-full", "skip"][..]),
        ("late", &["--deliver-after", "1h"]),
        ("one", &["--ordered"]),
        ("two", &["--ordered"]),
        ("urgent", &["--importance", "interrupt"]),
    ] {
        let send = ["send", "--to", "run:b", "--body", "x", "--id", id];
        place.run_as("p", "a", &[&send[..], flags].concat()).ok();
    }
    let inbox = ["inbox", "--max", "10", "--field", "message_id"];
    assert_eq!(place.run_as("p", "b", &inbox).ok(), "urgent\nusual\none\n");
}

#[test]
fn a_member_has_a_lease_and_a_heartbeat() {
    let (place, _server) = pool();
    place.run_as("p", "c", &["join", "--lease", "10m"]).ok();
    place.run_as("p", "c", &["heartbeat"]).ok();
    let members = ["members", "--field", "run_id,lease_ms,lost_until"];
    let members = place.run_as("p", "c", &members).ok();
    assert_eq!(members, "a\t\t\nb\t\t\nc\t600000\t\n");
    let shown = place.run_as("p", "c", &["members"]).ok();
    assert!(shown.contains("lease 600000 ms  seen 2"), "{shown}");
    let lost = place.run_as("p", "c", &["pool", "show", "--field", "lost_members"]);
    assert_eq!(lost.ok(), "0\n");
}

#[test]
fn a_message_is_cancelled_before_it_is_claimed() {
    let (place, _server) = pool();
    let send = ["send", "--to", "run:b", "--body", "x", "--id", "m"];
    place.run_as("p", "a", &send).ok();
    for _again in 0..2 {
        let status = place
            .run_as("p", "a", &["cancel", "m", "--field", "status"])
            .ok();
        assert_eq!(status, "cancelled\n");
    }
    assert_eq!(
        place.run_as("p", "b", &["inbox", "--field", "claim"]).ok(),
        ""
    );
}

#[test]
fn a_message_is_sent_claimed_read_and_acknowledged_by_separate_processes() {
    let (place, _server) = pool();
    let send = [
        "send", "--to", "run:b", "--body", "a\tb\n", "--key", "k", "--id", "m",
    ];
    let receipt = place
        .run_as("p", "a", &[&send[..], &["--json"]].concat())
        .json();
    assert_eq!(receipt["status"], "delivered");
    assert_eq!(receipt["recipients"][0]["run_id"], "b");
    let again = place
        .run_as("p", "a", &[&send[..], &["--json"]].concat())
        .json();
    assert_eq!(again["cursor"], receipt["cursor"]);

    let peeked = place
        .run_as(
            "p",
            "b",
            &["inbox", "--peek", "--field", "message_id,claim"],
        )
        .ok();
    assert_eq!(peeked, "m\t\n");
    let item = place
        .run_as(
            "p",
            "b",
            &["inbox", "--bodies", "--field", "claim,content_ref,body"],
        )
        .ok();
    let fields: Vec<&str> = item.trim_end_matches('\n').split('\t').collect();
    assert_eq!(fields[2], "a\\tb\\n");
    assert_eq!(place.run_as("p", "b", &["body", fields[1]]).ok(), "a\tb\n");
    place.run_as("p", "b", &["ack", fields[0]]).ok();
    assert_eq!(
        place
            .run_as("p", "a", &["receipt", "m", "--field", "status"])
            .ok(),
        "settled\n"
    );
}

#[test]
fn a_member_needs_no_more_than_its_token() {
    let (place, _server) = pool();
    let join = [
        "--pool",
        "p",
        "--run",
        "c",
        "join",
        "--field",
        "member_token",
    ];
    let token = place.run(&join).ok();
    let url = place.run(&["pool", "list"]);
    assert_eq!(url.code, Some(0));
    let note = std::fs::read_to_string(place.at(".heronry/server.json")).unwrap();
    let note: serde_json::Value = serde_json::from_str(&note).unwrap();
    let elsewhere = Folder::new();
    let mut send = elsewhere.command(&["send", "--to", "run:b", "--body", "x", "--field", "from"]);
    send.env("HERONRY_URL", note["url"].as_str().unwrap())
        .env("HERONRY_TOKEN", token.trim())
        .env("HERONRY_POOL", "p");
    let said = heronry_tests::process::said(&mut send);
    assert_eq!(said.ok(), "c\n");
}

#[test]
fn a_body_is_stored_sent_and_erased() {
    let (place, _server) = pool();
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let file = place.write("every-byte", every_byte);
    let file = file.to_str().unwrap();
    let put = [
        "contents",
        "put",
        "--file",
        file,
        "--media-type",
        "x/y",
        "--key",
        "k",
    ];
    let put = |field| {
        place
            .run_as("p", "a", &[&put[..], &["--field", field]].concat())
            .ok()
    };
    let stored = put("content_ref,size_bytes,media_type,erased_at");
    let content_ref = stored.split('\t').next().unwrap().to_owned();
    assert_eq!(stored, format!("{content_ref}\t256\tx/y\t\n"));
    assert_eq!(put("content_ref"), format!("{content_ref}\n"));

    let sent = [
        "send",
        "--to",
        "run:b",
        "--body",
        "the heron",
        "--field",
        "content_ref",
    ];
    let sent = place.run_as("p", "a", &sent).ok();
    let sent = sent.trim();
    assert_eq!(
        place.run_as("p", "b", &["contents", "get", sent]).ok(),
        "the heron"
    );
    for name in [sent, &content_ref] {
        let erase = [
            "contents",
            "erase",
            name,
            "--field",
            "content_ref,erased_at",
        ];
        let erased = place.run_as("p", "a", &erase).ok();
        assert!(erased.starts_with(&format!("{name}\t2")), "{erased}");
        assert_eq!(place.run_as("p", "a", &erase).ok(), erased);
    }
    let gone = place.run_as("p", "b", &["contents", "get", sent]);
    gone.refused(3, "the content was erased at 2");
    assert!(put("erased_at").starts_with('2'));
    let watched = ["watch", "--from", "start", r#"kind == "content_erased""#];
    assert_eq!(place.run_as("p", "a", &watched).ok().lines().count(), 2);
}

#[test]
fn a_receipt_is_waited_for() {
    let (place, _server) = pool();
    let sent = [
        "send", "--to", "run:b", "--body", "x", "--id", "m", "--field", "as_of",
    ];
    let sent = place.run_as("p", "a", &sent).ok();
    let late = place.run_as("p", "a", &["receipt", "m", "--wait", "50ms"]);
    assert_eq!(late.code, Some(4), "{late:?}");
    let receipt = [
        "receipt",
        "m",
        "--wait",
        "60s",
        "--since",
        sent.trim(),
        "--field",
        "recipients",
    ];
    let waiting = place.start(&[&["--pool", "p", "--run", "a"][..], &receipt].concat());
    place.run_as("p", "b", &["inbox", "--wait", "60s"]).ok();
    let said = waiting.end().ok();
    assert!(said.contains("claimed"), "{said}");
}

#[test]
fn a_large_body_travels_whole() {
    let (place, _server) = pool();
    let text = "0123456789abcdef\n".repeat(40_000);
    place.write("large.txt", &text);
    place
        .run_as(
            "p",
            "a",
            &["send", "--to", "topic:t", "--file", "large.txt", "-q"],
        )
        .ok();
    let reference = place
        .run_as("p", "b", &["inbox", "--field", "content_ref"])
        .ok();
    let body = place.run_as("p", "b", &["body", reference.trim()]).ok();
    assert!(body == text, "{} of {} bytes", body.len(), text.len());
}

#[test]
fn each_kind_of_no_has_its_exit_code() {
    let (place, server) = pool();
    let late = place.run_as("p", "b", &["inbox", "--wait", "50ms"]);
    assert_eq!((late.code, late.out.as_str()), (Some(4), ""), "{late:?}");
    place
        .run_as("p", "nobody", &["send", "--to", "run:b", "--body", "x"])
        .refused(3, "not-a-member");
    place.run_as("p", "a", &["ack", "1@1"]).refused(3, "claim");
    place
        .run_as("p", "a", &["send", "--to", "room:x", "--body", "x"])
        .refused(2, "no address");
    place
        .run(&["--run", "a", "inbox"])
        .refused(2, "no pool is named");
    place
        .run_as("p", "a", &["watch", "kind == \"run_compelted\""])
        .refused(2, "run_completed");
    let missing = place.run_as(
        "p",
        "a",
        &["send", "--to", "run:nobody", "--json", "--body", "x"],
    );
    assert_eq!(missing.code, Some(3), "{missing:?}");
    assert!(missing.err.contains("nobody got"), "{missing:?}");
    let receipt: serde_json::Value = serde_json::from_str(&missing.out).unwrap();
    assert_eq!(receipt["status"], "failed");
    assert_eq!(place.run(&["sned"]).code, Some(2));
    drop(server);
    place
        .run_as("p", "a", &["members"])
        .refused(5, "cannot reach the server");
}

#[test]
fn a_wrong_token_is_refused() {
    let (place, _server) = pool();
    // Before any of a large body is read.
    place.write("large", vec![b'x'; 16 * 1024 * 1024]);
    place
        .run_as(
            "p",
            "a",
            &["contents", "put", "--file", "large", "--token", "wrong"],
        )
        .refused(3, "does not know this token");
    place
        .run_as("p", "a", &["members", "--token", "wrong"])
        .refused(3, "does not know this token");
}

#[test]
fn pools_and_members_are_shown_and_changed() {
    let (place, _server) = pool();
    let members = place.run(&[
        "--pool",
        "p",
        "members",
        "--field",
        "run_id,agent_id,topics.0",
    ]);
    assert_eq!(members.ok(), "a\ta\tt\nb\tb\tt\n");
    let set = [
        "pool",
        "set",
        "p",
        "--limit",
        "inbox_depth_max=7",
        "--field",
        "settings_version",
    ];
    place.run(&set).ok();
    let shown = place.run(&["pool", "show", "p", "--json"]).json();
    assert_eq!(shown["settings"]["limits"], json!({"inbox_depth_max": 7}));
    place
        .run(&["pool", "open", "p", "--limit", "inbox_depth_max=8"])
        .refused(3, "config-conflict");
    place.run_as("p", "a", &["leave"]).ok();
    place.run_as("p", "b", &["state", "completed"]).ok();
    place.run_as("p", "b", &["join"]).refused(3, "run-ended");
    assert_eq!(place.run(&["--pool", "p", "members"]).ok(), "");
}

#[test]
fn opening_a_pool_shows_what_was_set_and_showing_it_shows_all() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    let opened = place.run(&["pool", "open", "q"]).ok();
    assert!(opened.starts_with("pool q\nhead "), "{opened}");
    assert!(opened.contains("\ndurability "), "{opened}");
    assert!(opened.lines().count() < 10, "{opened}");
    let limits = ["--limit", "inbox_depth_max=9", "--limit", "members_max=7"];
    let opened = place
        .run(&[&["pool", "open", "r"][..], &limits].concat())
        .ok();
    let shown: Vec<_> = opened
        .lines()
        .filter(|it| it.starts_with("limit "))
        .collect();
    assert_eq!(
        shown,
        ["limit inbox_depth_max 9 (set)", "limit members_max 7 (set)"]
    );
    let all = place.run(&["pool", "show", "r"]).ok();
    assert!(all.contains("policies of every member none"), "{all}");
    let limits = all.lines().filter(|it| it.starts_with("limit ")).count();
    let json = place.run(&["pool", "open", "r", "--json"]).json();
    assert_eq!(json["limits"].as_object().unwrap().len(), limits);
    let field = ["pool", "open", "r", "--field", "limits.members_max,pool"];
    assert_eq!(place.run(&field).ok(), "7\tr\n");
}

#[test]
fn a_filter_is_checked_without_a_server() {
    let place = Folder::new();
    let good = place
        .run(&["filter", "check", "run == \"a\"", "--json"])
        .json();
    assert!(
        good["fingerprint"].as_str().unwrap().starts_with("sha256:"),
        "{good}"
    );
    let bad = place.run(&["filter", "check", "knd == \"a\" && runn == \"b\"", "--json"]);
    assert_eq!(bad.code, Some(2), "{bad:?}");
    let errors: serde_json::Value = serde_json::from_str(&bad.out).unwrap();
    assert_eq!(errors["errors"].as_array().unwrap().len(), 2, "{errors}");
}

#[test]
fn every_verb_has_help_with_an_example() {
    let place = Folder::new();
    let verbs = [
        "serve",
        "up",
        "join",
        "leave",
        "members",
        "state",
        "heartbeat",
        "send",
        "ask",
        "receipt",
        "cancel",
        "body",
        "inbox",
        "ack",
        "release",
        "extend",
        "wait",
        "wakes end",
        "explain",
        "forget",
        "watch",
        "completions",
        "pool open",
        "pool list",
        "pool show",
        "pool set",
        "pool archive",
        "pool delete",
        "token rotate",
        "filter check",
        "journal verify",
        "journal stats",
        "journal show",
        "journal export",
    ];
    for verb in verbs {
        let arguments: Vec<&str> = verb.split(' ').chain(["--help"]).collect();
        let help = place.run(&arguments).ok();
        let example = help.split("Example:\n  heronry ").nth(1);
        let last = verb.split(' ').next_back().unwrap();
        assert!(
            example.is_some_and(|it| it.contains(last)),
            "{verb}: {help}"
        );
    }
}

#[test]
fn refusals_speak_of_the_command_line() {
    let (place, _server) = pool();
    place
        .run(&["pool", "show", "q"])
        .refused(3, "open it with `heronry pool open`");
    for arguments in [
        &["--pool", "p", "send", "--to", "run:b", "--body", "x"][..],
        &["--pool", "p", "receipt", "m"],
    ] {
        place
            .run(arguments)
            .refused(2, "give --run or set HERONRY_RUN");
    }
    place
        .run(&["--token", "wrong", "pool", "list"])
        .refused(3, "--token-file or HERONRY_TOKEN");
    place
        .run(&["pool", "open", "p", "--limit", "inbox_depth_max=3"])
        .refused(3, "change limits with `heronry pool set`");
    let typo = place.run(&["pool", "open", "q", "--limit", "inbox_depth_mx=3"]);
    assert_eq!(typo.code, Some(2), "{typo:?}");
    assert!(
        typo.err.contains("the nearest are inbox_depth_max, "),
        "{typo:?}"
    );
    let elsewhere = Folder::new();
    for verb in ["verify", "stats", "show", "export"] {
        elsewhere
            .run(&["journal", verb])
            .refused(1, "/.heronry/store.redb; name one, or make one");
    }
}

#[test]
fn members_are_listed_whole_or_by_pages() {
    let (place, _server) = pool();
    place.run(&["--pool", "p", "--run", "c", "join"]).ok();
    place
        .run(&["pool", "set", "p", "--limit", "page_items_max=2"])
        .ok();
    let members = |more: &[&str]| {
        let start = ["--pool", "p", "members", "--field", "run_id"];
        place.run(&[&start[..], more].concat()).ok()
    };
    assert_eq!(members(&[]), "a\nb\nc\n");
    assert_eq!(members(&["--limit", "1"]), "a\n");
    assert_eq!(members(&["--limit", "2", "--after", "a"]), "b\nc\n");
    let page = place
        .run(&["--pool", "p", "members", "--limit", "2", "--json"])
        .json();
    assert_eq!(page["next"], "b");
    place
        .run(&["--pool", "p", "members", "--limit", "3"])
        .refused(3, "page_items_max is 2");
}

#[test]
fn an_event_without_a_record_is_shown_to_who_watches_for_such_and_to_nobody_later() {
    let (place, _server) = pool();
    let watch = [
        "--pool",
        "p",
        "watch",
        "--follow",
        "--ephemeral=latest_only",
    ];
    let mut watching = place.start(&watch);
    let delta = ["emit", "model_stream_delta", "--summary", "a word"];
    let delta = [&delta[..], &["--ephemeral"]].concat();
    // It is shown from when the stream has caught up, which nobody says: until it is, it is sent again.
    let shown = (0..100).find_map(|number| {
        let said = place.run_as("p", "a", &delta).ok();
        assert!(said.starts_with("shown as "), "{said}");
        let fact = format!("fact-{number}.");
        place
            .run_as("p", "a", &["emit", "tool_started", "--summary", &fact])
            .ok();
        let lines = watching.until(&fact);
        lines
            .into_iter()
            .find(|line| line.contains("model_stream_delta"))
    });
    let shown = shown.unwrap();
    assert!(
        shown.trim_start().starts_with('~') && shown.contains("a word"),
        "{shown}"
    );
    let later = r#"kind == "model_stream_delta""#;
    assert_eq!(place.run(&["--pool", "p", "watch", later]).ok(), "");
    let ends = ["emit", "tool_completed", "--ephemeral"];
    place.run_as("p", "a", &ends).refused(2, "must be recorded");
    let keyed = ["emit", "model_stream_delta", "--ephemeral", "--key", "k"];
    assert_eq!(place.run_as("p", "a", &keyed).code, Some(2));
    assert_eq!(
        place.run(&["--pool", "p", "watch", "--ephemeral"]).code,
        Some(2)
    );
    watching.kill();
}
