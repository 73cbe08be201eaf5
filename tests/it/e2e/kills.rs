//! A server that is killed again and again while several processes send: what was answered is there, and
//! nothing is there twice.

use std::{
    collections::BTreeSet,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use heronry_tests::as_many_as_asked;

use heronry_tests::process::Folder;

/// The number of kills of the server, unless `HERONRY_KILLS` sets it.
const KILLS: usize = 4;
/// The number of processes that send at the same time.
const SENDERS: usize = 3;
/// The longest time for the answers before a kill on a busy machine.
const ANSWERS_WITHIN: Duration = Duration::from_secs(120);

/// Ends the senders when the test ends, also by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends one message after the other until it is over; one without an answer is sent again under its key.
/// Tells which messages were answered.
fn send(place: &Folder, name: &str, over: &AtomicBool, answered: &Sender<String>) {
    let send = ["--pool", "p", "--run", "lead", "send", "--to", "pool"];
    for number in 1.. {
        let key = format!("{name}-{number}");
        let what = ["--body", name, "--key", &key, "--field", "message_id"];
        let arguments = [&send[..], &what].concat();
        let mut said = place.run(&arguments);
        while said.code == Some(5) && !over.load(Ordering::Relaxed) {
            said = place.run(&arguments);
        }
        answered.send(said.ok().trim_end().to_owned()).unwrap();
        if over.load(Ordering::Relaxed) {
            return;
        }
    }
}

#[test]
fn what_was_answered_before_a_kill_is_there_once() {
    let place = Folder::new();
    let first = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    for run in ["lead", "scout"] {
        place.run(&["--pool", "p", "--run", run, "join"]).ok();
    }
    let over = AtomicBool::new(false);
    let (answered, answers) = channel();
    let mut known = Vec::new();
    let server = std::thread::scope(|scope| {
        let mut server = first;
        let _ends_them = Over(&over);
        for number in 1..=SENDERS {
            let (place, over, answered) = (&place, &over, answered.clone());
            scope.spawn(move || send(place, &format!("sender-{number}"), over, &answered));
        }
        for kill in 0..as_many_as_asked("HERONRY_KILLS", KILLS) {
            // Another number each time, so that the kill meets another moment of the sends under way.
            for _ in 0..=kill % (SENDERS * 2) {
                known.push(answers.recv_timeout(ANSWERS_WITHIN).unwrap());
            }
            server.kill();
            server = place.serve(&[]);
        }
        server
    });
    drop(answered);
    known.extend(answers);
    let filter = "kind == \"run_message_accepted\"";
    let watch = ["--pool", "p", "watch", filter, "--from", "start"];
    let kept = place.run(&[&watch[..], &["--field", "message"]].concat());
    let kept: Vec<String> = kept.ok().lines().map(str::to_owned).collect();
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    let distinct: BTreeSet<&String> = kept.iter().collect();
    assert_eq!(distinct.len(), kept.len(), "a message is there twice");
    assert_eq!(distinct, known.iter().collect(), "what was answered");
    let verified = place.run(&["journal", "verify", "--json"]).json();
    assert_eq!(verified["ok"], true);
}
