//! The main job on a generated tree: killed, resumed, and compared with a direct count.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use heronry_tests::process::{Folder, Running, signal};

const FILES: usize = 60;

/// The number of files of a batch.
#[derive(Clone, Copy)]
enum BatchSize {
    /// As many messages as there are files.
    OneFile = 1,
    /// Enough messages for a change in between.
    FewFiles = 4,
    /// A few messages.
    ManyFiles = 20,
}

fn manifest() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("examples/review/pool.toml").display().to_string()
}

/// Writes a tree of source files, and things that are not to be reviewed.
fn tree(place: &Folder) -> BTreeMap<String, u64> {
    let mut expected = BTreeMap::new();
    for number in 0..FILES {
        let name = format!("part {}/file {number}.rs", number % 7);
        let lines = number as u64 * 3 + 1;
        let last = if number % 2 == 0 {
            ""
        } else {
            "\nlast line without an end"
        };
        let text = vec!["let x = 1;"; usize::try_from(lines).unwrap()].join("\n") + last;
        expected.insert(name.clone(), text.lines().count() as u64);
        place.write(&format!("in/{name}"), text);
    }
    place.write("in/.git/config", "[core]\n");
    place.write("in/target/debug/x.rs", "fn x() {}\n");
    place.write("in/picture.png", b"\x89PNG\0\0\0");
    place.write("in/two\nlines.rs", "fn y() {}\n");
    place.write("in/notes.py", "# TODO: later\nx = 1 # FIXME now\n");
    place.write("in/key.pem", format!("-----BEGIN {} KEY-----\n", "PRIVATE"));
    expected.insert("notes.py".to_owned(), 2);
    expected.insert("key.pem".to_owned(), 1);
    expected
}

fn up(place: &Folder, batch: BatchSize) -> Running {
    up_with(place, &manifest(), batch)
}

fn up_with(place: &Folder, manifest: &str, batch: BatchSize) -> Running {
    let arguments = ["up", manifest, "--input", "in", "--output", "out"];
    let mut command = place.command(&arguments);
    command.env("REVIEW_BATCH_FILES", (batch as usize).to_string());
    Running::start(&mut command)
}

fn report(place: &Folder) -> Value {
    serde_json::from_slice(&std::fs::read(place.at("out/report.json")).unwrap()).unwrap()
}

#[track_caller]
fn check_report(place: &Folder, expected: &BTreeMap<String, u64>) {
    let report = report(place);
    let reviewed = report["reviewed"].as_array().unwrap();
    let found: Vec<(String, u64)> = reviewed
        .iter()
        .map(|it| {
            (
                it["path"].as_str().unwrap().to_owned(),
                it["lines"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found.len(),
        expected.len(),
        "a file is missing or counted twice"
    );
    assert_eq!(&found.into_iter().collect::<BTreeMap<_, _>>(), expected);
    assert_eq!(report["files"], expected.len());
    assert_eq!(report["lines"], expected.values().sum::<u64>());
    assert_eq!(
        report["skipped"],
        serde_json::json!({"binary": 1, "unreadable": 0, "names": 1})
    );
    assert_eq!(report["notes"].as_array().unwrap().len(), 2);
    assert_eq!(report["secrets"][0]["path"], "key.pem");
    let longest = &report["longest_files"][0];
    assert_eq!(longest["lines"], *expected.values().max().unwrap());
    let text = std::fs::read_to_string(place.at("out/report.md")).unwrap();
    assert!(
        text.contains(&format!("{} files", expected.len())),
        "{text}"
    );
}

/// Waits until so many batches are done.
fn after_batches(running: &mut Running, count: usize) {
    for _ in 0..count {
        running.until(": 1 files");
    }
}

/// Returns every process that the job started, found by its data directory.
fn processes_of(data: &Path) -> Vec<u32> {
    let needle = format!("HERONRY_STATE_DIR={}/", data.display());
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter(|number: &u32| {
            // A process that has just ended, or another user's, has no environment to read.
            let environment = std::fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            environment.contains(&needle)
        })
        .collect()
}

/// Counts the events that a filter keeps, in the pool of the first job.
fn count(place: &Folder, filter: &str, field: &str) -> Vec<String> {
    let said = place.run(&[
        "--pool", "review.1", "watch", filter, "--from", "start", "--field", field,
    ]);
    let mut lines: Vec<String> = said.ok().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn the_review_runs_to_its_end_and_a_second_one_is_a_new_job() {
    let place = Folder::new();
    let expected = tree(&place);
    let first = up(&place, BatchSize::ManyFiles).end().ok();
    assert!(first.contains("job    review.1 (new)"), "{first}");
    check_report(&place, &expected);
    let second = up(&place, BatchSize::ManyFiles).end().ok();
    assert!(second.contains("job    review.2 (new)"), "{second}");
    check_report(&place, &expected);
}

#[test]
fn the_review_is_killed_resumed_and_counts_every_file_exactly_once() {
    let place = Folder::new();
    let expected = tree(&place);
    let report: PathBuf = place.at("out/report.json");

    // First `up` alone is killed: its shims end the members.
    let mut running = up(&place, BatchSize::OneFile);
    after_batches(&mut running, 10);
    running.kill();
    assert!(!report.exists());

    // Then every process at once.
    let mut running = up(&place, BatchSize::OneFile);
    assert!(running.line().contains("review.1 (continued)"));
    after_batches(&mut running, 10);
    let data = std::fs::canonicalize(place.at(".heronry")).unwrap();
    let mut all = processes_of(&data);
    all.push(running.id());
    for process in all {
        signal(process, "KILL");
    }
    drop(running);
    assert!(!report.exists());

    let last = up(&place, BatchSize::OneFile).end().ok();
    assert!(last.contains("job    review.1 (continued)"), "{last}");
    check_report(&place, &expected);
    // A batch for each file that was reviewed, and one for the binary file.
    tells_the_story(&place, expected.len() + 1);
}

/// The journal is whole, each batch was sent once and answered once, and each run ended once.
fn tells_the_story(place: &Folder, batches: usize) {
    assert_eq!(
        place.run(&["journal", "verify", "--json"]).json()["ok"],
        true
    );
    let server = place.serve(&[]);
    let sent = count(place, "kind == \"run_message_accepted\"", "message");
    let expected = |prefix: &str| {
        (1..=batches)
            .map(|n| format!("{prefix}batch-{n:05}"))
            .collect()
    };
    let mut all: Vec<String> = expected("");
    all.push("plan".to_owned());
    all.extend::<Vec<String>>(expected("result-"));
    assert_eq!(sent, all);
    let settled = count(place, "kind == \"run_message_settled\"", "message");
    assert_eq!(settled, all);
    let ended = count(place, "kind == \"run_completed\"", "run");
    assert_eq!(
        ended,
        ["lead", "reporter", "scanner-1", "scanner-2", "scanner-3"]
    );
    drop(server);
}

/// Copies the job into a folder of the test, with so many scanners.
fn scanners(place: &Folder, count: usize) {
    let folder = Path::new(&manifest()).parent().unwrap().to_owned();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        // A script that runs is left alone.
        if !place.at(&format!("job/{name}")).exists() {
            place.write(&format!("job/{name}"), std::fs::read(file.path()).unwrap());
        }
    }
    let text = std::fs::read_to_string(manifest()).unwrap();
    let changed = text.replace("replicas = 3", &format!("replicas = {count}"));
    place.write("job/pool.toml", changed);
}

#[test]
fn r55_scanners_come_and_go_while_the_review_runs_and_every_file_counts_once() {
    let place = Folder::new();
    let expected = tree(&place);
    scanners(&place, 3);
    let batches = |running: &mut Running, count: usize| {
        for _ in 0..count {
            running.until(" | batch-");
        }
    };
    let mut running = up_with(&place, "job/pool.toml", BatchSize::FewFiles);
    batches(&mut running, 3);
    scanners(&place, 5);
    running.signal("HUP");
    running.until("started scanner-4, scanner-5");
    batches(&mut running, 2);
    scanners(&place, 2);
    running.signal("HUP");
    running.until("retired scanner-3, scanner-4, scanner-5");
    batches(&mut running, 1);
    running.kill();
    assert!(!place.at("out/report.json").exists());
    let last = up_with(&place, "job/pool.toml", BatchSize::OneFile)
        .end()
        .ok();
    assert!(last.contains("review.1 (continued)"), "{last}");
    check_report(&place, &expected);
}
