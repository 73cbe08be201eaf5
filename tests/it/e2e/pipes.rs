//! Printed output and its readers: pipes that nobody reads, and manual pages.

use std::process::Stdio;

use heronry_tests::process::Folder;

/// Runs a command whose output nobody reads; returns its exit code and what it says about that.
fn unread(place: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.command(arguments);
    let output = command.stdout(writer).stderr(Stdio::piped()).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn a_command_whose_output_nobody_reads_ends_quietly_as_others_in_a_pipe() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    let quiet = (Some(141), String::new());
    for arguments in [
        &["pool", "list"][..],
        &["pool", "show", "p", "--json"],
        &["--pool", "p", "watch"],
        &["filter", "check", "terminal"],
        &["completions", "bash"],
        &["man"],
    ] {
        assert_eq!(unread(&place, arguments), quiet, "{arguments:?}");
    }
    server.signal("TERM");
    server.end().ok();
    for verb in ["stats", "show", "export", "verify"] {
        assert_eq!(unread(&place, &["journal", verb]), quiet, "{verb}");
    }
    // Help goes nowhere as well, and that is no failure of its own.
    assert_eq!(unread(&place, &["--help"]).1, "");
}

#[test]
fn manual_pages_are_printed_and_written() {
    let place = Folder::new();
    let page = place.run(&["man", "journal", "verify"]).ok();
    assert!(page.contains(".TH heronry-journal-verify 1"), "{page}");
    assert!(place.run(&["man"]).ok().contains(".TH heronry 1"));
    place
        .run(&["man", "sned"])
        .refused(2, "there is no verb \"sned\"");
    assert_eq!(place.run(&["man", "--dir", "pages"]).ok(), "");
    let mut names: Vec<String> = std::fs::read_dir(place.at("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in ["heronry.1", "heronry-up.1", "heronry-journal-export.1"] {
        assert!(names.iter().any(|it| it == name), "no {name} in {names:?}");
    }
    assert!(names.iter().all(|name| !name.contains("__")), "{names:?}");
}
