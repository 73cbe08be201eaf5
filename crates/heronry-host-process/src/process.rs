//! One process group under its shim.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use heronry_host::{HostFault, IncarnationEnd, Running, StopMeans, StoppedIncarnation};
use heronry_types::ReadyWhen;
use rustix::process::{Pid, Signal};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    group::ProcessGroup,
    incarnation_file::{FileState, IncarnationFile},
    output::Output,
    report::{ShimReport, end_of},
};

/// The longest time that output may keep coming, and that the rest of a group may take to end, after its
/// program has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A process group that runs.
pub(crate) struct ShimmedProcess {
    group: Arc<ProcessGroup>,
    end: watch::Receiver<Option<IncarnationEnd>>,
    has_printed: watch::Receiver<bool>,
    ready: ReadyWhen,
    // The shim ends the group when this is dropped.
    _lifeline: Option<OwnedWriteHalf>,
}

/// The reason why nothing runs.
pub(crate) enum NotStarted {
    /// Something of the incarnation still runs.
    Held,
    /// The program or its shim could not be started.
    Failed(String),
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A shim that was started, and has not reported yet.
struct StartedShim {
    group: Arc<ProcessGroup>,
    child: Child,
    reports: Lines<BufReader<OwnedReadHalf>>,
    output: Vec<JoinHandle<()>>,
    /// Handed to whoever holds what was started.
    lifeline: Option<OwnedWriteHalf>,
    file: IncarnationFile,
}

impl ShimmedProcess {
    /// Starts a shim with a command that is whole but for its streams, and waits until the shim has
    /// started the program.
    pub(crate) async fn start(
        command: Command,
        output: &Output,
        file: IncarnationFile,
        ready: ReadyWhen,
    ) -> Result<Self, NotStarted> {
        let mut shim = StartedShim::spawn(command, output, file)?;
        let refused = match shim.report().await? {
            Some(ShimReport::Started) => {
                let (tell, end) = watch::channel(None);
                let group = Arc::clone(&shim.group);
                let lifeline = shim.lifeline.take();
                tokio::spawn(async move {
                    tell.send_replace(Some(shim.until_ended().await));
                });
                return Ok(Self {
                    group,
                    end,
                    has_printed: output.has_printed(),
                    ready,
                    _lifeline: lifeline,
                });
            }
            Some(ShimReport::Held) => NotStarted::Held,
            Some(ShimReport::Failed(why)) => NotStarted::Failed(why),
            Some(ShimReport::Ended(_)) | None => {
                NotStarted::Failed("the shim ended before it started the program".to_owned())
            }
        };
        shim.until_ended().await;
        Err(refused)
    }
}

impl StartedShim {
    fn spawn(mut command: Command, output: &Output, file: IncarnationFile) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (reports, lifeline) = tokio::net::UnixStream::from_std(ours)?.into_split();
        command.stdin(OwnedFd::from(theirs)).process_group(0);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // The command holds the shim's end of the socket, too.
        drop(command);
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        let leader = leader.and_then(Pid::from_raw);
        let leader = leader.ok_or_else(|| io::Error::other("a process without a number"))?;
        let mut drained = Vec::new();
        if let Some(stream) = child.stdout.take() {
            drained.push(tokio::spawn(output.clone().drain(stream)));
        }
        if let Some(stream) = child.stderr.take() {
            drained.push(tokio::spawn(output.clone().drain(stream)));
        }
        let shim = Self {
            group: Arc::new(ProcessGroup::of(leader)),
            child,
            reports: BufReader::new(reports).lines(),
            output: drained,
            lifeline: Some(lifeline),
            file,
        };
        Ok(shim)
    }

    /// Returns the next report; `None` when the shim is gone.
    async fn report(&mut self) -> io::Result<Option<ShimReport>> {
        let line = self.reports.next_line().await?;
        Ok(line.and_then(|line| ShimReport::parse(&line)))
    }

    /// Waits until everything of the group has ended.
    async fn until_ended(mut self) -> IncarnationEnd {
        let mut told = None;
        // A socket that fails has no more to say than one that ended.
        while let Ok(Some(report)) = self.report().await {
            if let ShimReport::Ended(end) = report {
                told = Some(end);
            }
        }
        // The shim is not reaped yet, so the number still names this group and no other.
        self.group.close();
        let status = self.child.wait().await;
        for output in &mut self.output {
            // A process that left the group may hold the stream open; its output is dropped.
            let _ = timeout(LAST_WORDS, &mut *output).await;
            output.abort();
        }
        self.free().await;
        told.unwrap_or_else(|| match status {
            Ok(status) => end_of(status),
            Err(error) => IncarnationEnd::Failed(error.to_string()),
        })
    }

    /// Ends whatever left the group and still holds the file. One that stays is found by the next start.
    async fn free(&self) {
        let is_held = matches!(self.file.look(), Ok(FileState::Held(_)));
        if is_held
            && self.file.signal_holders(None, Signal::KILL).is_ok()
            && let Ok(freed) = self.file.freed()
        {
            // What cannot be ended is left to `recover`.
            let _ = timeout(LAST_WORDS, freed).await;
        }
    }
}

/// Waits for the first line; false when none can come any more.
async fn has_printed(mut printed: watch::Receiver<bool>) -> bool {
    printed.wait_for(|has| *has).await.is_ok()
}

#[async_trait]
impl Running for ShimmedProcess {
    fn process_id(&self) -> Option<u32> {
        Some(self.group.number())
    }

    async fn ready(&mut self) -> Result<(), HostFault> {
        match self.ready {
            ReadyWhen::None | ReadyWhen::FirstCommand => return Ok(()),
            ReadyWhen::Line => {}
        }
        let printed = self.has_printed.clone();
        tokio::select! {
            biased;
            true = has_printed(printed.clone()) => Ok(()),
            // All output is drained before the end is told.
            end = self.ended() => {
                let has_printed = *printed.borrow();
                if has_printed { Ok(()) } else { Err(HostFault::EndedEarly(end)) }
            }
        }
    }

    async fn ended(&mut self) -> IncarnationEnd {
        match self.end.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(end)) => end.clone(),
            Ok(None) | Err(_) => IncarnationEnd::Failed("nobody saw how it ended".to_owned()),
        }
    }

    async fn stop(&mut self, grace: Duration) -> Result<StoppedIncarnation, HostFault> {
        if let Some(end) = self.end.borrow().clone() {
            let means = StopMeans::None;
            return Ok(StoppedIncarnation { end, means });
        }
        self.group.signal(Signal::TERM);
        if let Ok(end) = timeout(grace, self.ended()).await {
            let means = StopMeans::Asked;
            return Ok(StoppedIncarnation { end, means });
        }
        let means = StopMeans::Killed;
        self.kill()
            .await
            .map(|end| StoppedIncarnation { end, means })
    }

    async fn kill(&mut self) -> Result<IncarnationEnd, HostFault> {
        self.group.signal(Signal::KILL);
        Ok(self.ended().await)
    }
}
