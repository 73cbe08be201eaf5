//! One process group of a member, under its shim.

use std::{
    ffi::OsString,
    io,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::{
    process::{ChildStderr, ChildStdout},
    task::JoinHandle,
};

use super::{capture::Sink, shim::code_of};

/// The longest time that a member may take to end after it was asked to.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// The longest time that output may keep coming after the process group is gone.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// The parts that a process is started with.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The `heronry` binary.
    pub(crate) binary: PathBuf,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// The working directory.
    pub(crate) folder: PathBuf,
    /// Variables that the member gets.
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

/// The start of the names of this program's variables. A member has none of those that `up` has: they
/// would name another identity, another place or other settings than a member's.
pub(super) const OWN_VARIABLES: &str = "HERONRY_";

/// A member's process group that runs.
#[derive(Debug)]
pub(crate) struct Process {
    group: Pid,
    child: Child,
    output: Vec<JoinHandle<()>>,
    ended: JoinHandle<io::Result<()>>,
    // The shim ends the group when this is dropped.
    _lifeline: Option<ChildStdin>,
}

impl Process {
    /// Starts a member's command in a process group of its own.
    pub(crate) fn start(launch: &Launch, sink: &Sink) -> io::Result<Self> {
        let mut command = Command::new(&launch.binary);
        command.arg("__shim").arg("--").args(&launch.command);
        command.current_dir(&launch.folder);
        for (name, _) in std::env::vars_os() {
            if name.as_bytes().starts_with(OWN_VARIABLES.as_bytes()) {
                command.env_remove(name);
            }
        }
        command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let group = group_of(&child)?;
        let mut output = Vec::new();
        if let Some(stream) = child.stdout.take() {
            output.push(tokio::spawn(
                sink.clone().drain(ChildStdout::from_std(stream)?),
            ));
        }
        if let Some(stream) = child.stderr.take() {
            output.push(tokio::spawn(
                sink.clone().drain(ChildStderr::from_std(stream)?),
            ));
        }
        Ok(Self {
            group,
            output,
            _lifeline: child.stdin.take(),
            child,
            ended: tokio::task::spawn_blocking(move || wait_without_reaping(group)),
        })
    }

    /// Waits until the member has ended. Can be given up and called again.
    pub(crate) async fn ended(&mut self) -> io::Result<()> {
        (&mut self.ended).await.map_err(io::Error::other)?
    }

    /// Asks the member to end, and makes it end when it takes too long.
    pub(crate) async fn stop(&mut self) -> io::Result<()> {
        signal(self.group, Signal::TERM);
        if let Ok(ended) = tokio::time::timeout(GRACE, self.ended()).await {
            return ended;
        }
        signal(self.group, Signal::KILL);
        self.ended().await
    }

    /// Ends the rest of the process group of a member that has ended, and returns the member's exit
    /// code.
    pub(crate) async fn clear(mut self) -> io::Result<u8> {
        // The shim is not reaped yet, so the number still names this group and no other.
        signal(self.group, Signal::KILL);
        let status: ExitStatus = self.child.wait()?;
        for output in &mut self.output {
            // A process that left the group may hold the stream open; its output is dropped.
            let _ = tokio::time::timeout(LAST_OUTPUT, &mut *output).await;
            output.abort();
        }
        Ok(code_of(status))
    }
}

fn group_of(child: &Child) -> io::Result<Pid> {
    let id = i32::try_from(child.id()).map_err(io::Error::other)?;
    Pid::from_raw(id).ok_or_else(|| io::Error::other("a process without a number"))
}

/// Signals a group; one without a process left needs no signal.
fn signal(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

fn wait_without_reaping(process: Pid) -> io::Result<()> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    rustix::io::retry_on_intr(|| waitid(WaitId::Pid(process), options))?;
    Ok(())
}

/// The result of a search for a program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Program {
    /// The program can be run.
    Found,
    /// The program is a file that nobody may execute.
    NotExecutable(PathBuf),
    /// The program is missing.
    Missing,
}

/// Looks for a program as a member in this folder would.
pub(crate) fn find_program(program: &str, folder: &Path, path: &OsString) -> Program {
    let places: Vec<PathBuf> = if program.contains('/') {
        // Without the steps that lead nowhere, as it is shown.
        vec![folder.join(program).components().collect()]
    } else {
        let places = std::env::split_paths(path);
        places.map(|it| folder.join(it).join(program)).collect()
    };
    let mut files = places.into_iter().filter(|place| place.is_file());
    let may_run = |file: &PathBuf| rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    match files.next() {
        None => Program::Missing,
        Some(first) if may_run(&first) || files.any(|file| may_run(&file)) => Program::Found,
        Some(first) => Program::NotExecutable(first),
    }
}
