//! `heronry wait` and `heronry watch`: nothing is missed, and nothing is polled by the test either.

use heronry_tests::process::{Folder, Running, Said};

const SENT_TO_B: &str = r#"kind == "run_message_accepted" && run == "a""#;

fn pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    (place, server)
}

fn send(place: &Folder, id: &str) {
    let to = [
        "--pool", "p", "--run", "a", "send", "--to", "run:b", "--body", "x", "--id", id, "--key",
        id,
    ];
    place.run(&to).ok();
}

const WAIT: [&str; 8] = [
    "--pool",
    "p",
    "--run",
    "b",
    "--field",
    "matches.0.id",
    "wait",
    SENT_TO_B,
];

/// Waits until so many wakes are registered, and returns how many there are in all.
fn registered(place: &Folder, count: usize) -> usize {
    let limit = count.to_string();
    let filter = r#"kind == "wake_condition_registered""#;
    let seen = [
        "--pool", "p", "watch", filter, "--follow", "--limit", &limit, "--field", "id",
    ];
    place.run(&seen).ok().lines().count()
}

/// Returns the message that an event is about.
fn message_of(place: &Folder, said: Said) -> String {
    let id = said.ok();
    let position = id.trim().rsplit_once('-').unwrap().1.to_owned();
    let filter = format!("position == {position}");
    place
        .run(&["--pool", "p", "watch", &filter, "--field", "message"])
        .ok()
        .trim()
        .to_owned()
}

#[test]
fn a_loop_over_wait_gets_every_event_once_and_in_order() {
    let (place, _server) = pool();
    let first = place.start(&WAIT);
    assert_eq!(registered(&place, 1), 1);
    for id in ["one", "two", "three"] {
        send(&place, id);
    }
    assert_eq!(message_of(&place, first.end()), "one");
    // The others came while nobody waited.
    assert_eq!(message_of(&place, place.run(&WAIT)), "two");
    assert_eq!(message_of(&place, place.run(&WAIT)), "three");
    let none = place.run(&[&WAIT[..], &["--timeout", "50ms"]].concat());
    assert_eq!(none.code, Some(4), "{none:?}");
    send(&place, "four");
    assert_eq!(message_of(&place, place.run(&WAIT)), "four");
}

#[test]
fn a_wait_that_is_killed_and_repeated_continues_the_same_wake() {
    let (place, server) = pool();
    let killed = place.start(&WAIT);
    assert_eq!(registered(&place, 1), 1);
    killed.kill();
    // The wake outlives the server too.
    server.kill();
    let _server = place.serve(&[]);
    send(&place, "one");
    assert_eq!(message_of(&place, place.run(&WAIT)), "one");
    let filter = r#"kind == "wake_condition_registered""#;
    let all = place
        .run(&["--pool", "p", "watch", filter, "--field", "id"])
        .ok();
    assert_eq!(all.lines().count(), 1, "{all}");
}

#[test]
fn a_wait_survives_a_server_that_starts_again() {
    let place = Folder::new();
    let server = place.serve(&[]);
    let note = std::fs::read_to_string(place.at(".heronry/server.json")).unwrap();
    let port = note
        .trim_end_matches(['"', '}', '\n'])
        .rsplit(':')
        .next()
        .unwrap()
        .to_owned();
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    let waiting = place.start(&WAIT);
    assert_eq!(registered(&place, 1), 1);
    server.kill();
    let address = format!("127.0.0.1:{port}");
    let mut again = place.start(&["serve", "--listen", &address, "--json"]);
    again.line();
    send(&place, "one");
    assert_eq!(message_of(&place, waiting.end()), "one");
}

#[test]
fn a_watch_follows_from_the_first_event_to_new_ones() {
    let (place, _server) = pool();
    let follow = [
        "--pool", "p", "watch", "--from", "start", "--follow", "--field", "kind",
    ];
    let mut watch = place.start(&follow);
    let old = watch.until("agent_pool_run_joined");
    assert_eq!(old[0], "agent_pool_created\n");
    send(&place, "one");
    let new = watch.until("run_message_delivered");
    assert_eq!(new.len(), 3, "{new:?}");
    let page = place.run(&["--pool", "p", "watch", "--from", "head"]);
    assert_eq!(page.ok(), "");
    let lines = place.run(&["--pool", "p", "watch"]).ok();
    assert_eq!(lines.lines().count(), 5, "{lines}");
}

#[test]
fn a_cursor_file_says_where_a_watch_goes_on() {
    let (place, _server) = pool();
    let watch = [
        "--pool",
        "p",
        "watch",
        "--cursor-file",
        "c",
        "--field",
        "position",
    ];
    assert_eq!(place.run(&watch).ok(), "1\n2\n3\n");
    assert_eq!(place.run(&watch).ok(), "");
    send(&place, "one");
    assert_eq!(place.run(&watch).ok(), "4\n5\n");
    place.write("c", "7\n");
    place.run(&watch).refused(2, "remove the file");
}

#[test]
fn w1_a_wait_suspends_its_run_and_a_repeated_one_suspends_it_again() {
    let (place, _server) = pool();
    let no_end = place.run(&[&WAIT[..], &["--suspend"]].concat());
    assert_eq!(no_end.code, Some(2), "{no_end:?}");
    let wait = [&WAIT[..], &["--suspend", "--timeout", "10m"]].concat();
    let b = ["--pool", "p", "--run", "b"];
    let state = || {
        let members = ["--pool", "p", "members", "--field", "run_id,state"];
        place.run(&members).ok().lines().last().unwrap().to_owned()
    };
    let filter = r#"kind == "run_suspended""#;
    for count in ["1", "2"] {
        // A run that does something goes on, and whoever waits for it is told.
        let waiting = place.start(&wait);
        let seen = ["--pool", "p", "watch", filter, "--follow", "--limit", count];
        place.run(&seen).ok();
        assert_eq!(state(), "b\tsuspended");
        let members = place.run(&["--pool", "p", "members"]).ok();
        assert!(members.contains("suspended until"), "{members}");
        assert!(
            place
                .run(&["--pool", "p", "pool", "show"])
                .ok()
                .contains("1 suspended")
        );
        place.run(&[&b[..], &["state", "active"]].concat()).ok();
        let told = waiting.end();
        assert_eq!(told.code, Some(1), "{told:?}");
        assert_eq!(state(), "b\tactive");
    }
    let waiting = place.start(&wait);
    place
        .run(&["--pool", "p", "watch", filter, "--follow", "--limit", "3"])
        .ok();
    send(&place, "one");
    assert_eq!(message_of(&place, waiting.end()), "one");
    assert_eq!(state(), "b\tactive");
    let forever = place.run(&[&b[..], &["state", "suspended", "--forever"]].concat());
    assert_eq!(forever.ok().trim(), "b suspended");
    let refused = place.run(&[&b[..], &["state", "suspended"]].concat());
    refused.refused(2, "forever");
}

#[test]
fn w1_a_wait_carries_policies_and_ends_when_its_run_does_not_hold_them_any_more() {
    let (place, _server) = pool();
    let b = ["--pool", "p", "--run", "b"];
    let join = |instance: &str, policies: &[&str]| {
        let join = [&b[..], &["join", "--instance", instance], policies].concat();
        place.run(&join).ok();
    };
    let carrying = [&WAIT[..], &["--policy", "privacy:pii@2"]].concat();
    let refused = place.run(&carrying);
    refused.refused(3, "policy pii of kind privacy is missing");
    place.run(&[&b[..], &["leave"]].concat()).ok();
    join(
        "one",
        &["--policy", "privacy:pii@2", "--policy", "host:team"],
    );
    let waiting = place.start(&carrying);
    assert_eq!(registered(&place, 1), 1);
    let wakes = [&b[..], &["wakes", "--field", "wake_id,policies.0.id"]].concat();
    let listed = place.run(&wakes).ok();
    let (wake, policy) = listed.trim_end().split_once('\t').unwrap();
    assert_eq!(policy, "pii");
    let explained = place.run(&[&b[..], &["explain", wake]].concat()).ok();
    assert!(explained.contains("privacy:pii@2"), "{explained}");
    join("two", &["--policy", "host:team"]);
    let told = waiting.end();
    assert_eq!(told.code, Some(1), "{told:?}");
    let ended = place.run(&[&b[..], &["wakes"]].concat()).ok();
    assert_eq!(ended.trim(), "");
}

/// Sends a question of `a` to `b`, with its reply.
fn exchange(place: &Folder, id: &str) -> String {
    let ask = [
        "send", "--to", "run:b", "--id", id, "--key", id, "--body", "?", "--expect", "1",
    ];
    let a = ["--pool", "p", "--run", "a"];
    let sent = place
        .run(&[&a[..], &ask, &["--field", "cursor"]].concat())
        .ok();
    let reply = [
        "--pool",
        "p",
        "--run",
        "b",
        "send",
        "--to",
        "run:a",
        "--reply-to",
        id,
    ];
    place
        .run(&[&reply[..], &["--body", "!", "-q"]].concat())
        .ok();
    sent.trim().to_owned()
}

fn responded(id: &str) -> String {
    format!("kind == \"run_message_responded\" && message == \"{id}\"")
}

/// Waits as `a`, a short time at the most, and says on stderr where.
fn wait(place: &Folder, arguments: &[&str]) -> Said {
    let wait = [
        "--pool",
        "p",
        "--run",
        "a",
        "--field",
        "since,status",
        "wait",
    ];
    place.run(&[&wait[..], &["--timeout", "300ms"], arguments].concat())
}

#[test]
fn a_first_wait_begins_after_the_last_that_the_run_sent() {
    let (place, _server) = pool();
    let fresh = wait(&place, &[&responded("none")]);
    assert_eq!(fresh.code, Some(4), "{fresh:?}");
    assert!(
        fresh.err.contains("the head: a has sent and seen nothing"),
        "{fresh:?}"
    );
    let first = exchange(&place, "q1");
    let sent = exchange(&place, "q2");
    let said = wait(&place, &[&responded("q2")]);
    assert!(said.err.contains("the last that a sent or saw"), "{said:?}");
    assert_eq!(said.ok(), format!("{sent}\ttriggered\n"));
    let again = wait(&place, &[&responded("q2")]);
    assert_eq!(again.code, Some(4), "it goes on where it ended: {again:?}");
    assert!(
        again.err.contains("where the last wait for this ended"),
        "{again:?}"
    );

    // Of the first question nothing comes any more; it says what it did not see.
    let missed = wait(&place, &[&responded("q1")]);
    assert_eq!(missed.code, Some(4), "{missed:?}");
    let hint = missed
        .err
        .lines()
        .find(|line| line.contains("would have matched"))
        .unwrap();
    assert!(hint.contains("run_message_responded"), "{hint}");
    let after = hint.split_once("--after ").unwrap().1;
    let after = after.split_once(' ').unwrap().0;
    let seen = wait(&place, &["--after", after, &responded("q1")]);
    assert_eq!(seen.ok(), format!("{after}\ttriggered\n"));
    let by_message = wait(&place, &["--after", "q1", &responded("q1")]);
    assert!(
        by_message.err.contains("where q1 was accepted"),
        "{by_message:?}"
    );
    assert_eq!(by_message.ok(), format!("{first}\ttriggered\n"));
    let unknown = wait(&place, &["--after", "q9", &responded("q1")]);
    unknown.refused(3, "message-not-found");
    let both = wait(
        &place,
        &["--after", "q1", "--since", "start", &responded("q1")],
    );
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn a_wait_after_the_last_goes_on_with_what_it_saw() {
    let (place, _server) = pool();
    let none = wait(&place, &["--after", "last", "terminal"]);
    none.refused(2, "a has sent and seen nothing");
    for id in ["q1", "q2"] {
        exchange(&place, id);
    }
    // A repeated send is the last again, and what came after it counts.
    let repeated = exchange(&place, "q1");
    let any = "kind == \"run_message_responded\"";
    let said = wait(&place, &["--after", "last", any]);
    assert_eq!(said.ok(), format!("{repeated}\ttriggered\n"));
    let json = [
        "--pool", "p", "--run", "a", "--json", "wait", "--after", "last", any,
    ];
    let second = place.run(&json).json();
    assert_eq!(second["status"], "triggered");
    let third = place.run(&[&json[..], &["--timeout", "100ms"]].concat());
    assert_eq!(third.code, Some(4), "{third:?}");
    let third: serde_json::Value = serde_json::from_str(&third.out).unwrap();
    assert_eq!(third["since"], second["matches"][0]["cursor"]);
    assert_eq!(third["early"]["count"], 2);
    assert_eq!(third["early"]["cursor"], second["matches"][0]["cursor"]);
    let quiet = place.run(&[&json[..4], &["-q", "wait", "--after", "q1", any]].concat());
    assert_eq!(quiet.err, "", "{quiet:?}");
}

#[test]
fn what_was_claimed_and_what_was_reported_is_the_last_too() {
    let (place, _server) = pool();
    send(&place, "one");
    let b = ["--pool", "p", "--run", "b"];
    let cursor = place
        .run(&[&b[..], &["inbox", "--field", "cursor"]].concat())
        .ok();
    let since = |place: &Folder| {
        let wait = [
            "--field",
            "since",
            "wait",
            "terminal",
            "--after",
            "last",
            "--timeout",
            "0s",
        ];
        place.run(&[&b[..], &wait].concat()).out.trim().to_owned()
    };
    assert_eq!(since(&place), cursor.trim());
    let emit = [&b[..], &["emit", "tool_started", "--field", "last"]].concat();
    let reported = place.run(&emit).ok();
    assert_eq!(since(&place), reported.trim());
}

#[test]
fn where_waits_ended_is_listed_and_forgotten() {
    let (place, _server) = pool();
    exchange(&place, "q1");
    let filter = responded("q1");
    wait(&place, &[&filter]).ok();
    let forget = |arguments: &[&str]| {
        let forget = [
            "--pool",
            "p",
            "--run",
            "a",
            "forget",
            "--field",
            "of,run,filter",
        ];
        place.run(&[&forget[..], arguments].concat()).ok()
    };
    let both = |listed: String| {
        let mut lines: Vec<String> = listed.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let wait_line = format!("wait\ta\t{filter}");
    let all = vec!["last\ta\t".to_owned(), wait_line.clone()];
    assert_eq!(both(forget(&["--list"])), all);
    assert_eq!(forget(&["kind == \"other\""]), "");
    assert_eq!(forget(&[&filter]), format!("{wait_line}\n"));
    assert_eq!(both(forget(&["--list"])), all[..1]);
    // It is a first wait again.
    wait(&place, &[&filter, "--after", "q1"]).ok();
    assert_eq!(forget(&[]), "last\ta\t\n");
    assert_eq!(forget(&["--list"]), "");
    place.run(&["forget"]).refused(2, "no pool is named");
    place.run(&["forget", "--all"]).ok();
}

#[test]
fn a_wake_is_given_up_and_who_waits_is_told() {
    let (place, _server) = pool();
    let waiting = place.start(&WAIT);
    assert_eq!(registered(&place, 1), 1);
    let b = ["--pool", "p", "--run", "b"];
    let wakes = [&b[..], &["wakes", "--field", "wake_id"]].concat();
    let wake = place.run(&wakes).ok();
    for _again in 0..2 {
        let end = [&b[..], &["wakes", "end", wake.trim(), "--field", "status"]].concat();
        assert_eq!(place.run(&end).ok(), "cancelled\n");
    }
    let told = waiting.end();
    assert_eq!(told.code, Some(1), "{told:?}");
    assert_eq!(place.run(&wakes).ok(), "");
    let unknown = place.run(&[&b[..], &["wakes", "end", "w9"]].concat());
    unknown.refused(3, "wake-not-found");
}
