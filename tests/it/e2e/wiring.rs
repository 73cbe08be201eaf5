//! Edges, aliases, labels and wired pools, as people use them.

use heronry_tests::process::{Folder, Running};
use serde_json::Value;

fn scene() -> (Folder, Running) {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["a", "b", "c"] {
        place.run_as("p", run, &["join"]).ok();
    }
    (place, server)
}

fn said(place: &Folder, arguments: &[&str]) -> String {
    place.run(&[&["--pool", "p"], arguments].concat()).ok()
}

fn shown(place: &Folder, arguments: &[&str]) -> Value {
    place
        .run(&[&["--pool", "p", "--json"], arguments].concat())
        .json()
}

#[test]
fn r27_a_pool_is_wired_by_a_setting_and_a_send_says_who_was_left_out() {
    let (place, _server) = scene();
    said(&place, &["pool", "set", "p", "--peering", "wired"]);
    let view = said(&place, &["pool", "show", "p"]);
    assert!(view.contains("peering wired"), "{view}");
    let wired = said(&place, &["edges", "wire", "b", "a"]);
    assert_eq!(wired.trim(), "a and b are wired");
    let listed = said(&place, &["edges", "list"]);
    assert_eq!(listed.trim(), "a  b  by operator");
    let send = ["--run", "a", "send", "--to", "pool", "--body", "hello"];
    let receipt = shown(&place, &send);
    assert_eq!(receipt["recipients"][0]["run_id"], "b");
    assert_eq!(receipt["not_peered"][0], "c");
    said(&place, &["edges", "unwire", "a", "b"]);
    assert_eq!(
        shown(&place, &["edges", "list"])["edges"],
        Value::Array(Vec::new())
    );
    let itself = place.run(&["--pool", "p", "edges", "wire", "a", "a"]);
    itself.refused(2, "both ends of an edge are");
}

#[test]
fn r28_an_alias_is_set_sent_to_and_removed() {
    let (place, _server) = scene();
    let set = said(&place, &["aliases", "set", "member.b", "*", "run:b"]);
    assert_eq!(set.trim(), "member.b * leads to run:b");
    let listed = said(&place, &["aliases", "list"]);
    assert_eq!(listed.trim(), "member.b  *  run:b  by operator");
    let to = "alias:member.b/news";
    let send = ["--run", "a", "send", "--to", to, "--body", "hello"];
    let receipt = shown(&place, &send);
    assert_eq!(receipt["recipients"][0]["run_id"], "b");
    said(&place, &["aliases", "remove", "member.b", "*"]);
    let gone = place.run(&[&["--pool", "p"], &send[..]].concat());
    gone.refused(3, "alias-not-found");
}

#[test]
fn r44_labels_are_set_shown_and_cleared_and_filters_ask_for_them() {
    let (place, _server) = scene();
    let set = said(
        &place,
        &["labels", "set", "--of", "a", "team=red", "tier=1"],
    );
    assert_eq!(set.trim(), "a has 2 labels");
    let labels = said(&place, &["labels", "show", "--of", "a"]);
    assert_eq!(labels.trim(), "team=red\ntier=1");
    place.run_as("p", "a", &["leave"]).ok();
    let filter = "labels['team'] == 'red' && kind == 'agent_pool_run_left'";
    let events = ["watch", filter];
    let seen = shown(&place, &events);
    assert_eq!(seen["labels"]["tier"], "1");
    said(&place, &["labels", "clear", "--of", "a"]);
    assert_eq!(said(&place, &["labels", "show", "--of", "a"]).trim(), "");
}
