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

use crate::support::{Place, Running, Said, said};

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn in_folder(place: &Place, folder: &str, arguments: &[&str]) -> Said {
    fs::create_dir_all(place.at(folder)).unwrap();
    said(place.command(arguments).current_dir(place.at(folder)))
}

#[test]
fn a_command_right_behind_the_first_start_of_a_server_finds_it() {
    let place = Place::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let server = place.start(&["serve", "--listen", &listen]);
    place.run(&["pool", "open", "first"]).ok();
    drop(server);
    let other = Place::new();
    let url = format!("http://{listen}");
    let _server = other.start(&["serve", "--listen", &listen]);
    let mut open = other.command(&["pool", "open", "second"]);
    said(open.env("HERONRY_URL", url)).ok();
}

#[test]
fn without_a_server_a_command_says_where_it_looked_and_how_to_start_one() {
    let place = Place::new();
    let mut list = place.command(&["pool", "list", "--connect-timeout", "50ms"]);
    let failed = said(&mut list);
    let here = fs::canonicalize(place.path()).unwrap();
    failed.refused(5, here.to_str().unwrap());
    failed.refused(5, "heronry serve");
    assert!(!place.at(".heronry").exists());
}

#[test]
fn a_wait_is_bounded_by_its_own_time_also_without_a_server() {
    let place = Place::new();
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
    let place = Place::new();
    let _server = place.serve(&[]);
    in_folder(&place, "a/b", &["pool", "open", "p"]).ok();
    let listed = in_folder(&place, "a/b", &["pool", "list", "--field", "pool"]);
    assert_eq!(listed.ok(), "p\n");
    // A folder that others can enter could hold what they chose.
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
