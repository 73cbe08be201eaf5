//! `heronry token rotate`: what another key makes worthless, and what stays.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use heronry_tests::process::{Folder, Running, Said, said};

fn stop(server: Running) {
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

fn join(place: &Folder, instance: &str) -> serde_json::Value {
    let join = ["--pool", "p", "--run", "a", "join", "--instance", instance];
    place.run(&[&join[..], &["--json"]].concat()).json()
}

/// Runs a command with a token.
fn with(place: &Folder, token: &str, arguments: &[&str]) -> Said {
    let mut command = place.command(arguments);
    said(
        command
            .args(["--pool", "p", "--run", "a"])
            .env("HERONRY_TOKEN", token),
    )
}

fn secret(path: &Path) -> String {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    fs::read_to_string(path).unwrap()
}

#[test]
fn another_key_makes_member_tokens_worthless_and_nothing_else() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let first = join(&place, "one");
    let token = first["member_token"].as_str().unwrap();
    let send = [
        "send", "--to", "run:a", "--body", "x", "--key", "k", "--json",
    ];
    let first_receipt = with(&place, token, &send).json();

    let keys = [".heronry/token.key", ".heronry/operator.token"];
    let [key, operator] = keys.map(|name| place.at(name));
    let before = (secret(&key), secret(&operator));
    let owned = place.run(&["token", "rotate"]);
    owned.refused(1, "has an owner: pid");
    assert_eq!(secret(&key), before.0, "what is refused changes nothing");
    stop(server);
    let rotated = place.run(&["token", "rotate", "--json"]).json();
    assert_eq!(rotated["invalid"], serde_json::json!(["member_tokens"]));
    assert_ne!(secret(&key), before.0);
    assert_eq!(secret(&operator), before.1);

    let _server = place.serve(&[]);
    let refused = with(&place, token, &send);
    assert_eq!(
        (refused.code, refused.out.as_str()),
        (Some(3), ""),
        "{refused:?}"
    );
    // The same instance is the same member: its generation stays, and its token is another.
    let again = join(&place, "one");
    assert_eq!(again["generation"], first["generation"]);
    assert_ne!(again["member_token"], first["member_token"]);
    let token = again["member_token"].as_str().unwrap();
    let repeated = with(&place, token, &send).json();
    for field in ["message_id", "content_ref", "cursor"] {
        assert_eq!(repeated[field], first_receipt[field], "{field}");
    }
    let inbox = with(&place, token, &["inbox", "--field", "message_id"]).ok();
    assert_eq!(inbox.lines().count(), 1);
}

#[test]
fn the_operators_token_is_drawn_anew_when_it_is_asked_for() {
    let place = Folder::new();
    place.run(&["token", "rotate"]).refused(1, "no token.key");
    assert!(!place.at(".heronry").exists(), "nothing is made for it");
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let operator = place.at(".heronry/operator.token");
    let before = secret(&operator);
    stop(server);
    let said = place.run(&["token", "rotate", "--operator"]).ok();
    assert!(
        said.contains("operator token of before is worthless"),
        "{said}"
    );
    assert_ne!(secret(&operator), before);
    let left = fs::read_dir(place.at(".heronry")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.contains(".new")).collect();
    assert_eq!(left, Vec::<String>::new());
    let _server = place.serve(&[]);
    place.run(&["pool", "show", "p"]).ok();
    let refused = with(&place, before.trim(), &["pool", "show", "p"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
}
