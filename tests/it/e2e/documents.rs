//! The shell blocks of every document, run as they stand.
//!
//! A block runs in a new empty directory, with the command on `PATH` and nothing else that a reader has
//! not been told of. One that begins with `cargo` is for a clone: it runs in one, where `cargo` takes the
//! binary that is built already. Each ends by itself, and leaves no process behind.

use std::{
    fs,
    io::Read,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::channel,
    time::Duration,
};

use heronry_tests::process::{Folder, binary};

/// The longest time for one block on a busy machine.
const BLOCK_MAX: Duration = Duration::from_secs(180);
/// The longest time that processes which a block has started may go on after its end.
const LEFT_MAX: Duration = Duration::from_secs(60);

/// The `heronry` on the `PATH` of a block: tests run side by side, so no server takes the usual
/// port.
const HERONRY: &str = r#"#!/bin/sh
case ${1-} in
    serve) shift; exec BINARY serve --listen 127.0.0.1:0 "$@" ;;
    *) exec BINARY "$@" ;;
esac
"#;

/// The `cargo` on the `PATH` of a block: in a clone that is built, it runs the binary; everything
/// else that is asked for has to exist.
const CARGO: &str = r#"#!/bin/sh
set -eu
case "$*" in
    "run --release -- bench"*) shift 3; exec heronry "$@" --help ;;
    "run --release -- "*) shift 3; exec heronry "$@" ;;
    "install heronry-cli") grep -q '^name = "heronry-cli"' crates/heronry-cli/Cargo.toml ;;
    "install --path "*) grep -q '^name = "heronry"' "$3/Cargo.toml" ;;
    "build --release --timings") ;;
    "xtask "*) grep -q "^  $2 " xtask/src/main.rs ;;
    "bench -p "*" --bench "*) test -f "crates/$3/benches/$5/main.rs" ;;
    "test -p heronry-tests --test "*) test -f "tests/it/$5/main.rs" ;;
    "test -p "*) test -d "crates/$3" ;;
    *) echo "cargo $*: no test knows this command" >&2; exit 1 ;;
esac
"#;

/// The documents that have a test of their own; what has blocks beside them is run by one.
const DOCUMENTS: [&str; 4] = [
    "README.md",
    "crates/heronry-cli/README.md",
    "crates/heronry/docs/run-the-server.md",
    "examples/review/README.md",
];

/// Folders that hold no document of ours.
const SKIPPED: [&str; 3] = [".git", ".heronry", "target"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Returns the shell blocks of a document.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        match line {
            "```sh" => {
                blocks.push(String::new());
                is_inside = true;
            }
            "```" => is_inside = false,
            line if is_inside => {
                let block = blocks.last_mut().unwrap();
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// Says whether a block is for a clone: its first command is `cargo`.
fn needs_clone(block: &str) -> bool {
    let mut words = block.split_whitespace();
    words.find(|word| !word.contains('=')) == Some("cargo")
}

/// Makes a clone, as far as the blocks look at it: a copy of the examples, and the way to the rest.
fn clone() -> Folder {
    let place = Folder::new();
    copy(&root().join("examples"), &place.at("examples"));
    for folder in ["crates", "tests", "xtask"] {
        std::os::unix::fs::symlink(root().join(folder), place.at(folder)).unwrap();
    }
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Makes a folder of the commands that a reader has.
fn commands() -> Folder {
    let place = Folder::new();
    let binary = binary();
    for (name, text) in [("heronry", HERONRY), ("cargo", CARGO)] {
        let text = text.replace("BINARY", binary.to_str().unwrap());
        let path = place.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    place
}

/// Runs a block, and waits until it and all that it started have ended.
#[track_caller]
fn check(block: &str, folder: &Path, commands: &Path) {
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("sh");
    command.args(["-euc", block]).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HERONRY_") {
            command.env_remove(name);
        }
    }
    command.env("PATH", format!("{}:{path}", commands.display()));
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = command.process_group(0).spawn().unwrap();
    let (mut out, mut err) = (shell.stdout.take().unwrap(), shell.stderr.take().unwrap());
    let (said, all_said) = channel();
    // Both streams are open as long as any process of the block lives.
    std::thread::spawn(move || {
        let (mut text, mut errors) = (String::new(), String::new());
        let errors_read =
            std::thread::spawn(move || err.read_to_string(&mut errors).map(|_| errors));
        out.read_to_string(&mut text).unwrap();
        let _ = said.send(text + &errors_read.join().unwrap().unwrap());
    });
    let group = shell.id();
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(shell.wait().unwrap().code()));
    let code = end.recv_timeout(BLOCK_MAX);
    if code != Ok(Some(0)) {
        kill(group);
    }
    let Ok(text) = all_said.recv_timeout(LEFT_MAX) else {
        kill(group);
        panic!("a process of this block did not end with it:\n{block}");
    };
    assert_eq!(code, Ok(Some(0)), "{block}\n{text}");
}

/// Ends every process of a group.
fn kill(group: u32) {
    let group = format!("-{group}");
    let killed = Command::new("kill").args(["-KILL", "--", &group]).output();
    // A group whose processes have just ended needs no signal.
    killed.unwrap();
}

/// Runs every block of a document; those for a clone run in the same one.
#[track_caller]
fn check_document(name: &str) {
    let text = fs::read_to_string(root().join(name)).unwrap();
    let blocks = blocks(&text);
    assert!(!blocks.is_empty(), "{name} has no shell block");
    let (commands, clone) = (commands(), clone());
    for block in blocks {
        let empty = Folder::new();
        let place = if needs_clone(&block) { &clone } else { &empty };
        check(&block, place.path(), commands.path());
    }
}

#[test]
fn blocks_of_the_readme() {
    check_document("README.md");
}

#[test]
fn blocks_of_the_command() {
    check_document("crates/heronry-cli/README.md");
}

#[test]
fn blocks_of_the_guide_to_the_server() {
    check_document("crates/heronry/docs/run-the-server.md");
}

#[test]
fn blocks_of_the_review() {
    check_document("examples/review/README.md");
}

#[test]
fn blocks_of_every_other_document() {
    let mut found = Vec::new();
    find(&root(), &mut found);
    for name in DOCUMENTS {
        assert!(found.iter().any(|other| other == name), "{name} is gone");
    }
    found.retain(|name| !DOCUMENTS.contains(&name.as_str()));
    assert!(!found.is_empty(), "CONTRIBUTING.md has blocks");
    for name in found {
        check_document(&name);
    }
}

fn find(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !SKIPPED.contains(&name) {
                find(&path, found);
            }
        } else if path.extension().is_some_and(|it| it == "md")
            && !blocks(&fs::read_to_string(&path).unwrap()).is_empty()
        {
            let below = path.strip_prefix(root()).unwrap();
            found.push(below.to_str().unwrap().to_owned());
        }
    }
}
