//! Claims that are held while somebody works: `extend`, `heartbeat --claims`, `inbox --keep`.

use std::process::Stdio;

use heronry_tests::process::{Folder, Running, Said};

/// A server with a pool `p` and the members `a` and `b`, and messages `1`, `2` from the one to the other.
fn pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        act(&place, run, &["join"]).ok();
    }
    for id in ["1", "2"] {
        act(
            &place,
            "a",
            &["send", "--to", "run:b", "--body", "x", "--id", id, "-q"],
        )
        .ok();
    }
    (place, server)
}

fn as_run<'a>(run: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--pool", "p", "--run", run], arguments].concat()
}

fn act(place: &Folder, run: &str, arguments: &[&str]) -> Said {
    place.run(&as_run(run, arguments))
}

/// Waits until `b` has extended its claims so many times.
fn extended(place: &Folder, times: &str) {
    let filter = r#"kind == "run_message_extended" && run == "b""#;
    let seen = [
        "--pool", "p", "watch", filter, "--follow", "--limit", times, "-q",
    ];
    place.run(&seen).ok();
}

/// Returns how often claims have lapsed or were given back.
fn released(place: &Folder) -> usize {
    let watch = ["--pool", "p", "watch", r#"kind == "run_message_released""#];
    place.run(&watch).ok().lines().count()
}

#[test]
fn claims_are_extended_by_a_verb() {
    let (place, _server) = pool();
    let claims = act(&place, "b", &["inbox", "--max", "2", "--field", "claim"]).ok();
    let claims: Vec<&str> = claims.lines().collect();
    let extend = [&["extend"], &*claims, &["--claim-for", "5m"]].concat();
    let said = act(&place, "b", &extend).ok();
    assert!(
        said.contains("held longer") && said.contains(claims[1]),
        "{said}"
    );
    act(&place, "b", &["ack", claims[0], "-q"]).ok();
    let held = act(&place, "b", &[&extend[..], &["--json"]].concat()).json();
    assert_eq!(held["held"], serde_json::json!([claims[1]]));
    act(&place, "b", &["release", claims[1], "-q"]).ok();
    act(&place, "b", &extend).refused(3, "claim-lapsed");
    assert_eq!(act(&place, "b", &["extend"]).code, Some(2));
}

#[test]
fn heartbeats_hold_claims_until_they_are_acknowledged() {
    let (place, _server) = pool();
    let claims = act(
        &place,
        "b",
        &[
            "inbox",
            "--max",
            "2",
            "--claim-for",
            "1s",
            "--field",
            "claim",
        ],
    );
    let claims = claims.ok().trim().replace('\n', ",");
    let once = [
        "heartbeat",
        "--claims",
        &claims,
        "--claim-for",
        "2s",
        "--field",
        "held",
    ];
    let held = act(&place, "b", &once).ok();
    assert_eq!(held.matches('@').count(), 2, "{held}");
    let beats = [&once[..], &["--every", "200ms"]].concat();
    let beating = place.start(&as_run("b", &beats));
    // Longer than any of their terms.
    extended(&place, "16");
    let acked: Vec<&str> = claims.split(',').collect();
    act(&place, "b", &[&["ack"], &*acked].concat()).ok();
    let said = beating.end();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(released(&place), 0);
    let usage = act(&place, "b", &["heartbeat", "--every", "0s"]);
    assert_eq!(usage.code, Some(2), "{usage:?}");
}

#[test]
fn heartbeats_that_have_lost_a_claim_say_so() {
    let (place, _server) = pool();
    let claims = act(&place, "b", &["inbox", "--max", "2", "--field", "claim"]).ok();
    let claims = claims.trim().replace('\n', ",");
    let beats = ["heartbeat", "--claims", &claims, "--every", "100ms"];
    let beating = place.start(&as_run("b", &beats));
    extended(&place, "1");
    for claim in claims.split(',') {
        act(&place, "b", &["release", claim, "-q"]).ok();
    }
    let said = beating.end();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("is not held any more"), "{said:?}");
}

#[test]
fn an_inbox_that_keeps_holds_what_it_printed_until_all_of_it_is_acknowledged() {
    let (place, _server) = pool();
    let keep = [
        "inbox",
        "--max",
        "2",
        "--claim-for",
        "1s",
        "--keep",
        "--field",
        "claim",
    ];
    let mut keeping = place.start(&as_run("b", &keep));
    let claims = [keeping.line(), keeping.line()];
    // Longer than their term: a third of it is the pause in between.
    extended(&place, "8");
    act(&place, "b", &["ack", claims[0].trim(), "-q"]).ok();
    extended(&place, "10");
    act(&place, "b", &["ack", claims[1].trim(), "-q"]).ok();
    let said = keeping.end();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(released(&place), 0);
    // Without anything to hold there is nothing to stay for.
    let empty = act(&place, "b", &["inbox", "--keep", "--wait", "50ms"]);
    assert_eq!(empty.code, Some(4), "{empty:?}");
    let peek = act(&place, "b", &["inbox", "--keep", "--peek"]);
    assert_eq!(peek.code, Some(2), "{peek:?}");
}

#[test]
fn an_inbox_that_keeps_ends_with_who_reads_it_and_its_claims_come_back() {
    let (place, _server) = pool();
    let binary = heronry_tests::process::binary();
    let line = format!(
        "{} inbox --max 2 --claim-for 1s --keep --field claim | head -n 1",
        binary.display()
    );
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(place.path())
        .stdin(Stdio::null());
    shell.env("HERONRY_POOL", "p").env("HERONRY_RUN", "b");
    let first = heronry_tests::process::said(&mut shell);
    assert!(first.out.contains('@'), "{first:?}");
    // The shell has come back: nobody holds them, and they come again.
    let again = ["inbox", "--wait", "60s", "--max", "2", "--field", "attempt"];
    assert!(act(&place, "b", &again).ok().starts_with('2'));
}
