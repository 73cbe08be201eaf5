//! The shim: stands between a host and what it started, so that nothing outlives the host.
//!
//! The shim leads a process group of its own. Its stdin is one end of a socket that the host holds the
//! other end of: when the host is gone, however that came about, the shim ends the whole group. On the
//! same socket it reports. It locks the file of its incarnation, and what it starts inherits the lock.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::{
        fd::AsFd,
        unix::{fs::MetadataExt, net::UnixStream},
    },
    path::Path,
    process::Stdio,
    thread,
};

use rustix::{
    io::FdFlags,
    process::{Signal, getpgrp, getpid, kill_process_group},
};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

use crate::{
    folder,
    report::{ShimReport, end_of},
};

/// The exit code of a shim that could not start the program.
pub const CANNOT_START: u8 = 127;

/// The reason why a shim did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShimError {
    /// The arguments name no file of an incarnation and no program.
    #[error("a file of an incarnation and a program are needed")]
    Arguments,
    /// It was not started by a host.
    #[error("this is for a host of processes alone")]
    NoHost,
    /// The system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Runs the program that the arguments name, as a [`ProcessHost`](crate::ProcessHost) asks for it: the
/// file of the incarnation, the program, and its arguments. Returns the exit code of this process once
/// the program has ended.
///
/// # Errors
/// [`ShimError`] when nothing was started.
pub async fn run_shim(arguments: &[OsString]) -> Result<u8, ShimError> {
    let [file, program, arguments @ ..] = arguments else {
        return Err(ShimError::Arguments);
    };
    if getpgrp() != getpid() {
        return Err(ShimError::NoHost);
    }
    let mut host = HostLine::of_stdin()?;
    // A signal to the group is for the program: the shim lives until the program has ended.
    let _handled = handle_polite_signals()?;
    let Some(_lock) = hold(Path::new(file))? else {
        host.tell(&ShimReport::Held)?;
        return Ok(CANNOT_START);
    };
    host.end_group_when_abandoned()?;
    let mut command = Command::new(program);
    let mut child = match command.args(arguments).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            host.tell(&ShimReport::Failed(cannot_start(program, &error)))?;
            return Ok(CANNOT_START);
        }
    };
    host.tell(&ShimReport::Started)?;
    let end = end_of(child.wait().await?);
    let code = end.shell_code();
    host.tell(&ShimReport::Ended(end))?;
    Ok(code)
}

fn cannot_start(program: &OsStr, error: &io::Error) -> String {
    format!("cannot start {}: {error}", program.display())
}

/// Locks the file of an incarnation, and writes the number of this group into it. `None` when something
/// of the incarnation runs, or the file was taken away.
fn hold(path: &Path) -> io::Result<Option<File>> {
    let mut file = folder::open(path, OpenOptions::new().read(true).append(true))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    if file.metadata()?.nlink() == 0 {
        return Ok(None);
    }
    writeln!(file, "{}", getpid())?;
    // What is started holds the lock as well, so that it is found when this shim was killed.
    rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
    Ok(Some(file))
}

fn handle_polite_signals() -> io::Result<Vec<tokio::signal::unix::Signal>> {
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

/// The socket to the host.
struct HostLine(UnixStream);

impl HostLine {
    fn of_stdin() -> Result<Self, ShimError> {
        let stdin = io::stdin();
        let is_socket = rustix::fs::fstat(&stdin)
            .is_ok_and(|it| rustix::fs::FileType::from_raw_mode(it.st_mode).is_socket());
        if !is_socket {
            return Err(ShimError::NoHost);
        }
        let owned = stdin.as_fd().try_clone_to_owned()?;
        Ok(Self(UnixStream::from(owned)))
    }

    fn tell(&mut self, report: &ShimReport) -> io::Result<()> {
        writeln!(self.0, "{}", report.line())
    }

    fn end_group_when_abandoned(&self) -> io::Result<()> {
        let mut host = self.0.try_clone()?;
        thread::Builder::new().spawn(move || {
            let mut byte = [0];
            // Nothing is ever written; whatever ends the read, nobody looks after this group any more.
            while matches!(host.read(&mut byte), Ok(1)) {}
            // This ends the shim as well; when it fails there is no group left to end.
            let _ = kill_process_group(getpid(), Signal::KILL);
        })?;
        Ok(())
    }
}
