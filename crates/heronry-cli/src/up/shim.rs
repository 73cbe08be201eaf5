//! `heronry __shim`: stands between `up` and a member, so that no member outlives `up`.
//!
//! The shim leads a process group of its own. Its stdin is a pipe that `up` holds open: when it
//! ends, `up` is gone, however that came about, and the shim ends the whole group.

use std::{
    ffi::OsString,
    io::{self, Read},
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    thread,
};

use rustix::process::{Signal, getpgrp, getpid, kill_process_group};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

use crate::failure::{Exit, Failure};

/// The exit code that says that the program could not be started.
pub(crate) const CANNOT_START: u8 = 127;

/// Runs a member's command and ends as it ends.
pub(crate) async fn run(command: Vec<OsString>) -> Result<u8, Failure> {
    let [program, arguments @ ..] = command.as_slice() else {
        return Err(Failure::usage("no command to run"));
    };
    if getpgrp() != getpid() {
        return Err(Failure::usage("this verb is for `heronry up` alone"));
    }
    let _held = ignore_polite_signals().map_err(Failure::failed)?;
    thread::spawn(end_group_when_abandoned);
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            let program = program.display();
            crate::out::diagnose(&format!("heronry: cannot start {program}: {error}"));
            return Ok(CANNOT_START);
        }
    };
    let status = child.wait().await.map_err(Failure::failed)?;
    Ok(code_of(status))
}

/// A signal to the group is for the member: the shim lives until the member has ended.
fn ignore_polite_signals() -> io::Result<Vec<tokio::signal::unix::Signal>> {
    [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ]
    .into_iter()
    .map(signal)
    .collect()
}

fn end_group_when_abandoned() {
    let mut byte = [0];
    let mut stdin = io::stdin().lock();
    // Nothing is ever written; whatever ends the read, nobody supervises this group any more.
    while matches!(stdin.read(&mut byte), Ok(1)) {}
    // This ends the shim as well; when it fails there is no group left to end.
    let _ = kill_process_group(getpid(), Signal::KILL);
}

/// Returns the exit code as a shell would: 128 and the number of the signal that ended it.
pub(crate) fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|number| 128 + number));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(Exit::Failed.code())
}
