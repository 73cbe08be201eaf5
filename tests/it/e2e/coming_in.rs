//! The first minutes: finding the server and its token, and who may come in.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
    thread,
};

use heronry_tests::process::{Folder, Running, Said, said};

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn in_folder(place: &Folder, folder: &str, arguments: &[&str]) -> Said {
    fs::create_dir_all(place.at(folder)).unwrap();
    said(place.command(arguments).current_dir(place.at(folder)))
}

#[test]
fn a_command_right_behind_the_first_start_of_a_server_finds_it() {
    let place = Folder::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let server = place.start(&["serve", "--listen", &listen]);
    place.run(&["pool", "open", "first"]).ok();
    drop(server);
    let other = Folder::new();
    let url = format!("http://{listen}");
    let _server = other.start(&["serve", "--listen", &listen]);
    let mut open = other.command(&["pool", "open", "second"]);
    said(open.env("HERONRY_URL", url)).ok();
}

#[test]
fn without_a_server_a_command_says_where_it_looked_and_how_to_start_one() {
    let place = Folder::new();
    let mut list = place.command(&["pool", "list", "--connect-timeout", "50ms"]);
    let failed = said(&mut list);
    let here = fs::canonicalize(place.path()).unwrap();
    failed.refused(5, here.to_str().unwrap());
    failed.refused(5, "heronry serve");
    assert!(!place.at(".heronry").exists());
}

#[test]
fn a_wait_is_bounded_by_its_own_time_also_without_a_server() {
    let place = Folder::new();
    place.write_secret("token", "a token that nobody made");
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let waits: [&[&str]; 3] = [
        &["wait", "terminal", "--timeout", "100ms"],
        &["inbox", "--wait", "100ms"],
        &["receipt", "m", "--wait", "100ms"],
    ];
    for wait in waits {
        let mut command = place.command(wait);
        command.args(["--pool", "p", "--run", "a", "--token-file", "token"]);
        said(
            command
                .env("HERONRY_URL", &url)
                .env("HERONRY_STATE_DIR", place.at("state")),
        )
        .refused(5, "cannot reach the server");
    }
}

#[test]
fn the_data_directory_is_found_from_a_folder_below() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    in_folder(&place, "a/b", &["pool", "open", "p"]).ok();
    let listed = in_folder(&place, "a/b", &["pool", "list", "--field", "pool"]);
    assert_eq!(listed.ok(), "p\n");
    // What is no folder of this user could hold what others chose.
    place.write("a/.heronry", "a file of this name");
    let listed = in_folder(&place, "a/b", &["pool", "list", "--field", "pool"]);
    assert_eq!(listed.ok(), "p\n");
}

#[test]
fn nothing_above_the_home_of_the_user_is_used() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    fs::create_dir_all(place.at("home/work")).unwrap();
    let mut list = place.command(&["pool", "list", "--connect-timeout", "50ms"]);
    let home = fs::canonicalize(place.at("home")).unwrap();
    list.current_dir(home.join("work")).env("HOME", &home);
    said(&mut list).refused(5, home.to_str().unwrap());
}

#[test]
fn variables_that_are_set_to_nothing_are_not_set() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let names = [
        "HERONRY_POOL",
        "HERONRY_RUN",
        "HERONRY_AGENT",
        "HERONRY_URL",
        "HERONRY_TOKEN",
        "HERONRY_TOKEN_FILE",
        "HERONRY_DATA_DIR",
        "HERONRY_OPERATOR_TOKEN_FILE",
        "HERONRY_STATE_DIR",
        "HERONRY_CONNECT_TIMEOUT",
        "NO_COLOR",
    ];
    let mut join = place.command(&["--pool", "p", "--run", "a", "join"]);
    join.envs(names.map(|name| (name, "")));
    said(&mut join).ok();
    let mut wait = place.command(&["--pool", "p", "--run", "a", "wait", "terminal"]);
    wait.args(["--timeout", "10ms"])
        .envs(names.map(|name| (name, "")));
    assert_eq!(said(&mut wait).code, Some(4));
    let mut list = place.command(&["pool", "list", "--field", "pool"]);
    list.env("HERONRY_POOL", "a\tb");
    said(&mut list).refused(2, "HERONRY_POOL");
}

#[test]
fn texts_and_ids_may_begin_with_a_dash() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let in_p = |arguments: &[&str]| place.run(&[&["--pool", "p"], arguments].concat());
    in_p(&["--run", "-a", "join", "--agent", "--agent", "--topic", "-t"]).ok();
    for body in ["- first item", "--- a/file.c", "-5", "--help me", "--", "-"] {
        in_p(&["--run", "-a", "send", "--to", "run:-a", "--body", body]).ok();
    }
    let bodies = in_p(&[
        "--run",
        "-a",
        "inbox",
        "--bodies",
        "--max",
        "6",
        "--field",
        "claim,body",
    ])
    .ok();
    let bodies: Vec<&str> = bodies
        .lines()
        .map(|line| line.split_once('\t').unwrap().1)
        .collect();
    assert_eq!(
        bodies,
        ["- first item", "--- a/file.c", "-5", "--help me", "--", "-"]
    );
    let sent = in_p(&[
        "--run", "-a", "send", "--to", "topic:-t", "--id", "-m", "--key", "-k", "--body", "x",
    ]);
    assert!(sent.ok().contains("-m"));
    let claim = in_p(&["--run", "-a", "inbox", "--field", "claim"]).ok();
    in_p(&[
        "--run",
        "-a",
        "ack",
        claim.trim(),
        "--note",
        "- done: 3 files",
    ])
    .ok();
    in_p(&[
        "--run",
        "-a",
        "emit",
        "tool_completed",
        "--summary",
        "-1 left",
        "--tag",
        "-x",
    ])
    .ok();
    in_p(&["--run", "-a", "state", "failed", "--note", "--- broken"]).ok();
}

#[test]
fn a_data_directory_has_one_owner_whatever_its_store() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "mine"]).ok();
    let note = fs::read_to_string(place.at(".heronry/server.json")).unwrap();
    let pid = format!("pid {}", server.id());
    for store in ["memory", "sled:other.sled", "redb:other.redb"] {
        let second = place.run(&["serve", "--store", store, "--listen", "127.0.0.1:0"]);
        second.refused(1, &pid);
        second.refused(1, "url http://127.0.0.1:");
    }
    place.write(
        "pool.toml",
        "pool = \"x\"\n[[member]]\nagent = \"a\"\ncommand = [\"true\"]\n",
    );
    place
        .run(&["up", "pool.toml", "--store", "memory"])
        .refused(1, &pid);
    assert_eq!(
        fs::read_to_string(place.at(".heronry/server.json")).unwrap(),
        note
    );
    assert_eq!(
        place.run(&["pool", "list", "--field", "pool"]).ok(),
        "mine\n"
    );
    server.kill();
    // What a killed server leaves behind is nobody's, and its place is free.
    let _again = place.serve(&["--store", "memory"]);
    assert_eq!(place.run(&["pool", "list", "--field", "pool"]).ok(), "");
}

#[test]
fn who_has_a_store_open_is_named_when_another_wants_it() {
    let place = Folder::new();
    let server = place.serve(&["--store", "redb:kept.redb"]);
    let pid = format!("pid {}", server.id());
    let second = place.run(&[
        "serve",
        "--data-dir",
        "other",
        "--store",
        "redb:kept.redb",
        "--listen",
        "127.0.0.1:0",
    ]);
    second.refused(1, &pid);
    assert!(!place.at("other").exists());
    place
        .run(&["journal", "verify", "--store", "redb:kept.redb"])
        .refused(1, &pid);
}

#[test]
fn git_is_told_to_leave_the_data_directory_alone() {
    let place = Folder::new();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(place.path())
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    git(&["init", "-q", "."]);
    let _server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    git(&["add", "-A"]);
    assert_eq!(git(&["ls-files"]), "");
}

#[test]
fn a_symbolic_link_to_nothing_is_never_replaced() {
    let place = Folder::new();
    place.private("data");
    symlink("elsewhere", place.at("data/operator.token")).unwrap();
    symlink("missing/store.redb", place.at("store.redb")).unwrap();
    let refused = place.run(&[
        "serve",
        "--data-dir",
        "data",
        "--store",
        "redb:store.redb",
        "--listen",
        "127.0.0.1:0",
    ]);
    refused.refused(1, "symbolic link");
    assert!(
        fs::symlink_metadata(place.at("store.redb"))
            .unwrap()
            .is_symlink()
    );
    let refused = place.run(&["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    refused.refused(1, "data/operator.token is a symbolic link to elsewhere");
    assert!(
        fs::symlink_metadata(place.at("data/operator.token"))
            .unwrap()
            .is_symlink()
    );
    assert!(!place.at("data/elsewhere").exists());
}

#[test]
fn folders_of_a_store_that_is_named_are_not_made() {
    let place = Folder::new();
    for store in ["redb:mount/pools/store.redb", "sled:mount/pools/store.sled"] {
        let refused = place.run(&["serve", "--store", store, "--listen", "127.0.0.1:0"]);
        refused.refused(1, "mount/pools");
        assert!(!place.at("mount").exists(), "{store}");
    }
    assert!(!place.at(".heronry").exists());
}

/// Listens where a server was, and returns what the next program that connects says.
fn overhear(listener: TcpListener) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut heard = [0; 8_192];
        let count = socket.read(&mut heard).unwrap();
        let none =
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";
        // Whoever hangs up has heard enough.
        let _ = socket.write_all(none.as_bytes());
        String::from_utf8_lossy(&heard[..count]).into_owned()
    })
}

#[test]
fn a_program_in_the_place_of_a_killed_server_is_not_shown_the_token() {
    let place = Folder::new();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let server = place.start(&["serve", "--listen", &listen]);
    place.run(&["pool", "open", "p"]).ok();
    let joined = place
        .run(&[
            "--pool",
            "p",
            "--run",
            "a",
            "join",
            "--field",
            "member_token",
        ])
        .ok();
    server.kill();
    let operator = fs::read_to_string(place.at(".heronry/operator.token")).unwrap();
    for token in [operator.trim(), joined.trim()] {
        let heard = overhear(TcpListener::bind(&listen).unwrap());
        let mut list = place.command(&["--pool", "p", "members"]);
        list.env("HERONRY_URL", format!("http://{listen}"))
            .env("HERONRY_TOKEN", token);
        let refused = said(&mut list);
        assert_eq!(refused.code, Some(5), "{refused:?}");
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("POST /v1/prove "), "{heard}");
        assert!(
            !heard.contains(token) && !heard.to_lowercase().contains("authorization"),
            "{heard}"
        );
    }
}

#[test]
fn a_server_is_reached_at_its_socket_and_nowhere_else_when_it_listens_there_alone() {
    let place = Folder::new();
    let server = place.serve(&[]);
    let socket = place.at(".heronry/heronry.sock");
    assert_eq!(
        fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    assert!(!socket.exists());

    let mut server = place.start(&["serve", "--json", "--listen", "unix:own.sock"]);
    let ready: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    let url = ready["url"].as_str().unwrap();
    assert!(
        url.starts_with("unix:") && url.ends_with("/own.sock"),
        "{ready}"
    );
    place.run(&["pool", "open", "p"]).ok();
    let mut list = place.command(&["pool", "list", "--field", "pool"]);
    assert_eq!(said(list.env("HERONRY_URL", url)).ok(), "p\n");
    let second = place.run(&["serve", "--data-dir", "other", "--listen", "unix:own.sock"]);
    second.refused(1, "another program listens on");
    server.kill();
    // What a killed server left is in nobody's way; a file that is no socket is.
    let again = place.start(&["serve", "--json", "--listen", "unix:own.sock"]);
    place.run(&["pool", "open", "p"]).ok();
    drop(again);
    place.write("notes", "mine");
    place
        .run(&["serve", "--listen", "unix:notes"])
        .refused(1, "notes");
    assert_eq!(fs::read_to_string(place.at("notes")).unwrap(), "mine");
}

#[test]
fn a_path_that_is_too_long_for_a_socket_leaves_the_port() {
    let place = Folder::new();
    let deep = format!("{}/data", "d".repeat(90));
    let server = place.serve(&["--data-dir", &deep]);
    assert!(!Path::new(&place.at(&deep)).join("heronry.sock").exists());
    place.run(&["--data-dir", &deep, "pool", "open", "p"]).ok();
    server.signal("TERM");
    let said = server.end();
    assert!(said.err.contains("there is no socket"), "{said:?}");
}

#[test]
fn members_of_a_job_are_no_operators() {
    let place = Folder::new();
    let script = "ls -a \"$HERONRY_STATE_DIR\" | tr '\\n' ' '; stat -c %a \"$HERONRY_STATE_DIR\"; \
                  echo \"data ${HERONRY_DATA_DIR-none}\"; heronry pool open mine; echo \"exit $?\"";
    place.write(
        "pool.toml",
        format!(
            "pool = \"tiny\"\n[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", {script:?}]\n"
        ),
    );
    place.run(&["up", "pool.toml"]).ok();
    let log = fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    assert!(log.contains(". .. 700\ndata none\n"), "{log}");
    assert!(
        log.contains("operator-only") && log.contains("exit 3"),
        "{log}"
    );
}

#[test]
fn an_empty_folder_that_others_can_enter_is_closed_when_a_server_makes_it_its_own() {
    let place = Folder::new();
    fs::create_dir(place.at(".heronry")).unwrap();
    fs::set_permissions(place.at(".heronry"), fs::Permissions::from_mode(0o755)).unwrap();
    let _server: Running = place.serve(&[]);
    let mode = fs::metadata(place.at(".heronry"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    place.run(&["pool", "open", "p"]).ok();
}

#[test]
fn a_member_token_is_all_that_a_member_needs() {
    let place = Folder::new();
    let _server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let token = place
        .run(&[
            "--pool",
            "p",
            "--run",
            "a",
            "join",
            "--field",
            "member_token",
        ])
        .ok();
    let as_member =
        |arguments: &[&str]| said(place.command(arguments).env("HERONRY_TOKEN", token.trim()));
    as_member(&["send", "--to", "run:a", "--body", "x"]).ok();
    let claim = as_member(&["inbox", "--field", "claim"]).ok();
    as_member(&["extend", claim.trim()]).ok();
    as_member(&["release", claim.trim()]).ok();
    as_member(&["heartbeat"]).ok();
    as_member(&["leave"]).ok();
}

#[test]
fn a_member_of_a_job_that_drops_its_token_is_no_operator() {
    let place = Folder::new();
    let script = "unset HERONRY_TOKEN; heronry pool open mine; echo \"exit $?\"";
    place.write(
        "pool.toml",
        format!(
            "pool = \"tiny\"\n[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", {script:?}]\n"
        ),
    );
    place.run(&["up", "pool.toml"]).ok();
    let log = fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    assert!(
        log.contains("set HERONRY_TOKEN") && log.contains("exit 1"),
        "{log}"
    );
}

#[test]
fn links_and_folders_of_others_are_told() {
    let place = Folder::new();
    symlink("nowhere", place.at("data")).unwrap();
    place
        .run(&["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"])
        .refused(1, "symbolic link to nowhere");
    let server = place.serve(&["--store", "redb:kept.redb"]);
    symlink("kept.redb", place.at("link.redb")).unwrap();
    let second = [
        "serve",
        "--data-dir",
        "d",
        "--store",
        "redb:link.redb",
        "--listen",
        "127.0.0.1:0",
    ];
    place
        .run(&second)
        .refused(1, &format!("pid {}", server.id()));
    fs::create_dir_all(place.at("a/b")).unwrap();
    place.write("a/.heronry", "a file of this name");
    let mut other = place.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let home = fs::canonicalize(place.at("a")).unwrap();
    let mut other = Running::start(other.current_dir(home.join("b")).env("HOME", &home));
    other.line();
    other.signal("TERM");
    let said = other.end();
    assert!(said.err.contains("not a folder of this user"), "{said:?}");
}
