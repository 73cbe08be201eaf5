//! Garbage for the command line: refused in a line or two, with the exit code of the fault.

use std::ffi::OsString;

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use heronry_tests::garbage::garbage;
use heronry_tests::process::{Folder, Said, said};
use heronry_tests::tries::cases;

/// Arguments that mean something, and that start no server and reach none.
const ARGUMENTS: [&str; 41] = [
    "pool",
    "open",
    "join",
    "leave",
    "members",
    "state",
    "send",
    "receipt",
    "body",
    "inbox",
    "ack",
    "release",
    "wait",
    "watch",
    "filter",
    "explain",
    "wakes",
    "check",
    "journal",
    "verify",
    "show",
    "store",
    "copy",
    "completions",
    "bash",
    "--pool",
    "p",
    "--run",
    "a",
    "--to",
    "run:b",
    "--json",
    "--field",
    "x",
    "--after",
    "-1",
    "--timeout",
    "10 x",
    "--",
    "--data-dir",
    "none",
];

fn is_refused_in_good_order(said: &Said) {
    let code = said
        .code
        .unwrap_or_else(|| panic!("ended by a signal: {said:?}"));
    assert!((0..=6).contains(&code), "{said:?}");
    assert!(!said.err.contains("panicked"), "{said:?}");
    assert!(
        code == 0 || !said.err.is_empty() || !said.out.is_empty(),
        "{said:?}"
    );
}

#[test]
fn arguments_in_any_order_are_refused_in_good_order() {
    let place = Folder::new();
    let words = prop_oneof![
        5 => prop::sample::select(ARGUMENTS.to_vec()).prop_map(str::to_owned),
        1 => garbage(&["--pool=p", "redb:x", "1@2", "30s"]),
    ];
    let run = TestRunner::new(cases(20)).run(&vec(words, 0..7), |words| {
        let mut all: Vec<OsString> = vec!["--url".into(), "http://127.0.0.1:9".into()];
        all.extend(
            words
                .iter()
                .filter(|word| !word.contains('\0'))
                .map(OsString::from),
        );
        is_refused_in_good_order(&said(&mut place.command(&all)));
        Ok(())
    });
    run.unwrap();
}

const MANIFEST: &str = r#"pool = "job"

[limits]
members_max = 3

[[member]]
agent = "lead"
command = ["no-such-program-anywhere", "x"]
topics = ["t"]
until = "exited"
restart = "never"

[[member]]
agent = "scan"
replicas = 2
command = ["no-such-program-anywhere"]
"#;

#[test]
fn a_spoilt_manifest_is_refused_with_its_line() {
    let place = Folder::new();
    let run = TestRunner::new(cases(16)).run(&garbage(&[MANIFEST]), |text| {
        // What still names a program names one that is not there, so nothing is ever started.
        let names_another = text.contains("command") && !text.contains("no-such-program-anywhere");
        if names_another {
            return Ok(());
        }
        place.write("pool.toml", &text);
        let said = place.run(&["up", "pool.toml", "--store", "memory"]);
        assert_eq!(said.code, Some(2), "{text}\n{said:?}");
        assert!(!said.err.contains("panicked"), "{said:?}");
        assert!(said.err.contains("pool.toml"), "{text}\n{said:?}");
        Ok(())
    });
    run.unwrap();
}

#[test]
fn spoilt_files_of_the_data_directory_are_refused_by_name() {
    let cursor = "5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-42\n";
    let place = Folder::new();
    let run = TestRunner::new(cases(6)).run(&garbage(&[cursor]), |text| {
        place.write("cursor", &text);
        let arguments = ["--url", "http://127.0.0.1:9", "--pool", "p", "watch"];
        let file = ["--cursor-file", "cursor"];
        let said = place.run(&[&arguments[..], &file[..]].concat());
        is_refused_in_good_order(&said);
        assert_ne!(said.code, Some(0), "{said:?}");
        Ok(())
    });
    run.unwrap();
}
