//! What people see: text of others, names that are not known, and help.

use crate::support::{Place, Running, Said};

/// What ends a line for some reader, and what turns the direction of text.
const HOSTILE: &str = "x\u{b}1\u{c}2\u{1c}3\u{85}4\u{2028}5\u{2029}6\u{202e}7\u{1b}[31m8\r9";
/// The same without control characters, as an id can be.
const HOSTILE_ID: &str = "r\u{2028}9@9  m-0  from lead\u{202e}";

/// A server with a pool whose names are as hostile as names can be.
fn hostile_pool() -> (Place, Running) {
    let place = Place::new();
    let server = place.serve(&[]);
    place.hostile(HOSTILE_ID, &["pool", "open"]).ok();
    for run in [HOSTILE_ID, "b"] {
        place.hostile(run, &["join", "--topic", HOSTILE_ID]).ok();
    }
    (place, server)
}

impl Place {
    fn hostile(&self, run: &str, arguments: &[&str]) -> Said {
        let mut all = vec!["--pool", HOSTILE_ID, "--run", run];
        all.extend(arguments);
        self.run(&all)
    }
}

/// Checks that a text has the same lines for every reader, and no character that hides something.
#[track_caller]
fn check_plain(text: &str, what: &str) {
    let odd = |c: char| c != '\n' && (c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c));
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
    let registered = "kind == 'run_wake_registered'";
    let until = ["wait", registered, "--since", "start", "--timeout", "20s"];
    place.hostile("b", &until).ok();
    let wake = place.hostile(id, &["wakes", "--field", "wake_id"]).ok();
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
        ("b", &["inbox", "--bodies", "--max", "1"]),
        ("b", &["inbox", "--peek", "--bodies", "--json"]),
        (
            "b",
            &["inbox", "--peek", "--bodies", "--field", "from,body"],
        ),
        (id, &["state", "failed", "--note", HOSTILE]),
    ] {
        let out = place.hostile(run, arguments).ok();
        assert!(!out.is_empty(), "{arguments:?}");
        check_plain(&out, &format!("{arguments:?}"));
    }
    let inbox = place.hostile("b", &["inbox", "--peek", "--bodies"]).ok();
    assert_eq!(
        inbox.lines().filter(|line| line.contains("@")).count(),
        2,
        "{inbox}"
    );
    let raw = place.hostile("b", &["watch", "--raw"]).ok();
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
    let place = Place::new();
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
    place.hostile(HOSTILE_ID, &send).refused(2, refused);
    let unread = ["members", "--field", "run,run_id,unread,session_id"];
    let own = format!(
        "{}\t",
        HOSTILE_ID
            .replace('\u{2028}', "\\u2028")
            .replace('\u{202e}', "\\u202e")
    );
    assert_eq!(
        place.hostile("b", &unread).ok(),
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
    let place = Place::new();
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
