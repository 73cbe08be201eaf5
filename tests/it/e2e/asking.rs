//! Asking and waiting for what has happened: `ask`, `send`, `receipt --wait`, `wait --after`.

use heronry_tests::process::{Folder, Running, Said};

/// A server with a pool `p` and the members `a`, `b` and `c`.
fn pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b", "c"] {
        place.run(&as_run(run, &["join", "--topic", "t"])).ok();
    }
    (place, server)
}

fn as_run<'a>(run: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--pool", "p", "--run", run], arguments].concat()
}

fn act(place: &Folder, run: &str, arguments: &[&str]) -> Said {
    place.run(&as_run(run, arguments))
}

/// Replies to a question.
fn reply(place: &Folder, run: &str, (question, body): (&str, &str)) {
    let send = [
        "send",
        "--to",
        "run:a",
        "--reply-to",
        question,
        "--body",
        body,
        "-q",
    ];
    act(place, run, &send).ok();
}

/// Waits until a message of this id is there.
fn is_sent(place: &Folder, message: &str) {
    let filter = format!("kind == \"run_message_delivered\" && message == \"{message}\"");
    let seen = [
        "--pool", "p", "watch", &filter, "--follow", "--limit", "1", "-q",
    ];
    place.run(&seen).ok();
}

const ASK: [&str; 9] = [
    "ask",
    "--to",
    "run:b",
    "--body",
    "how many?",
    "--id",
    "q",
    "--key",
    "q",
];

#[test]
fn a_question_prints_its_replies_and_acknowledges_them_alone() {
    let (place, _server) = pool();
    let asked = [&ASK[..], &["--within", "10m", "--field", "run_id,body"]].concat();
    let asking = place.start(&as_run("a", &asked));
    is_sent(&place, "q");
    // Something else lies in the inbox before the reply, and after it.
    act(
        &place,
        "b",
        &["send", "--to", "run:a", "--body", "news", "--id", "n1"],
    )
    .ok();
    reply(&place, "b", ("q", "four\tand two"));
    let said = asking.end();
    assert_eq!(said.ok(), "b\tfour\\tand two\n");
    let left = ["inbox", "--peek", "--max", "9", "--field", "message_id"];
    assert_eq!(act(&place, "a", &left).ok(), "n1\n");
    // Repeated with its key it goes on with the same question, and prints the same replies again.
    assert_eq!(act(&place, "a", &asked).ok(), "b\tfour\\tand two\n");
    let text = act(&place, "a", &[&ASK[..], &["--within", "10m"]].concat()).ok();
    assert!(text.starts_with("b replied "), "{text}");
    assert!(text.ends_with("\n  four\tand two\n"), "{text}");
    let json = act(
        &place,
        "a",
        &[&ASK[..], &["--within", "10m", "--json"]].concat(),
    )
    .json();
    assert_eq!(
        (&json["status"], &json["message_id"]),
        (&"responded".into(), &"q".into())
    );
    assert_eq!(json["replies"][0]["body"], "four\tand two");
    let accepted = [
        "--pool",
        "p",
        "watch",
        "kind == \"run_message_accepted\" && message == \"q\"",
    ];
    assert_eq!(
        place.run(&accepted).ok().lines().count(),
        1,
        "it was asked once"
    );
}

#[test]
fn a_question_that_is_killed_and_repeated_goes_on_with_the_same_one() {
    let (place, server) = pool();
    let asked = [&ASK[..], &["--within", "10m", "--field", "body"]].concat();
    let killed = place.start(&as_run("a", &asked));
    is_sent(&place, "q");
    killed.kill();
    server.kill();
    let _server = place.serve(&[]);
    reply(&place, "b", ("q", "six"));
    assert_eq!(act(&place, "a", &asked).ok(), "six\n");
    assert_eq!(act(&place, "a", &["inbox", "--field", "claim"]).ok(), "");
}

#[test]
fn a_question_waits_for_a_server_that_starts_again() {
    let (place, server) = pool();
    let asked = [&ASK[..], &["--within", "10m", "--field", "body"]].concat();
    let asking = place.start(&as_run("a", &asked));
    is_sent(&place, "q");
    server.kill();
    let _server = place.serve(&[]);
    reply(&place, "b", ("q", "six"));
    assert_eq!(asking.end().ok(), "six\n");
}

#[test]
fn a_question_without_replies_in_time_ends_with_4() {
    let (place, _server) = pool();
    let within = ["--within", "300ms", "--field", "body"];
    let late = act(&place, "a", &[&ASK[..], &within].concat());
    assert_eq!((late.code, &*late.out), (Some(4), ""), "{late:?}");
    assert!(
        late.err.contains("q timed_out with 0 of 1 replies"),
        "{late:?}"
    );

    // Two are expected, and one comes.
    let ask = [
        "ask",
        "--to",
        "topic:t",
        "--expect-from",
        "b",
        "--expect-from",
        "c",
    ];
    let two = [
        "--body", "?", "--expect", "2", "--id", "two", "--within", "3s", "--field", "body",
    ];
    let asking = place.start(&as_run("a", &[&ask[..], &two].concat()));
    is_sent(&place, "two");
    reply(&place, "c", ("two", "one of them"));
    let late = asking.end();
    assert_eq!(
        (late.code, &*late.out),
        (Some(4), "one of them\n"),
        "{late:?}"
    );
}

#[test]
fn a_question_that_has_no_answer_ends_with_1_and_one_to_nobody_with_3() {
    let (place, _server) = pool();
    // Who acknowledges without a reply has declined.
    let ask = [
        "ask", "--to", "run:c", "--body", "?", "--id", "declined", "--within", "10m",
    ];
    let asking = place.start(&as_run("a", &ask));
    is_sent(&place, "declined");
    let claims = act(&place, "c", &["inbox", "--max", "9", "--field", "claim"]).ok();
    act(
        &place,
        "c",
        &[&["ack"], &*claims.lines().collect::<Vec<_>>()].concat(),
    )
    .ok();
    let declined = asking.end();
    assert_eq!(declined.code, Some(1), "{declined:?}");

    let nobody = [
        "ask",
        "--to",
        "run:nobody",
        "--body",
        "?",
        "--within",
        "10m",
    ];
    let nobody = act(&place, "a", &nobody);
    nobody.refused(3, "");
    let no_time = act(&place, "a", &["ask", "--to", "run:b", "--body", "?"]);
    assert_eq!(no_time.code, Some(2), "{no_time:?}");
}

#[test]
fn a_message_needs_a_body_and_one_that_nobody_gets_says_so() {
    let (place, _server) = pool();
    for missing in [
        &["send", "--to", "run:b"][..],
        &["ask", "--to", "run:b", "--within", "1s"],
    ] {
        let said = act(&place, "a", missing);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("--body"), "{said:?}");
    }
    let sent = [
        "--pool",
        "p",
        "watch",
        "family == \"agent_pool\" && message != \"\"",
    ];
    assert_eq!(place.run(&sent).ok(), "", "nothing was sent");
    let empty = act(
        &place,
        "a",
        &["send", "--to", "run:b", "--body", "", "--field", "status"],
    );
    assert_eq!(empty.ok(), "delivered\n");

    let nobody = [
        "send",
        "--to",
        "topic:none",
        "--body",
        "x",
        "--field",
        "status",
    ];
    let said = act(&place, "a", &nobody);
    assert_eq!((said.code, &*said.out), (Some(3), "failed\n"), "{said:?}");
    assert!(said.err.contains("nobody got"), "{said:?}");
    assert!(said.err.contains("no_recipient"), "{said:?}");
    let quiet = act(
        &place,
        "a",
        &["send", "--to", "topic:none", "--body", "x", "-q"],
    );
    quiet.refused(3, "nobody got");
    let allowed = act(&place, "a", &[&nobody[..], &["--allow-nobody"]].concat());
    assert_eq!((allowed.code, &*allowed.err), (Some(0), ""), "{allowed:?}");
}

/// Sends a question of `a` to `b` and does not wait.
fn question(place: &Folder, id: &str) {
    let send = ["send", "--to", "run:b", "--id", id, "--body", "?"];
    let contract = ["--expect", "1", "--within", "10m", "-q"];
    act(place, "a", &[&send[..], &contract].concat()).ok();
}

#[test]
fn a_receipt_of_what_is_over_answers_at_once_and_otherwise_at_the_change() {
    let (place, _server) = pool();
    question(&place, "q");
    reply(&place, "b", ("q", "!"));
    for point in [
        &[][..],
        &["--until", "ended"],
        &["--until", "acked"],
        &["--until", "responded"],
    ] {
        let receipt = ["receipt", "q", "--wait", "10m", "--field", "status"];
        let said = act(&place, "a", &[&receipt[..], point].concat());
        assert_eq!(said.ok(), "responded\n", "{point:?}");
    }
    question(&place, "r");
    let receipt = [
        "receipt",
        "r",
        "--wait",
        "10m",
        "--until",
        "responded",
        "--field",
        "status",
    ];
    let waiting = place.start(&as_run("a", &receipt));
    // A change that is not the one it waits for.
    act(&place, "b", &["inbox", "--max", "9", "-q"]).ok();
    reply(&place, "b", ("r", "!"));
    assert_eq!(waiting.end().ok(), "responded\n");
}

#[test]
fn a_receipt_that_has_not_come_to_the_point_says_so_by_the_exit_code() {
    let (place, _server) = pool();
    question(&place, "s");
    let late = act(
        &place,
        "a",
        &["receipt", "s", "--wait", "50ms", "--until", "ended"],
    );
    assert_eq!(late.code, Some(4), "{late:?}");
    act(&place, "a", &["cancel", "s", "-q"]).ok();
    for (point, code) in [("ended", 0), ("acked", 0), ("responded", 1)] {
        let over = [
            "receipt", "s", "--wait", "10m", "--until", point, "--field", "status",
        ];
        let said = act(&place, "a", &over);
        assert_eq!(
            (said.code, &*said.out),
            (Some(code), "cancelled\n"),
            "{point}"
        );
    }
    let both = [
        "receipt", "s", "--wait", "1s", "--until", "ended", "--since", "start",
    ];
    assert_eq!(act(&place, "a", &both).code, Some(2));
}
