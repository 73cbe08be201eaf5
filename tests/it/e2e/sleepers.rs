//! Members that sleep, wired pools and orders, as processes of `heronry up`.

use heronry_tests::process::{Folder, Running};

/// The pool of the first job.
const POOL: &str = "team.1";

/// A desk that is waited for, and a writer that sleeps until somebody writes to it.
const TEAM: &str = r#"
pool = "team"
peering = "wired"
[[member]]
agent = "desk"
command = ["sh", "-c", "heronry inbox --wait 60s --bodies --field body"]
[[member]]
agent = "writer"
start = "on_message"
command = ["sh", "-c", "echo woken by $HERONRY_WOKEN_BY; heronry inbox --bodies --field claim,body | while read -r claim body; do echo $body; heronry ack $claim -q; done; heronry send --to run:desk --body done --key $HERONRY_GENERATION -q"]
[[member]]
agent = "spare"
start = "lazy"
command = ["sh", "-c", "echo spare runs; heronry inbox --wait 60s"]
[[edge]]
hub = "desk"
spokes = ["writer", "spare"]
"#;

fn up(place: &Folder) -> Running {
    place.write("pool.toml", TEAM);
    let mut running = place.start(&["up", "pool.toml"]);
    running.until("server ");
    running
}

/// Waits until a member stands so.
fn standing(place: &Folder, run: &str, wanted: &str) {
    let wake = format!("kind == \"member_standing\" && run == \"{run}\"");
    loop {
        let fields = "--field";
        let shown = place.run(&["--pool", POOL, "roster", "show", fields, "run_id,standing"]);
        if shown.ok().contains(&format!("{run}\t{wanted}\n")) {
            return;
        }
        let mut watching =
            place.start(&["--pool", POOL, "watch", &wake, "--from", "head", "--follow"]);
        // It may have changed before the watch began: then it is looked at again.
        let shown = place.run(&["--pool", POOL, "roster", "show", fields, "run_id,standing"]);
        if shown.ok().contains(&format!("{run}\t{wanted}\n")) {
            return;
        }
        watching.line();
    }
}

#[test]
fn r30_a_message_starts_the_process_of_a_member_that_sleeps() {
    let place = Folder::new();
    let mut running = up(&place);
    standing(&place, "writer", "dormant");
    let send = [
        "send",
        "--to",
        "run:writer",
        "--body",
        "a draft",
        "--key",
        "k",
    ];
    place.run_as(POOL, "desk", &send).ok();
    let lines = running.until("writer | a draft");
    let woken = lines
        .iter()
        .any(|line| line.contains("woken by") && line.contains("message:"));
    assert!(woken, "{lines:?}");
    running.until("desk   | done");
    let said = running.end().ok();
    assert!(said.contains("job team.1 completed"), "{said}");
}

#[test]
fn r27_a_member_reaches_those_that_it_has_an_edge_with() {
    let place = Folder::new();
    let mut running = up(&place);
    standing(&place, "spare", "dormant");
    let send = |to: &str, key: &str| {
        let send = ["--json", "send", "--to", to, "--body", "x", "--key", key];
        serde_json::from_str::<serde_json::Value>(&place.run_as(POOL, "writer", &send).out).unwrap()
    };
    let refused = send("run:spare", "k1");
    assert_eq!(refused["status"], "failed", "{refused}");
    assert_eq!(refused["reason"], "not_peered", "{refused}");
    let to_all = send("pool", "k2");
    assert_eq!(to_all["recipients"][0]["run_id"], "desk", "{to_all}");
    assert_eq!(
        to_all["not_peered"],
        serde_json::json!(["spare"]),
        "{to_all}"
    );
    running.until("desk   | x");
    running.end().ok();
}

#[test]
fn a_roster_is_planned_and_a_sleeping_member_started_and_stopped_by_hand() {
    let place = Folder::new();
    let mut running = up(&place);
    standing(&place, "desk", "active");
    standing(&place, "spare", "dormant");
    let roster = |arguments: &[&str]| {
        let all = [&["--pool", POOL, "roster"], arguments].concat();
        place.run(&all)
    };
    assert_eq!(roster(&["plan"]).ok(), "");
    let applied = roster(&["apply"]).ok();
    assert!(applied.contains("3 members: 3 retained"), "{applied}");
    assert_eq!(roster(&["start", "spare"]).ok().trim(), "spare is started");
    running.until("spare  | spare runs");
    standing(&place, "spare", "active");
    assert_eq!(roster(&["stop", "spare"]).ok().trim(), "spare is stopped");
    standing(&place, "spare", "dormant");
    roster(&["start", "nobody"]).refused(3, "not-specified");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(143));
}
