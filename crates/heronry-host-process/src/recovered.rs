//! The handle of a process group that an earlier host has left.

use std::{io, time::Duration};

use async_trait::async_trait;
use heronry_host::{HostFault, IncarnationEnd, Running, StopMeans, StoppedIncarnation};
use rustix::process::{Pid, Signal};
use tokio::{sync::oneshot, time::timeout};

use crate::incarnation_file::IncarnationFile;

/// The longest time that what was killed may take to be gone.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

/// A process group that an earlier host has started. Its output is not seen any more.
#[derive(Debug)]
pub(crate) struct LeftProcess {
    file: IncarnationFile,
    group: Option<Pid>,
    freed: Option<oneshot::Receiver<io::Result<()>>>,
    end: Option<IncarnationEnd>,
}

impl LeftProcess {
    /// Returns the handle of what holds a file.
    pub(crate) fn new(file: IncarnationFile, group: Option<Pid>) -> Self {
        Self {
            file,
            group,
            freed: None,
            end: None,
        }
    }

    /// Waits until nothing holds the file. Can be given up and called again.
    async fn freed(&mut self) -> io::Result<()> {
        let freed = match self.freed.take() {
            Some(freed) => freed,
            None => self.file.freed()?,
        };
        // Kept where it is found again when this is given up.
        let told = self.freed.insert(freed).await.map_err(io::Error::other);
        self.freed = None;
        told?
    }

    fn signal(&self, signal: Signal) -> Result<(), HostFault> {
        let signalled = self.file.signal_holders(self.group, signal);
        signalled.map_err(|error| HostFault::System(error.to_string()))
    }
}

#[async_trait]
impl Running for LeftProcess {
    fn process_id(&self) -> Option<u32> {
        let group = self.group?;
        Some(group.as_raw_nonzero().get().unsigned_abs())
    }

    async fn ready(&mut self) -> Result<(), HostFault> {
        match &self.end {
            Some(end) => Err(HostFault::EndedEarly(end.clone())),
            None => Ok(()),
        }
    }

    async fn ended(&mut self) -> IncarnationEnd {
        if let Some(end) = &self.end {
            return end.clone();
        }
        let end = IncarnationEnd::Failed(match self.freed().await {
            Ok(()) => "nobody saw how it ended".to_owned(),
            Err(error) => error.to_string(),
        });
        self.end.insert(end).clone()
    }

    async fn stop(&mut self, grace: Duration) -> Result<StoppedIncarnation, HostFault> {
        if let Some(end) = self.end.clone() {
            let means = StopMeans::None;
            return Ok(StoppedIncarnation { end, means });
        }
        self.signal(Signal::TERM)?;
        if let Ok(end) = timeout(grace, self.ended()).await {
            let means = StopMeans::Asked;
            return Ok(StoppedIncarnation { end, means });
        }
        let means = StopMeans::Killed;
        let end = self.kill().await?;
        Ok(StoppedIncarnation { end, means })
    }

    async fn kill(&mut self) -> Result<IncarnationEnd, HostFault> {
        if let Some(end) = self.end.clone() {
            return Ok(end);
        }
        self.signal(Signal::KILL)?;
        let killed = timeout(KILLED_WITHIN, self.ended()).await;
        killed.map_err(|_| {
            let file = self.file.path().display();
            HostFault::System(format!(
                "a process that holds {file} did not end after it was killed; end it by hand"
            ))
        })
    }
}
