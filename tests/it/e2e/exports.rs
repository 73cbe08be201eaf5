//! Exports of events from the command line: to a file and to an HTTP endpoint.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use heronry_tests::process::{Folder, Running};
use serde_json::Value;

const EVERYTHING: [&str; 2] = ["--privacy-max", "secret"];

fn scene() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run_as("p", run, &["join"]).ok();
    }
    (place, server)
}

fn export(place: &Folder, to: &str, more: &[&str]) -> Value {
    let arguments = ["--pool", "p", "--json", "export", "--to", to];
    place.run(&[&arguments, more].concat()).json()
}

fn lines(place: &Folder, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.at(name)).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn positions(lines: &[Value]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| line["position"].as_u64().unwrap())
        .collect()
}

fn head(place: &Folder) -> u64 {
    let shown = place.run(&["--json", "pool", "show", "p"]).json();
    let head = shown["head"].as_str().unwrap();
    head.rsplit('-').next().unwrap().parse().unwrap()
}

#[test]
fn o21_an_export_to_a_file_goes_on_where_it_was_and_cuts_a_torn_line() {
    let (place, server) = scene();
    let file = place.at("audit.jsonl");
    let to = format!("file:{}", file.display());
    let first = head(&place);
    let answer = export(&place, &to, &EVERYTHING);
    assert_eq!(answer["exported"], first);
    assert_eq!(
        positions(&lines(&place, "audit.jsonl")),
        (1..=first).collect::<Vec<_>>()
    );
    // Nothing is new.
    assert_eq!(export(&place, &to, &EVERYTHING)["exported"], 0);
    // A crash after a batch was written and in the middle of the next line: the cursor is behind.
    place
        .run(&["--pool", "p", "consumers", "forget", "export"])
        .ok();
    let mut torn = fs::OpenOptions::new().append(true).open(&file).unwrap();
    torn.write_all(b"{\"id\":\"0707").unwrap();
    drop(torn);
    place
        .run_as("p", "a", &["send", "--to", "run:b", "--body", "hello"])
        .ok();
    let last = head(&place);
    assert!(last > first);
    let answer = export(&place, &to, &EVERYTHING);
    assert_eq!(answer["exported"], last, "all of it came again");
    assert_eq!(
        positions(&lines(&place, "audit.jsonl")),
        (1..=last).collect::<Vec<_>>(),
        "and each event is in the file once"
    );
    let listed = place
        .run(&["--pool", "p", "--json", "consumers", "list"])
        .json();
    assert_eq!(listed["consumers"][0]["name"], "export");
    assert_eq!(listed["consumers"][0]["lag"], 0);
    let shown = place.run(&["pool", "show", "p"]).ok();
    assert!(shown.contains("consumer export"), "{shown}");
    drop(server);
}

#[test]
fn o21_what_the_engine_and_emit_report_leaves_unless_a_lower_class_is_asked_for() {
    let (place, _server) = scene();
    place.run_as("p", "a", &["emit", "tool_started"]).ok();
    let secret = ["emit", "tool_started", "--privacy", "sensitive"];
    place.run_as("p", "a", &secret).ok();
    let to = format!("file:{}", place.at("usual.jsonl").display());
    let answer = export(&place, &to, &[]);
    assert_eq!(answer["exported"], head(&place) - 1, "{answer}");
    assert_eq!(answer["left_out"], 1, "{answer}");
}

#[test]
fn o21_what_may_not_leave_is_told_and_a_foreign_file_is_left_alone() {
    let (place, server) = scene();
    let to = format!("file:{}", place.at("open.jsonl").display());
    let internal = ["--pool", "p", "export", "--privacy-max", "internal"];
    let said = place.run(&[&internal[..], &["--to", &to]].concat()).ok();
    for part in [
        "left out, and the cursor has passed them",
        "heronry consumers forget export",
        "--privacy-max",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let unknown = ["--pool", "p", "export", "--privacy-max", "private"];
    let unknown = place.run(&[&unknown[..], &["--to", &to]].concat());
    assert_eq!(unknown.code, Some(2));
    let rising = "public < internal < content_refs_only < sensitive < secret";
    assert!(unknown.err.contains(rising), "{unknown:?}");
    let diary = place.write_secret("diary", "dear diary");
    let to = format!("file:{}", diary.display());
    let refused = place.run(&["--pool", "p", "export", "--to", &to]);
    refused.refused(1, "something else than exported events");
    assert_eq!(fs::read_to_string(&diary).unwrap(), "dear diary");
    let https = place.run(&["--pool", "p", "export", "--to", "https://example.org/"]);
    assert_eq!(https.code, Some(2));
    assert!(https.err.contains("http alone is spoken"), "{https:?}");
    drop(server);
}

#[test]
fn an_export_that_follows_delivers_what_was_recorded_before_it_was_stopped() {
    let (place, server) = scene();
    let to = format!("file:{}", place.at("all.jsonl").display());
    let arguments = [
        "--pool",
        "p",
        "export",
        "--to",
        &to,
        "--follow",
        "--format",
        "cloudevents",
    ];
    let following = place.start(&[&arguments[..], &EVERYTHING].concat());
    let first = head(&place);
    // Asking the server takes its time, and a thousand answers are more than the export needs.
    let is_there = |_: u32| {
        let text = fs::read_to_string(place.at("all.jsonl")).unwrap_or_default();
        head(&place) == first && text.lines().count() as u64 == first
    };
    assert!(
        (0..1_000).any(is_there),
        "the export never came to the head"
    );
    place
        .run_as("p", "a", &["send", "--to", "run:b", "--body", "hello"])
        .ok();
    let last = head(&place);
    following.signal("TERM");
    following.end().ok();
    let lines = lines(&place, "all.jsonl");
    assert_eq!(lines.len() as u64, last);
    let line = &lines[0];
    assert_eq!(line["specversion"], "1.0");
    assert_eq!(line["source"], "/v1/pools/p");
    assert_eq!(line["type"], "heronry.agent_pool_created");
    assert_eq!(line["data"]["id"], line["id"]);
    drop(server);
}

/// Answers each request with the next status, and 204 after them; returns the bodies.
fn endpoint(statuses: &[u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    let statuses = statuses.to_vec();
    let mut statuses = statuses.into_iter();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            // A connection that its client gave up brings no request.
            if stream.peek(&mut [0]).unwrap_or(0) > 0 {
                let body = answer(stream, statuses.next().unwrap_or(204));
                kept.lock().unwrap().push(body);
            }
        }
    });
    (url, bodies)
}

fn answer(mut stream: TcpStream, status: u16) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut authorized) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        authorized |= line == "authorization: bearer hush";
    }
    assert!(authorized, "the token goes to the endpoint");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let answer = if status == 204 {
        "HTTP/1.1 204 X\r\nconnection: close\r\n\r\n".to_owned()
    } else {
        answer
    };
    stream.write_all(answer.as_bytes()).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn o21_an_endpoint_that_fails_gets_the_batch_again_and_one_that_refuses_ends_the_export() {
    let (place, server) = scene();
    let token = place.write_secret("sink.token", "hush\n");
    let with_token = ["--sink-token-file", token.to_str().unwrap()];
    let more = [&EVERYTHING[..], &with_token].concat();
    let last = head(&place);
    let (url, bodies) = endpoint(&[404]);
    let arguments = ["--pool", "p", "export", "--to", &url];
    let refused = place.run(&[&arguments[..], &more].concat());
    refused.refused(1, "404");
    assert_eq!(bodies.lock().unwrap().len(), 1);
    // Nothing was skipped: the next one gets it all.
    let (url, bodies) = endpoint(&[500, 503]);
    let answer = export(&place, &url, &more);
    assert_eq!(
        (&answer["exported"], &answer["failed"]),
        (&last.into(), &2.into())
    );
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 3);
    assert_eq!(bodies[0], bodies[2], "the batch comes as it was");
    assert_eq!(bodies[2].lines().count() as u64, last);
    drop(server);
}

#[test]
fn o21_an_export_of_the_server_is_parked_by_a_refusal_and_goes_on_when_it_is_resumed() {
    let (place, server) = scene();
    let last = head(&place);
    server.signal("TERM");
    server.end().ok();
    let (url, bodies) = endpoint(&[404]);
    let token = place.write_secret("sink.token", "hush");
    let config = format!(
        "[[exports]]\npool = 'p'\nconsumer = 'audit'\nto = '{url}'\nprivacy_max = 'secret'\n\
         sink_token_file = '{}'\n",
        token.display()
    );
    let config = place.write("serve.toml", config);
    let server = place.serve(&["--config", config.to_str().unwrap()]);
    let state = || {
        let arguments = ["--pool", "p", "--json", "consumers", "list"];
        let listed = place.run(&arguments).json();
        listed["consumers"][0].clone()
    };
    assert!(
        (0..1_000).any(|_| state()["state"] == "parked"),
        "it is never parked: {}",
        state()
    );
    let parked = state();
    assert!(parked["why"].as_str().unwrap().contains("404"), "{parked}");
    // Nothing else stops.
    place
        .run_as("p", "a", &["send", "--to", "run:b", "--body", "hello"])
        .ok();
    let said = place
        .run(&["--pool", "p", "consumers", "resume", "audit"])
        .ok();
    assert!(said.contains("goes on"), "{said}");
    let now = head(&place);
    assert!(now > last);
    assert!(
        (0..1_000).any(|_| state()["lag"] == 0),
        "it never came to the head: {}",
        state()
    );
    let delivered: usize = bodies.lock().unwrap()[1..]
        .iter()
        .map(|it| it.lines().count())
        .sum();
    assert_eq!(delivered as u64, now);
    drop(server);
}
