//! `heronry bridge` and rooms of `watch`, across processes.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Child, Stdio},
};

use serde_json::Value;

use heronry_tests::process::{Folder, Running, Said};

fn pool() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    place.run_as("p", "a", &["join", "--session", "s"]).ok();
    (place, server)
}

/// A bridge whose stdin the test writes.
struct Bridge(Child);

impl Bridge {
    fn start(place: &Folder, arguments: &[&str]) -> Self {
        let mut all = vec!["--pool", "p", "bridge", "--source", "feed", "--json"];
        all.extend(arguments);
        let mut command = place.command(&all);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn write(&mut self, text: &str) {
        let stdin = self.0.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Closes its stdin and waits for its end.
    fn end(mut self) -> Said {
        drop(self.0.stdin.take());
        let output = self.0.wait_with_output().unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn line(position: u64) -> String {
    format!(r#"{{"kind":"tool_started","position":{position},"run":"a"}}"#) + "\n"
}

fn lines(positions: std::ops::RangeInclusive<u64>) -> String {
    positions.map(line).collect()
}

fn bridge(place: &Folder, text: &str, arguments: &[&str]) -> Said {
    let mut bridge = Bridge::start(place, arguments);
    bridge.write(text);
    bridge.end()
}

/// Returns the places in the source of what came into the pool.
fn positions(place: &Folder) -> Vec<String> {
    let said = place.run(&["--pool", "p", "watch", "kind == 'tool_started'", "--json"]);
    let events = said.ok();
    let events = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .map(|event| {
            event["source"]["correlation"]["position"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Waits until so many events of the source are in the pool.
fn until_taken(place: &Folder, count: u64) {
    let count = count.to_string();
    let mut watch = vec!["--pool", "p", "watch", "kind == 'tool_started'", "--follow"];
    watch.extend(["--limit", &count, "--field", "position"]);
    place.run(&watch).ok();
}

#[test]
fn o13_a_killed_bridge_is_started_again_and_doubles_nothing() {
    let (place, _server) = pool();
    for (batch, upto) in [("3", 10), ("1", 13), ("7", 40), ("64", 45)] {
        let mut bridge = Bridge::start(&place, &["--batch", batch]);
        bridge.write(&lines(1..=upto));
        until_taken(&place, upto);
        bridge.write(&lines(upto + 1..=upto + 2));
        bridge.kill();
    }
    let said = bridge(&place, &lines(1..=60), &["--batch", "5"]);
    let report = said.json();
    let sum = report["appended"].as_u64().unwrap() + report["repeated"].as_u64().unwrap();
    assert_eq!(sum, 60, "{report}");
    assert_eq!(positions(&place), numbers(1..=60));
}

#[test]
fn o13_what_a_bridge_cannot_take_is_told_and_later_lines_go_on() {
    let (place, _server) = pool();
    let mut text = line(1);
    text.push_str("{not json\n");
    text.push_str(&line(3));
    writeln!(
        text,
        r#"{{"kind":"tool_started","position":4,"run":"a","body":"{}"}}"#,
        "x".repeat(10_000_000)
    )
    .unwrap();
    text.push_str(&line(5));
    text.push_str("{\"kind\":\"run_lost\",\"position\":6,\"run\":\"a\"}\n");
    text.push_str("{\"kind\":\"tool_started\",\"position\":7,\"run\":\"nobody\"}\n");
    text.push_str(&line(9));
    text.push_str(&line(8));
    text.push_str(&line(9));
    text.push_str("{\"lagged\":12}\n");
    text.push_str(&line(10));
    let said = bridge(&place, &text, &[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let count = |name: &str| report[name].as_u64().unwrap();
    let counts = [
        "appended",
        "repeated",
        "refused",
        "late",
        "unreadable",
        "lagged",
        "gaps",
    ];
    assert_eq!(counts.map(count), [5, 1, 2, 1, 2, 12, 6], "{report}");
    for told in [
        "line 2",
        "line 4 has 10000",
        "run_lost",
        "not a member",
        "position 8",
        "12 of feed",
    ] {
        assert!(said.err.contains(told), "no {told:?} in {}", said.err);
    }
    assert_eq!(positions(&place), ["1", "3", "5", "9", "10"]);
    let gaps = ["--pool", "p", "watch", "kind == 'source_gap'"];
    assert_eq!(place.run(&gaps).ok().lines().count(), 6);
    // The same again is known, whatever the batches are: nothing is written.
    for batch in ["1", "64"] {
        let again = bridge(&place, &text, &["--batch", batch]);
        let report: Value = serde_json::from_str(&again.out).unwrap();
        assert_eq!(report["appended"], 0, "{report}");
        assert_eq!(report["gaps"], 0, "{report}");
        assert!(again.err.contains("known before"), "{}", again.err);
        assert_eq!(place.run(&gaps).ok().lines().count(), 6, "{report}");
    }
}

#[test]
fn o13_a_line_without_a_place_has_its_number_where_that_is_asked_for() {
    let (place, _server) = pool();
    let unplaced = "{\"kind\":\"tool_started\",\"run\":\"a\"}\n";
    let refused = bridge(&place, unplaced, &[]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("--number-lines"), "{refused:?}");
    assert_eq!(positions(&place), [""; 0]);
    // A blank line is counted, and one that says its place has that.
    let placed = line(7);
    let text = format!("{unplaced}\n{unplaced}{placed}");
    let report = bridge(&place, &text, &["--number-lines"]).json();
    assert_eq!(
        (&report["appended"], &report["repeated"]),
        (&3.into(), &0.into()),
        "{report}"
    );
    assert_eq!(positions(&place), ["1", "3", "7"]);
    // The stream begins at its start again: what was taken is known by its number.
    let text = format!("{text}{unplaced}{}", unplaced.repeat(3));
    let report = bridge(&place, &text, &["--number-lines"]).json();
    assert_eq!(
        (&report["appended"], &report["repeated"]),
        (&1.into(), &6.into()),
        "{report}"
    );
    assert_eq!(positions(&place), ["1", "3", "7", "8"]);
}

#[test]
fn o13_a_bridge_reads_cloud_events_and_ends_its_run() {
    let (place, _server) = pool();
    let cloud = |kind: &str, sequence: u64| {
        let head = r#"{"specversion":"1.0","source":"/rt","id":"x","#;
        format!(r#"{head}"type":"rt.{kind}","sequence":"{sequence}"}}"#) + "\n"
    };
    let text = [
        cloud("tool_started", 1),
        cloud("run_completed", 2),
        cloud("run_completed", 3),
    ];
    let said = bridge(&place, &text.concat(), &["--as-run", "a"]);
    let report = said.json();
    assert_eq!(
        (&report["appended"], &report["repeated"]),
        (&2.into(), &1.into()),
        "{report}"
    );
    let shown = [
        "watch",
        "--room",
        "run:a",
        "--follow",
        "--until-end",
        "--field",
        "kind",
    ];
    let shown = place.run(&[&["--pool", "p"], &shown[..]].concat()).ok();
    let shown: Vec<_> = shown.lines().collect();
    assert_eq!(
        shown,
        [
            "agent_pool_run_joined",
            "source_attached",
            "tool_started",
            "run_completed"
        ]
    );
    let session = [
        "--pool",
        "p",
        "watch",
        "--room",
        "session:s",
        "--field",
        "kind",
    ];
    let session = place.run(&session).ok();
    assert!(session.contains("tool_started"), "{session}");
    let wrong = place.run(&["--pool", "p", "watch", "--room", "team:x"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("not a room; write run:R"), "{wrong:?}");
}

#[test]
fn o13_a_second_bridge_takes_the_source_over_or_is_refused() {
    let (place, _server) = pool();
    let mut first = Bridge::start(&place, &[]);
    first.write(&line(1));
    until_taken(&place, 1);
    let refused = bridge(&place, &line(2), &["--on-taken", "refuse"]);
    refused.refused(3, "another bridge reports from this source");
    bridge(&place, &line(2), &[]).ok();
    first.write(&line(3));
    let fenced = first.end();
    assert_eq!(fenced.code, Some(3), "{fenced:?}");
    assert!(
        fenced.err.contains("does not have the source any more"),
        "{fenced:?}"
    );
    assert_eq!(positions(&place), ["1", "2"]);
}

#[test]
fn o13_a_bridge_stops_gracefully_at_a_signal() {
    let (place, _server) = pool();
    let mut bridge = Bridge::start(&place, &[]);
    bridge.write(&lines(1..=5));
    until_taken(&place, 5);
    heronry_tests::process::signal(bridge.0.id(), "TERM");
    let output = bridge.0.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &report["appended"]),
        (Some(0), &5.into())
    );
}
