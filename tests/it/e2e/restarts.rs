//! Servers that end and start again while commands wait: the commands go on.

use std::net::TcpListener;

use heronry_tests::process::{Folder, Running};

const FAILED: &str = r#"kind == "run_failed""#;

/// A server whose data directory says where it is; no port is fixed.
fn serve(place: &Folder) -> Running {
    place.serve(&[])
}

fn in_p<'a>(run: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--pool", "p", "--run", run][..], arguments].concat()
}

/// Waits until so many wakes are registered.
fn registered(place: &Folder, count: &str) {
    let filter = r#"kind == "wake_condition_registered""#;
    let seen = [
        "--pool", "p", "watch", filter, "--follow", "--limit", count, "-q",
    ];
    place.run(&seen).ok();
}

/// Ends the server in this way and starts it again; commands wait meanwhile, then get what they
/// wait for.
fn waits_survive(signal: &str, restart: impl Fn(&Folder) -> Running) {
    let place = Folder::new();
    let server = restart(&place);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b", "c"] {
        place.run(&in_p(run, &["join"])).ok();
    }
    place
        .run(&in_p(
            "a",
            &["send", "--to", "run:b", "--id", "m", "--body", "x"],
        ))
        .ok();
    let inbox = place.start(&in_p(
        "a",
        &["inbox", "--wait", "60s", "--field", "message_id"],
    ));
    let receipt = place.start(&in_p(
        "a",
        &["receipt", "m", "--wait", "60s", "--field", "status"],
    ));
    let wait = place.start(&in_p(
        "a",
        &["wait", FAILED, "--timeout", "60s", "--field", "status"],
    ));
    let mut watch = place.start(&[
        "--pool", "p", "watch", "--from", "start", "--follow", "--field", "kind,run",
    ]);
    registered(&place, "1");
    watch.until("wake_condition_registered");

    server.signal(signal);
    server.end();
    let _server = restart(&place);
    place
        .run(&in_p(
            "b",
            &["send", "--to", "run:a", "--id", "answer", "--body", "y"],
        ))
        .ok();
    let claim = place.run(&in_p("b", &["inbox", "--field", "claim"])).ok();
    place.run(&in_p("b", &["ack", claim.trim()])).ok();
    place.run(&in_p("c", &["state", "failed"])).ok();

    assert_eq!(inbox.end().ok(), "answer\n");
    assert!(!receipt.end().ok().is_empty());
    assert_eq!(wait.end().ok(), "triggered\n");
    watch.until("run_failed");
}

#[test]
fn commands_wait_through_a_kill_of_the_server() {
    waits_survive("KILL", serve);
}

#[test]
fn commands_wait_through_a_clean_stop_of_the_server() {
    waits_survive("TERM", serve);
}

#[test]
fn commands_wait_through_a_restart_on_the_same_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    waits_survive("TERM", move |place| {
        let mut server = place.start(&["serve", "--json", "--listen", &listen]);
        server.line();
        // Without the socket, the port is all that says where the server is.
        let note = place.at(".heronry/server.json");
        std::fs::write(note, format!("{{\"url\":\"http://{listen}\"}}\n")).unwrap();
        server
    });
}
