//! The life of a server's process: its log, what it may open, and how it ends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use serde_json::Value;

use heronry_tests::process::{Folder, Running, Said};

/// Every line of a log in JSON.
fn log_of(said: &Said) -> Vec<Value> {
    let lines = said
        .err
        .lines()
        .filter(|line| !line.starts_with("heronry: "));
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect()
}

fn port(place: &Folder) -> u16 {
    let note = std::fs::read_to_string(place.at(".heronry/server.json")).unwrap();
    let note: Value = serde_json::from_str(&note).unwrap();
    let url = note["url"].as_str().unwrap();
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// The command behind a line of the shell that limits what it may do.
fn under(place: &Folder, limit: &str, arguments: &[&str]) -> Command {
    let plain = place.command::<&str>(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]);
    command.arg(plain.get_program()).args(arguments);
    command.current_dir(place.path());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Starts a server behind such a line, and waits until it is ready.
fn serve_under(place: &Folder, limit: &str, more: &[&str]) -> Running {
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--json"];
    arguments.extend(more);
    let mut server = Running::start(&mut under(place, limit, &arguments));
    server.until("\"url\"");
    server
}

/// A file that may not grow is to a store what a full disk is.
const FULL: &str = "trap '' XFSZ; ulimit -f 16384";

#[test]
fn half_a_request_does_not_hold_a_server_that_is_stopped() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let token = std::fs::read_to_string(place.at(".heronry/operator.token")).unwrap();
    let port = port(&place);
    let half = |text: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let _head = half("GET /v1/pools HTTP/1.1\r\nHost: 127");
    let _body = half(&format!(
        "POST /v1/pools/p/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{",
        token.trim()
    ));
    // An answer shows that the server has seen what came before.
    let mut healthy = half(&format!(
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    ));
    healthy.read_to_end(&mut Vec::new()).unwrap();
    server.signal("TERM");
    let said = server.end();
    assert_eq!(said.code, Some(0), "{said:?}");
    let cut = log_of(&said)
        .into_iter()
        .find(|line| line["level"] == "WARN")
        .unwrap();
    assert_eq!(
        cut["message"],
        "connections are cut: they did not end in time"
    );
}

#[test]
fn figures_and_the_log_show_the_calls_of_the_store() {
    let place = Folder::new();
    let server = place.serve(&["--log", "debug"]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b"] {
        place.run_as("p", run, &["join"]).ok();
    }
    let before = appends(&place);
    assert!(before > 0);
    let send = ["send", "--to", "run:b", "--body", "a body"];
    place.run_as("p", "a", &send).ok();
    assert!(appends(&place) > before, "a send appends");
    server.signal("TERM");
    let log = log_of(&server.end());
    let append = log
        .iter()
        .rfind(|line| line["message"] == "store called" && line["operation"] == "append");
    let append = append.unwrap();
    assert_eq!(append["level"], "DEBUG");
    assert_eq!(
        (&append["pool"], &append["port"]),
        (&"p".into(), &"journal".into())
    );
    assert_eq!(append["outcome"], "ok");
    assert!(append["items"].as_u64() > Some(0) && append["bytes"].as_u64() > Some(0));
}

/// Returns how many appends the server's figures show.
fn appends(place: &Folder) -> u64 {
    let token = std::fs::read_to_string(place.at(".heronry/operator.token")).unwrap();
    let port = port(place);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\n\r\n",
        token.trim()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let label = r#"{port="journal",operation="append",outcome="ok"}"#;
    let sample = format!("heronry_store_operations_total{label} ");
    let line = answer.lines().find_map(|line| line.strip_prefix(&sample));
    line.unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

#[test]
fn a_log_is_json_in_a_file_and_text_where_it_is_asked_for() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    server.signal("TERM");
    let said = server.end();
    let log = log_of(&said);
    assert_eq!(
        (&log[0]["level"], &log[0]["message"]),
        (&"INFO".into(), &"serving".into())
    );
    assert!(
        log[0]["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert!(
        log.iter().any(|line| line["message"] == "pool stopped"),
        "{log:?}"
    );

    let server = place.serve(&["--log-format", "text", "--log", "info"]);
    server.signal("TERM");
    let said = server.end();
    assert!(
        said.err.contains(" INFO heronry::") && said.err.contains("serving url="),
        "{said:?}"
    );
    assert!(!said.err.contains('\u{1b}'), "{said:?}");

    for (variable, arguments) in [("", &["--log", "warn"][..]), ("error", &[])] {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
        command.args(arguments).env("HERONRY_LOG", variable);
        let mut server = Running::start(&mut command);
        server.until("\"url\"");
        server.signal("TERM");
        assert_eq!(server.end().err, "", "{variable:?}");
    }
    let mut command = place.command(&["pool", "list"]);
    let said = heronry_tests::process::said(command.env("HERONRY_LOG", "wran"));
    said.refused(2, "did you mean warn?");
}

#[test]
fn nobodys_variable_is_an_empty_one() {
    let place = Folder::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut server = Running::start(command.env("HERONRY_LOG", ""));
    server.until("\"url\"");
    server.signal("TERM");
    let said = server.end();
    assert_eq!(log_of(&said)[0]["message"], "serving", "{said:?}");
}

#[test]
fn a_server_whose_store_closes_says_why_and_ends_with_seven() {
    let place = Folder::new();
    let server = serve_under(&place, FULL, &[]);
    place.run(&["pool", "open", "p"]).ok();
    let said = fill(&place);
    assert!(
        said.err.contains("its store failed") || said.err.contains("the store cannot"),
        "{said:?}"
    );
    assert_ne!(said.code, Some(0));
    let said = server.end();
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(
        said.err
            .contains("heronry: the store has closed under the server: "),
        "{said:?}"
    );
    let log = log_of(&said);
    let closed = log
        .iter()
        .find(|line| line["message"] == "the store has closed; the server ends")
        .unwrap_or_else(|| panic!("{log:?}"));
    assert_eq!(
        (&closed["level"], &closed["cause"]),
        (&"ERROR".into(), &"io".into())
    );
    assert!(
        closed["error"].as_str().unwrap().contains("File too large"),
        "{closed}"
    );
    let failed = log
        .iter()
        .find(|line| line["message"] == "a request failed")
        .unwrap();
    assert_eq!(
        (&failed["status"], &failed["cause"]),
        (&503.into(), &"io".into()),
        "{log:?}"
    );
    assert_eq!(failed["route"], "/v1/pools/{pool}/contents");
    // A new process opens the store again, with all that was acknowledged.
    let again = place.serve(&[]);
    assert_eq!(place.run(&["pool", "list", "--field", "pool"]).ok(), "p\n");
    drop(again);
}

#[test]
fn a_server_that_is_to_stay_stays() {
    let place = Folder::new();
    let server = serve_under(&place, FULL, &["--stay"]);
    place.run(&["pool", "open", "p"]).ok();
    fill(&place);
    let status = place.run(&["status", "--json"]).json();
    assert_eq!(status["store"]["problem"]["cause"], "io", "{status}");
    let text = place.run(&["status"]).ok();
    assert!(text.contains("FAILED: the store cannot"), "{text}");
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn a_job_whose_store_closes_stops_its_members_and_ends_with_seven() {
    let place = Folder::new();
    place.write("body", vec![b'x'; 1024 * 1024]);
    place.write(
        "job/pool.toml",
        r#"
pool = "tiny"
[[member]]
agent = "filler"
command = ["sh", "-c", "while heronry contents put --file $HERONRY_INPUT/body -q; do :; done; exec sleep 60"]
"#,
    );
    let mut up = under(&place, FULL, &["up", "job/pool.toml"]);
    let said = heronry_tests::process::said(&mut up);
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(
        said.err
            .contains("heronry: the store has closed under the server: "),
        "{said:?}"
    );
    let ended = place.run(&["journal", "verify", ".heronry/store.redb"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Stores bodies until the store takes no more, and returns what was said then.
fn fill(place: &Folder) -> Said {
    let body = place.write("body", vec![b'x'; 1024 * 1024]);
    for _ in 0..64 {
        let said = place.run(&[
            "--pool",
            "p",
            "contents",
            "put",
            "--file",
            body.to_str().unwrap(),
        ]);
        if said.code != Some(0) {
            return said;
        }
    }
    panic!("the store took everything");
}

#[test]
fn a_process_that_may_open_little_takes_fewer_connections_and_says_so() {
    let place = Folder::new();
    let server = serve_under(&place, "ulimit -n 700", &[]);
    let status = place.run(&["status", "--json"]).json();
    assert_eq!(status["connections"]["max"], 700 - 512 - 64, "{status}");
    server.signal("TERM");
    let said = server.end();
    let log = log_of(&said);
    let warned = log.iter().find(|line| line["level"] == "WARN").unwrap();
    assert_eq!(
        (&warned["connections_max"], &warned["descriptors"]),
        (&124.into(), &700.into())
    );
}

#[test]
fn a_process_raises_what_it_may_open_to_what_its_connections_need() {
    let place = Folder::new();
    let config = place.write("c.toml", "connections_max = 300\n");
    let arguments = ["--config", config.to_str().unwrap()];
    let server = serve_under(&place, "ulimit -Sn 64", &arguments);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let open = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let soft: u64 = open.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert_eq!(soft, 300 + 64 + 512);
    let status = place.run(&["status", "--json"]).json();
    assert_eq!(status["connections"]["max"], 300);
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn the_status_of_a_server_is_one_screen() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    place
        .run(&["--pool", "p", "join", "--run", "a", "--agent", "a"])
        .ok();
    let text = place.run(&["status"]).ok();
    let starts: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        starts,
        ["server", "store", "disk", "load", "pools", "POOL", "p"],
        "{text}"
    );
    let store = place.at(".heronry/store.redb");
    let store = store.canonicalize().unwrap();
    assert!(
        text.contains(&format!("redb:{}", store.display())),
        "{text}"
    );
    assert!(text.contains(&format!("process {}", server.id())), "{text}");
    let members = ["status", "--field", "pool,figures.members"];
    assert_eq!(place.run(&members).ok(), "p\t1\n");
    let status = place.run(&["status", "--json"]).json();
    let disk = &status["disk"];
    assert!(
        disk["free_bytes"].as_u64() <= disk["total_bytes"].as_u64(),
        "{disk}"
    );
    assert_eq!(disk["free_bytes_min"], 256 * 1024 * 1024);
}
