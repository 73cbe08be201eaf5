//! `heronry serve`: what it makes, and what it refuses.

use std::{net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use heronry_tests::process::Folder;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_server_makes_private_files_and_ends_well_when_it_is_stopped() {
    let place = Folder::new();
    let server = place.serve(&[]);
    let data = place.at(".heronry");
    assert_eq!(mode(&data), 0o700);
    for name in ["operator.token", "token.key", "store.redb", "server.json"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    place.run(&["pool", "open", "p"]).ok();
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    assert!(!data.join("server.json").exists());
    let token = std::fs::read_to_string(data.join("operator.token")).unwrap();

    let again = place.serve(&[]);
    assert_eq!(place.run(&["pool", "list", "--field", "pool"]).ok(), "p\n");
    let kept = std::fs::read_to_string(data.join("operator.token")).unwrap();
    assert_eq!(kept, token);
    again.signal("INT");
    assert_eq!(again.end().code, Some(0));
}

#[test]
fn a_store_that_another_server_has_open_is_refused() {
    let place = Folder::new();
    let server = place.serve(&[]);
    let second = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    second.refused(1, "has an owner: pid ");
    assert_eq!(
        place.run(&["pool", "list", "--json"]).json()["pools"],
        serde_json::json!([])
    );
    drop(server);
}

#[test]
fn a_port_in_use_is_refused_and_nothing_is_made() {
    let place = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = place.run(&["serve", "--listen", &address]);
    said.refused(1, &format!("another program listens on {address}"));
    assert!(!place.at(".heronry").exists());
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let place = Folder::new();
    let said = place.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("can be reached from other machines"),
        "{said:?}"
    );
    let config = place.write("c.toml", "listen = \"192.0.2.1:80\"\n");
    let said = place.run(&["serve", "--config", config.to_str().unwrap()]);
    said.refused(2, "can be reached from other machines");
    assert!(!place.at(".heronry").exists());
}

#[test]
fn a_bad_configuration_is_refused_with_a_suggestion() {
    let place = Folder::new();
    let config = place.write("c.toml", "lisen = \"127.0.0.1:0\"\n");
    let said = place.run(&["serve", "--config", config.to_str().unwrap()]);
    said.refused(2, "did you mean \"listen\"?");
    let said = place.run(&["serve", "--config", "none.toml"]);
    said.refused(2, "none.toml");
    let said = place.run(&["serve", "--store", "rocks:x"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(!place.at(".heronry").exists());
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let place = Folder::new();
    let file = place.write("notes.txt", "these are my notes\n".repeat(1_000));
    let before = std::fs::read(&file).unwrap();
    let said = place.run(&[
        "serve",
        "--store",
        "redb:notes.txt",
        "--listen",
        "127.0.0.1:0",
    ]);
    said.refused(6, "not a Heronry store");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert!(!place.at(".heronry").exists());
}
