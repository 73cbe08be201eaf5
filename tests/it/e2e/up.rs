//! `heronry up`: manifests, supervision, and what happens when it is killed.

use std::{fs::File, io::Read, path::PathBuf, process::Command};

use heronry_tests::process::{Folder, Said};

/// Puts a manifest in its place at once: whoever reads it meanwhile sees the one before, or this one.
fn manifest(place: &Folder, members: &str) -> PathBuf {
    let written = place.write("job/new", format!("pool = \"tiny\"\n{members}"));
    let manifest = place.at("job/pool.toml");
    std::fs::rename(written, &manifest).unwrap();
    manifest
}

fn up(place: &Folder, members: &str, more: &[&str]) -> Said {
    manifest(place, members);
    let mut arguments = vec!["up", "job/pool.toml"];
    arguments.extend(more);
    place.run(&arguments)
}

/// Returns the kinds and runs of the events that end runs.
fn endings(place: &Folder, pool: &str) -> String {
    let server = place.serve(&[]);
    let filter = r#"kind in ["run_completed", "run_failed", "run_cancelled"]"#;
    let said = place.run(&["--pool", pool, "watch", filter, "--field", "kind,run"]);
    server.signal("TERM");
    server.end().ok();
    said.ok()
}

const PING_PONG: &str = r#"
[[member]]
agent = "ping"
command = ["sh", "-c", "heronry send --to run:pong --body hello --key k -q; heronry inbox --wait 20s --bodies --field body"]
[[member]]
agent = "pong"
until = "stopped"
command = ["sh", "-c", "heronry inbox --wait 20s -q; heronry send --to run:ping --body back --key k -q; heronry inbox --wait 60s"]
"#;

#[test]
fn two_members_talk_and_the_job_ends_with_the_one_it_waits_for() {
    let place = Folder::new();
    let said = up(&place, PING_PONG, &[]);
    let out = said.ok();
    assert!(out.contains("job    tiny.1 (new)"), "{out}");
    assert!(out.contains("store  redb:"), "{out}");
    assert!(out.contains("ping | back"), "{out}");
    assert!(out.contains("job tiny.1 completed in"), "{out}");
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/ping.log")).unwrap();
    assert_eq!(log, "back\n");
    assert_eq!(
        endings(&place, "tiny.1"),
        "run_completed\tping\nrun_completed\tpong\n"
    );
    let second = up(&place, PING_PONG, &["--json"]).json();
    assert_eq!(
        (&second["job"], &second["outcome"]),
        (&"2".into(), &"completed".into())
    );
}

#[test]
fn a_member_gets_what_it_needs_and_no_more() {
    let place = Folder::new();
    let script = "env | grep '^HERONRY_' | cut -d= -f1 | sort | tr '\\n' ' '; echo; \
                  pwd; echo \"$HERONRY_INPUT $HERONRY_OUTPUT $HERONRY_RUN\"; command -v heronry";
    let member = format!(
        "[[member]]\nagent = \"a\"\nreplicas = 1\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    );
    place.write("in/x", "");
    manifest(&place, &member);
    let mut command = place.command(&["up", "job/pool.toml", "--input", "in", "--output", "out"]);
    command.env("HERONRY_OPERATOR_TOKEN_FILE", place.at("op"));
    heronry_tests::process::said(&mut command).ok();
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/a-1.log")).unwrap();
    let root = std::fs::canonicalize(place.path()).unwrap();
    let root = root.display();
    let binary = heronry_tests::process::binary();
    let expected = format!(
        "HERONRY_AGENT HERONRY_BIN HERONRY_GENERATION HERONRY_INPUT HERONRY_OUTPUT \
         HERONRY_POOL HERONRY_RUN HERONRY_STATE_DIR HERONRY_TOKEN HERONRY_URL \n\
         {root}/job\n{root}/in {root}/out a-1\n{}\n",
        binary.display()
    );
    assert_eq!(log, expected);
}

#[test]
fn a_member_inherits_no_variable_of_heronry_and_every_other_one() {
    let place = Folder::new();
    let script = "env | grep -a -E 'HERONRY_|OTHER' | cut -d= -f1 | sort | tr '\\n' ' '; echo; \
                  echo \"$HERONRY_RUN $OTHER_HERONRY_NAME $OTHER ${HERONRY_LOG-no level}\"";
    let member = format!("[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", {script:?}]\n");
    manifest(&place, &member);
    place.write_secret("op", "a token of an operator");
    let mut command = place.command(&["up", "job/pool.toml", "--data-dir", ".heronry"]);
    let of_up = [
        ("HERONRY_TOKEN", "an operator's"),
        ("HERONRY_TOKEN_FILE", "op"),
        ("HERONRY_OPERATOR_TOKEN_FILE", "op"),
        ("HERONRY_DATA_DIR", "elsewhere"),
        ("HERONRY_STATE_DIR", "state"),
        ("HERONRY_URL", "http://127.0.0.1:1"),
        ("HERONRY_POOL", "other"),
        ("HERONRY_RUN", "other"),
        ("HERONRY_AGENT", "other"),
        ("HERONRY_CONNECT_TIMEOUT", "1ms"),
        ("HERONRY_LOG", "error"),
        ("HERONRY_", "nothing"),
        ("HERONRY_OF_A_LATER_VERSION", "1"),
        ("OTHER_HERONRY_NAME", "kept"),
        ("OTHER", "kept too"),
    ];
    command.envs(of_up);
    // A name that is no text is one of them, too.
    let odd = std::os::unix::ffi::OsStringExt::from_vec(b"HERONRY_\xff".to_vec());
    let odd: std::ffi::OsString = odd;
    command.env(odd, "1");
    heronry_tests::process::said(&mut command).ok();
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    let expected = "HERONRY_AGENT HERONRY_BIN HERONRY_GENERATION HERONRY_INPUT HERONRY_OUTPUT \
                    HERONRY_POOL HERONRY_RUN HERONRY_STATE_DIR HERONRY_TOKEN HERONRY_URL \
                    OTHER OTHER_HERONRY_NAME \n\
                    a kept kept too no level\n";
    assert_eq!(log, expected);
}

#[test]
fn a_member_that_fails_once_is_started_again() {
    let place = Folder::new();
    let member = r#"
[[member]]
agent = "a"
command = ["sh", "-c", "echo generation $HERONRY_GENERATION; mkdir tried 2>/dev/null && exit 7; exit 0"]
"#;
    let out = up(&place, member, &[]).ok();
    assert!(
        out.contains("a ended with exit code 7; starts again in 250 ms"),
        "{out}"
    );
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    let generations = log
        .lines()
        .map(|line| line.strip_prefix("generation ").unwrap());
    let generations: Vec<u64> = generations.map(|it| it.parse().unwrap()).collect();
    assert!(
        generations.len() == 2 && generations[0] < generations[1],
        "{log}"
    );
    assert_eq!(endings(&place, "tiny.1"), "run_completed\ta\n");
}

#[test]
fn a_member_that_fails_for_good_fails_the_job() {
    let place = Folder::new();
    let member =
        "[[member]]\nagent = \"a\"\nrestart = \"never\"\ncommand = [\"sh\", \"-c\", \"exit 7\"]\n";
    let said = up(&place, member, &["--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let summary: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(summary["outcome"], "failed");
    assert_eq!(summary["members"][0]["exit_code"], 7);
    assert_eq!(endings(&place, "tiny.1"), "run_failed\ta\n");
    let again = up(&place, member, &["--job", "1", "--json"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(endings(&place, "tiny.1"), "run_failed\ta\n");
}

#[test]
fn a_manifest_that_makes_no_sense_changes_nothing() {
    let place = Folder::new();
    let lead = "[[member]]\nagent = \"a\"\ncommand = [\"sh\"]\n";
    let typo = lead.replace("command", "comand");
    up(&place, &typo, &[]).refused(2, "job/pool.toml:4: unknown key \"comand\"");
    let missing = lead.replace("\"sh\"", "\"no-such-program\"");
    up(&place, &missing, &[]).refused(2, "job/pool.toml:4: no program \"no-such-program\" on PATH");
    place.run(&["up", "none.toml"]).refused(2, "none.toml");
    up(&place, lead, &["--input", "none"]).refused(2, "--input none");
    assert!(!place.at(".heronry").exists());
}

#[test]
fn an_unfinished_job_with_other_limits_says_what_to_do() {
    let place = Folder::new();
    let member = "[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", \"echo up; sleep 600\"]\n";
    manifest(&place, &format!("[limits]\ninbox_depth_max = 7\n{member}"));
    let mut running = place.start(&["up", "job/pool.toml"]);
    running.until("a | up");
    running.kill();
    let other = format!("[limits]\ninbox_depth_max = 8\n{member}");
    let refused = up(&place, &other, &["-q"]);
    refused.refused(3, "job tiny.1 is not finished and has other limits");
    for way in [
        "put [limits] back",
        "heronry pool set tiny.1 --limit",
        "--job NAME",
    ] {
        refused.refused(3, way);
    }
    let over = format!("[limits]\nclaim_ms_max = 43200001\n{member}");
    up(&place, &over, &["-q", "--job", "2"]).refused(3, "limits.claim_ms_max can be 43200000");
}

const HOLDS_A_PIPE: &str = r#"
[[member]]
agent = "a"
command = ["sh", "-c", "exec 3>../pipe; sh -c 'echo holds; sleep 600' & wait"]
"#;

/// Returns a pipe that reads to its end only when every process of the member is gone.
fn pipe(place: &Folder) -> PathBuf {
    let path = place.at("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

#[test]
fn every_process_of_a_member_ends_with_up_even_when_up_is_killed() {
    let place = Folder::new();
    let path = pipe(&place);
    manifest(&place, HOLDS_A_PIPE);
    let mut running = place.start(&["up", "job/pool.toml"]);
    let mut pipe = File::open(path).unwrap();
    running.until("holds");
    running.kill();
    assert_eq!(pipe.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn a_signal_stops_the_members_and_records_nothing() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let place = Folder::new();
        let path = pipe(&place);
        manifest(&place, HOLDS_A_PIPE);
        let mut running = place.start(&["up", "job/pool.toml"]);
        let mut pipe = File::open(path).unwrap();
        running.until("holds");
        running.signal(name);
        assert_eq!(pipe.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert_eq!(running.end().code, Some(code));
        assert_eq!(endings(&place, "tiny.1"), "");
    }
}

#[test]
fn two_jobs_cannot_run_on_one_store() {
    let place = Folder::new();
    let path = pipe(&place);
    manifest(&place, HOLDS_A_PIPE);
    let mut running = place.start(&["up", "job/pool.toml"]);
    let _pipe = File::open(path).unwrap();
    running.until("holds");
    place
        .run(&["up", "job/pool.toml"])
        .refused(1, "has an owner: pid");
    let shown = place
        .run(&["--pool", "tiny.1", "members", "--field", "run_id"])
        .ok();
    assert_eq!(shown, "a\n");
}

#[test]
fn a_program_that_may_not_be_run_is_said_so() {
    let place = Folder::new();
    place.write("job/work.sh", "#!/bin/sh\n");
    let member = |program: &str| format!("[[member]]\nagent = \"a\"\ncommand = [\"{program}\"]\n");
    let file = std::fs::canonicalize(place.at("job/work.sh")).unwrap();
    let file = file.display();
    up(&place, &member("./work.sh"), &[]).refused(
        2,
        &format!("job/pool.toml:4: {file} is not executable; run: chmod +x {file}"),
    );
    up(&place, &member("work.sh"), &[])
        .refused(2, "that of the manifest's folder is \"./work.sh\"");
    assert!(!place.at(".heronry").exists());
}

#[test]
fn a_run_that_became_another_agent_is_named_with_its_line() {
    let place = Folder::new();
    let member = |agent: &str| {
        format!(
            "[[member]]\nrun = \"r\"\nagent = \"{agent}\"\n\
             command = [\"sh\", \"-c\", \"echo started; exec sleep 60\"]\n"
        )
    };
    manifest(&place, &member("one"));
    let mut first = place.start(&["up", "job/pool.toml"]);
    first.until("r | started");
    first.signal("TERM");
    assert_eq!(first.end().code, Some(143));
    let again = up(&place, &member("two"), &[]);
    assert_eq!(again.code, Some(3), "{again:?}");
    assert_eq!(
        again.err,
        "heronry: job/pool.toml:5: run \"r\" began job tiny.1 with another agent_id, which a run keeps for \
         life; put it back, give the member another run, or begin another job with --job NAME \
         (member-conflict)\n"
    );
}

/// The reference page of manifests.
const PAGE: &str = include_str!("../../../crates/heronry-cli/docs/MANIFEST.md");

#[test]
fn the_example_manifest_runs_as_it_stands() {
    let place = Folder::new();
    place.write("pool.toml", place.run(&["up", "--example"]).ok());
    let out = place.run(&["up", "pool.toml"]).ok();
    for worker in ["worker-1", "worker-2"] {
        assert!(
            out.contains(&format!("asker    | {worker} says: 42")),
            "{out}"
        );
    }
    assert!(out.contains("job example.1 completed in"), "{out}");
}

#[test]
fn the_page_of_manifests_names_every_variable_that_a_member_gets() {
    let place = Folder::new();
    let script = "env | grep -o '^HERONRY_[A-Z_]*' | sort";
    let member = format!("[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", {script:?}]\n");
    up(&place, &member, &[]).ok();
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    let rows = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `HERONRY_"));
    let mut named: Vec<String> = rows
        .filter_map(|row| row.split_once('`'))
        .map(|(name, _)| format!("HERONRY_{name}\n"))
        .collect();
    named.sort();
    assert_eq!(log, named.concat());
}

#[test]
fn variables_of_a_manifest_reach_the_member_and_stand_nowhere_else() {
    let place = Folder::new();
    let script = "echo \"got ${#A} ${#B} ${#C}\"; pwd";
    let keys = "env = { A = \"canary-of-env\" }\nenv_file = \"team.env\"\nenv_from = [\"C\"]\n\
                cwd = \"inner\"\n";
    let member =
        format!("[[member]]\nagent = \"a\"\n{keys}command = [\"sh\", \"-c\", {script:?}]\n");
    manifest(&place, &member);
    place.write("job/inner/x", "");
    place.write_secret("job/team.env", "B=canary-of-a-file\n");
    let mut command = place.command(&["up", "job/pool.toml"]);
    command.env("C", "canary-of-up").env("HERONRY_LOG", "trace");
    let said = heronry_tests::process::said(&mut command);
    for text in [&said.out, &said.err] {
        assert!(!text.contains("canary"), "{text}");
    }
    said.ok();
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    let inner = std::fs::canonicalize(place.at("job/inner")).unwrap();
    assert_eq!(log, format!("got 13 16 12\n{}\n", inner.display()));
    for file in ["store.redb", "server.json"] {
        let bytes = std::fs::read(place.at(&format!(".heronry/{file}"))).unwrap_or_default();
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "{file}");
    }
}

#[test]
fn a_member_that_is_not_ready_in_time_or_lives_too_long_is_started_again() {
    let place = Folder::new();
    for (keys, why) in [
        (
            "ready = \"line\"\nready_within = \"200ms\"\n",
            "was not ready within 200 ms",
        ),
        ("timeout = \"200ms\"\n", "ran for 200 ms, its longest life"),
    ] {
        let member = format!(
            "[[member]]\nagent = \"a\"\n{keys}\
             restart = {{ policy = \"on_failure\", budget = 1, backoff = \"1ms\" }}\n\
             command = [\"sh\", \"-c\", \"exec sleep 600\"]\n"
        );
        let said = up(&place, &member, &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        let again = format!("{why}; starts again in 1 ms");
        assert_eq!(said.out.matches(&again).count(), 1, "{said:?}");
        let broken = format!("a is broken: it {why} after 1 restart in a row");
        assert!(said.out.contains(&broken), "{said:?}");
    }
}

fn sleeper(agent: &str) -> String {
    let script = "echo runs; exec sleep 600";
    format!("[[member]]\nagent = \"{agent}\"\ncommand = [\"sh\", \"-c\", {script:?}]\n")
}

#[test]
fn a_manifest_that_turns_into_nonsense_changes_nothing_and_is_told_once() {
    let place = Folder::new();
    manifest(&place, &sleeper("one"));
    let mut running = place.start(&["up", "job/pool.toml"]);
    running.until("one | runs");
    manifest(&place, &sleeper("two").replace("command", "comand"));
    running.signal("HUP");
    let why = "the manifest is refused, and what was declared before stays: job/pool.toml:4: \
               unknown key \"comand\" in [[member]]; did you mean \"command\"?";
    running.until(why);
    running.signal("HUP");
    manifest(&place, &(sleeper("one") + &sleeper("two")));
    running.signal("HUP");
    let lines = running.until("started two");
    assert!(!lines.concat().contains("refused"), "{lines:?}");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(143));
}

#[test]
fn a_manifest_that_is_watched_is_read_again_when_it_changes() {
    let place = Folder::new();
    manifest(&place, &sleeper("one"));
    let mut running = place.start(&["up", "job/pool.toml", "--watch"]);
    running.until("one | runs");
    // Another file in its place, as editors do it.
    manifest(&place, &sleeper("two"));
    running.until("started two; retired one");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(143));
}

#[test]
fn r59_a_module_runs_beside_the_members_and_has_no_token() {
    let place = Folder::new();
    let script =
        "echo ${HERONRY_RUN-no run} ${HERONRY_TOKEN-no token} in $HERONRY_POOL; exec sleep 600";
    let member = sleeper("one").replace("sleep 600", "sleep 1");
    let module = format!(
        "[[module]]\nid = \"helper\"\nready = \"line\"\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    );
    let out = up(&place, &(member + &module), &[]).ok();
    assert!(out.contains("helper | no run no token in tiny.1"), "{out}");
    let log = std::fs::read_to_string(place.at(".heronry/logs/tiny.1/modules/helper.log"));
    assert_eq!(log.unwrap(), "no run no token in tiny.1\n");
}

#[test]
fn r56_a_plan_names_the_actions_that_the_next_run_takes_and_does_none_of_them() {
    let place = Folder::new();
    manifest(&place, &(sleeper("one") + &sleeper("two")));
    let planned = place.run(&["up", "job/pool.toml", "--plan"]).ok();
    assert!(planned.starts_with("job tiny.1 (new)\n"), "{planned}");
    for action in ["start one\n", "start two\n"] {
        assert!(planned.contains(action), "{planned}");
    }
    let mut running = place.start(&["up", "job/pool.toml"]);
    running.until("one | runs");
    running.signal("TERM");
    running.end();
    manifest(&place, &(sleeper("one") + &sleeper("three")));
    let planned = place.run(&["up", "job/pool.toml", "--plan"]).ok();
    assert!(planned.starts_with("job tiny.1 (continued)\n"), "{planned}");
    for action in ["retire two\n", "start one\n", "start three\n"] {
        assert!(planned.contains(action), "{planned}");
    }
    let again = place
        .run(&["up", "job/pool.toml", "--plan", "--json"])
        .json();
    let actions = again["actions"].as_array().unwrap().iter();
    let actions: Vec<&str> = actions.map(|it| it["action"].as_str().unwrap()).collect();
    let lines: Vec<&str> = planned.lines().skip(1).collect();
    assert_eq!(actions, lines);
    let mut running = place.start(&["up", "job/pool.toml"]);
    running.until("three | runs");
    let members = ["--pool", "tiny.1", "members", "--field", "run_id"];
    assert_eq!(place.run(&members).ok(), "one\nthree\n");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(143));
}
