//! The text that people see: text of others, names that are not known, and help.

use heronry_tests::process::{Folder, Running};

/// The characters that end a line for some reader, and those that turn the direction of text.
const HOSTILE: &str = "x\u{b}1\u{c}2\u{1c}3\u{85}4\u{2028}5\u{2029}6\u{202e}7\u{1b}[31m8\r9";
/// The same without control characters, as an id can be.
const HOSTILE_ID: &str = "r\u{2028}9@9  m-0  from lead\u{202e}";

/// A server with a pool whose names are as hostile as names can be.
fn hostile_pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run_as(HOSTILE_ID, HOSTILE_ID, &["pool", "open"]).ok();
    for run in [HOSTILE_ID, "b"] {
        place
            .run_as(HOSTILE_ID, run, &["join", "--topic", HOSTILE_ID])
            .ok();
    }
    (place, server)
}

/// Checks that a text has the same lines for every reader, and no character that hides something.
#[track_caller]
fn check_plain(text: &str, what: &str) {
    let odd = |c: char| {
        !matches!(c, '\n' | '\t') && (c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c))
    };
    assert!(!text.contains(odd), "{what}: {text:?}");
}

#[test]
fn text_of_others_is_one_line_per_line_for_every_reader() {
    let (place, server) = hostile_pool();
    let id = HOSTILE_ID;
    let body = format!("one\n9@9  m-0  {HOSTILE}");
    let send = ["send", "--to", "run:b", "--body", &body, "--id", id];
    let to_self = ["send", "--to", "run:b", "--body", "x", "--key", id];
    let emit = ["emit", "tool_completed", "--summary", HOSTILE, "--tag", id];
    let never = format!("message == \"{id}\" && kind == \"run_failed\"");
    let waits = ["--pool", id, "--run", id, "wait", &never, "--timeout", "1h"];
    let _waiting = place.start(&waits);
    let registered = "kind == 'wake_condition_registered'";
    let seen = [
        "--pool", id, "watch", registered, "--follow", "--field", "kind",
    ];
    assert_eq!(place.start(&seen).line(), "wake_condition_registered\n");
    let wake = place
        .run_as(HOSTILE_ID, id, &["wakes", "--field", "wake_id"])
        .ok();
    for (run, arguments) in [
        (id, &send[..]),
        (id, &to_self),
        (id, &emit),
        (id, &["receipt", id]),
        (id, &["members"]),
        (id, &["pool", "show"]),
        (id, &["pool", "list"]),
        (id, &["wakes"]),
        (id, &["explain", wake.trim_end()]),
        (id, &["watch"]),
        (id, &["watch", "--json"]),
        (id, &["watch", "--field", "run,payload.summary,tags"]),
        ("b", &["inbox", "--peek", "--bodies", "--json"]),
        (
            "b",
            &["inbox", "--peek", "--bodies", "--field", "from,body"],
        ),
        (id, &["state", "failed", "--note", HOSTILE]),
    ] {
        let out = place.run_as(HOSTILE_ID, run, arguments).ok();
        assert!(!out.is_empty(), "{arguments:?}");
        check_plain(&out, &format!("{arguments:?}"));
    }
    let inbox = place.run_as(HOSTILE_ID, "b", &["inbox", "--bodies"]).ok();
    check_plain(&inbox, "inbox");
    let is_item = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
    assert_eq!(inbox.lines().filter(is_item).count(), 1, "{inbox}");
    assert!(inbox.contains("\n  one\n  9@9  m-0  x\\u000b1"), "{inbox}");
    let raw = place.run_as(HOSTILE_ID, "b", &["watch", "--raw"]).ok();
    assert!(raw.contains(HOSTILE), "{raw:?}");
    server.signal("TERM");
    server.end().ok();
    for verb in ["stats", "show", "verify"] {
        let out = place.run(&["--pool", id, "journal", verb]).ok();
        check_plain(&out, verb);
    }
}

#[test]
fn diagnostics_quote_what_was_typed_as_one_line() {
    let (place, _server) = hostile_pool();
    for arguments in [
        &["--pool", "none\u{2028}such", "members"][..],
        &["no\u{2028}verb"],
        &["serve", "--store", HOSTILE],
        &["pool", "show", "p", "--field", HOSTILE],
        &["man", HOSTILE],
        &["filter", "check", "kind == 'a\u{2028}b'"],
        &["up", HOSTILE],
        &["emit", HOSTILE, "--pool", "p"],
    ] {
        let said = place.run(arguments);
        assert_ne!(said.code, Some(0), "{arguments:?}");
        assert_ne!(said.err, "", "{arguments:?}");
        check_plain(&said.err, &format!("{arguments:?}"));
    }
}

#[test]
fn what_members_print_is_shown_line_by_line() {
    let place = Folder::new();
    let script = r"printf 'a\rb\vc\342\200\250d\n'; head -c 9000 /dev/zero | tr '\0' x; echo";
    let member = format!("[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", {script:?}]\n");
    place.write("pool.toml", format!("pool = \"p\"\n{member}"));
    let out = place.run(&["up", "pool.toml"]).ok();
    check_plain(&out, "up");
    assert!(out.contains(r"a | a\rb\u000bc\u2028d"), "{out}");
    let mark = "x [heronry: the line is cut here; 808 bytes more]\n";
    assert!(out.contains(mark), "{out}");
    let log = std::fs::read_to_string(place.at(".heronry/logs/p.1/a.log")).unwrap();
    assert!(log.ends_with(mark), "{log}");
}

#[test]
fn a_field_that_no_answer_has_is_refused_before_anything_is_done() {
    let (place, server) = hostile_pool();
    let send = [
        "send",
        "--to",
        "run:b",
        "--body",
        "x",
        "--field",
        "mesage_id",
    ];
    let refused = "has no field \"mesage_id\"; did you mean message_id?; it has: message_id, ";
    place
        .run_as(HOSTILE_ID, HOSTILE_ID, &send)
        .refused(2, refused);
    let unread = ["members", "--field", "run,run_id,unread,session_id"];
    let own = format!(
        "{}\t",
        HOSTILE_ID
            .replace('\u{2028}', "\\u2028")
            .replace('\u{202e}', "\\u202e")
    );
    assert_eq!(
        place.run_as(HOSTILE_ID, "b", &unread).ok(),
        format!("b\tb\t0\t\n{own}{own}0\t\n")
    );
    server.signal("TERM");
    server.end().ok();
    let pool = ["--pool", HOSTILE_ID, "journal"];
    let shown = place.run(&[&pool[..], &["show", "--json"]].concat()).ok();
    for line in shown.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        for name in record.as_object().unwrap().keys() {
            let show = [&pool[..], &["show", "--limit", "1", "--field", name]].concat();
            place.run(&show).ok();
        }
    }
    for verb in ["show", "stats", "verify"] {
        let wrong = [&pool[..], &[verb, "--field", "poool"]].concat();
        place.run(&wrong).refused(2, "has no field \"poool\"");
    }
}

#[test]
fn help_is_a_verb_too() {
    let place = Folder::new();
    for (verb, asked) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "send"], &["send", "--help"]),
        (
            &["help", "journal", "verify"],
            &["journal", "verify", "--help"],
        ),
    ] {
        assert_eq!(place.run(verb).ok(), place.run(asked).ok(), "{verb:?}");
    }
    let wrong = "there is no verb \"sned\"; did you mean send?";
    place.run(&["help", "sned"]).refused(2, wrong);
}

#[test]
fn an_id_that_no_path_can_name_is_a_usage_error() {
    let (place, _server) = hostile_pool();
    let refused = "\"..\" cannot stand in a path; choose another id";
    place.run(&["pool", "open", ".."]).refused(2, refused);
    for arguments in [
        &["--run", "..", "join"][..],
        &["--run", "x", "join", "--agent", ".."],
        &["--run", "x", "join", "--topic", ".."],
        &[
            "--run", "b", "send", "--to", "pool", "--body", "x", "--id", "..",
        ],
    ] {
        let all = [&["--pool", HOSTILE_ID][..], arguments].concat();
        place.run(&all).refused(2, refused);
    }
}

#[test]
fn what_cannot_be_read_is_said_in_words_of_the_domain() {
    let (place, _server) = hostile_pool();
    place.write("pool.json", "{\"limits\":{\"inbox_depth_mx\":1}}");
    place
        .run(&["pool", "open", "q", "--config", "pool.json"])
        .refused(
            2,
            "pool.json:1: \"inbox_depth_mx\" is no limit name; the nearest are inbox_depth_max, ",
        );
    place.write("events", "{\"kind\":\"tool_strated\"}\n");
    place
        .run_as(HOSTILE_ID, "b", &["emit", "--file", "events"])
        .refused(
            2,
            "line 1: \"tool_strated\" is no event kind; the nearest are tool_started, ",
        );
    let said = place.run_as(HOSTILE_ID, "b", &["emit", "tool_strated"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("the nearest are tool_started, "),
        "{said:?}"
    );
    assert!(said.err.len() < 400, "{said:?}");
}

#[test]
fn one_is_said_as_one() {
    let (place, server) = hostile_pool();
    server.signal("TERM");
    server.end().ok();
    let out = place.run(&["journal", "verify"]).ok();
    assert!(out.ends_with(": 1 pool ok\n"), "{out}");
}

/// Limits lower than every default of ours.
const LOW: [&str; 6] = [
    "claim_ms_max=1000",
    "long_poll_ms_max=100",
    "page_items_max=2",
    "body_inline_bytes_max=4",
    "lease_ms_max=1",
    "filter_text_bytes_max=20",
];

/// A server with a pool `p` of such limits, and the members `a`, `b` and `c`.
fn low_pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    let mut open = vec!["pool", "open", "p"];
    open.extend(LOW.iter().flat_map(|limit| ["--limit", limit]));
    place.run(&open).ok();
    for run in ["a", "b", "c"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    (place, server)
}

#[test]
fn a53_every_command_that_has_a_default_works_under_lower_limits() {
    let (place, _server) = low_pool();
    let act = |run: &str, arguments: &[&str]| {
        place.run(&[&["--pool", "p", "--run", run][..], arguments].concat())
    };
    let send = [
        "send",
        "--to",
        "run:b",
        "--body",
        "longer than that",
        "--id",
    ];
    for id in ["m1", "m2", "m3"] {
        act("a", &[&send[..], &[id]].concat()).ok();
    }
    let members = act("a", &["members", "--field", "run"]).ok();
    assert_eq!(members, "a\nb\nc\n");
    let item = act("b", &["inbox", "--bodies", "--field", "claim,body"]).ok();
    let (claim, body) = item.trim_end().split_once('\t').unwrap();
    assert_eq!(body, "longer than that");
    act("b", &["extend", claim]).ok();
    act("b", &["release", claim]).ok();
    let ask = [
        "ask",
        "--to",
        "run:c",
        "--body",
        "longer than that",
        "--within",
        "300ms",
    ];
    for (run, arguments, code) in [
        ("a", &ask[..], 4),
        ("b", &["inbox", "--peek"], 0),
        ("a", &["inbox", "--wait", "300ms"], 4),
        ("a", &["receipt", "m1"], 0),
        ("a", &["receipt", "m1", "--wait", "300ms"], 4),
        (
            "a",
            &["wait", "kind == 'run_completed'", "--timeout", "300ms"],
            3,
        ),
        ("a", &["wait", "'x' in tags", "--timeout", "300ms"], 4),
        ("a", &["wakes"], 0),
        ("a", &["effects", "list"], 0),
        ("a", &["dead-letters", "list"], 0),
        ("a", &["watch"], 0),
        ("a", &["pool", "show"], 0),
        ("b", &["inbox", "--wait", "20s"], 0),
        ("c", &["heartbeat"], 0),
        ("c", &["leave"], 0),
        ("a", &["state", "completed"], 0),
    ] {
        let said = act(run, arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
    }
}

#[test]
fn a53_a_callers_own_value_is_refused_and_every_limit_is_shown() {
    let (place, _server) = low_pool();
    let act = |run: &str, arguments: &[&str]| {
        place.run(&[&["--pool", "p", "--run", run][..], arguments].concat())
    };
    let own = act("b", &["inbox", "--claim-for", "2s"]);
    own.refused(3, "claim_ms_max is 1000, and the request has 2000");
    let shown = act("b", &["pool", "show"]).ok();
    assert!(shown.contains("limit claim_ms_max 1000 (set)\n"), "{shown}");
    assert!(shown.contains("limit tags_max 32\n"), "{shown}");
    let field = [
        "pool",
        "show",
        "--field",
        "limits.claim_ms_max,limits.tags_max",
    ];
    assert_eq!(act("b", &field).ok(), "1000\t32\n");
}

#[test]
fn a53_a_job_runs_under_lower_limits() {
    let place = Folder::new();
    let limits: String = LOW
        .iter()
        .map(|limit| limit.replace('=', " = ") + "\n")
        .collect();
    let failing =
        "[[member]]\nagent = \"a\"\nrestart = \"never\"\ncommand = [\"sh\", \"-c\", \"exit 7\"]\n";
    let text = format!("pool = \"p\"\n{failing}[limits]\nnote_bytes_max = 0\n{limits}");
    place.write("pool.toml", text);
    for job in ["1", "2"] {
        let said = place.run(&["up", "pool.toml", "--json"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        let summary: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(
            (&summary["job"], &summary["outcome"]),
            (&job.into(), &"failed".into())
        );
    }
}

/// The rows of a JSON answer: it is one itself, or has a list of them.
fn rows_of(answer: &serde_json::Value) -> Vec<&serde_json::Value> {
    let lists = [
        "pools",
        "members",
        "items",
        "wakes",
        "effects",
        "dead_letters",
        "replies",
        "files",
    ];
    let list = lists.iter().find_map(|list| answer.get(list)?.as_array());
    list.map_or_else(|| vec![answer], |rows| rows.iter().collect())
}

#[test]
fn every_field_that_an_answer_has_is_known() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    let act = |run: &str, arguments: &[&str]| {
        place.run(&[&["--pool", "p", "--run", run][..], arguments].concat())
    };
    act("a", &["pool", "open"]).ok();
    for run in ["a", "b", "c"] {
        act(run, &["join"]).ok();
    }
    let send = ["send", "--to", "run:b", "--body", "x", "--id", "m"];
    for (run, arguments) in [
        ("a", &send[..]),
        ("a", &["receipt", "m"]),
        ("a", &["join"]),
        ("a", &["heartbeat"]),
        ("a", &["members"]),
        ("a", &["pool", "show"]),
        ("a", &["pool", "list"]),
        ("a", &["pool", "open"]),
        ("a", &["pool", "set", "--limit", "tags_max=7"]),
        ("b", &["inbox", "--bodies"]),
        ("a", &["status"]),
        (
            "a",
            &["ask", "--to", "run:b", "--body", "x", "--within", "1ms"],
        ),
        ("a", &["forget", "--all"]),
        ("a", &["cancel", "m"]),
        ("a", &["emit", "tool_completed"]),
        ("a", &["wait", "kind == 'run_failed'", "--timeout", "1ms"]),
        ("a", &["wakes"]),
        ("a", &["contents", "put", "--body", "x"]),
        ("a", &["filter", "check", "terminal"]),
        ("a", &["watch"]),
        ("c", &["state", "completed"]),
    ] {
        let out = act(run, &[arguments, &["--json"]].concat()).out;
        let mut names = std::collections::BTreeSet::new();
        for line in out.lines() {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            for row in rows_of(&answer) {
                names.extend(row.as_object().unwrap().keys().cloned());
            }
        }
        assert!(
            ["wakes", "ask", "forget"].contains(&arguments[0]) || !names.is_empty(),
            "{arguments:?}: {out}"
        );
        let names: Vec<String> = names
            .into_iter()
            .chain(["no_such_field".to_owned()])
            .collect();
        // What is known is passed over, and nothing is done because of the last one.
        act(run, &[arguments, &["--field", &names.join(",")]].concat())
            .refused(2, "has no field \"no_such_field\"");
    }
}
