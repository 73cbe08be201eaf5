//! The things that a runtime is in charge of: members and modules, and the process of each.

use heronry_host::{IncarnationEnd, WokenBy};
use heronry_types::{Digest, Millis, ModuleId, RunId};
use tokio::sync::watch;

use crate::{plan::ProcessState, restart::RestartCount};

/// A member or a module that is looked after.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Charge {
    Member(RunId),
    Module(ModuleId),
}

impl std::fmt::Display for Charge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member(run) => run.fmt(f),
            Self::Module(module) => module.fmt(f),
        }
    }
}

/// The way in which something is to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StopWish {
    /// It goes on.
    None,
    /// It is asked to end, and killed after its grace.
    Ask,
    /// It is killed at once.
    Kill,
    /// Another steward has it: the handle is dropped.
    LetGo,
}

/// The consequence of a stop that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AfterStop {
    /// It is started again, or falls asleep, as it is declared now.
    Restart,
    /// It is no longer declared, and leaves.
    Retire,
    /// It stays without a process until somebody starts it.
    Rest,
    /// The runtime stops: nothing more is done.
    Close,
}

/// The process of a charge.
#[derive(Debug, Default)]
pub(crate) enum Process {
    /// There is none.
    #[default]
    None,
    /// It is started at this time of the clock.
    Due { at: Millis, digest: Digest },
    /// It is being started, or runs.
    Live(LiveProcess),
}

/// A process that is being started, or runs.
#[derive(Debug)]
pub(crate) struct LiveProcess {
    /// The number of the start, which no other start has.
    pub(crate) serial: u64,
    /// The digest of the spec that it is started with.
    pub(crate) digest: Digest,
    /// The time of the clock at which it was ready; `None` before.
    pub(crate) ready_at: Option<Millis>,
    /// The number by which the system knows it.
    pub(crate) process_id: Option<u32>,
    /// Tells its task how it is to end.
    pub(crate) wish: watch::Sender<StopWish>,
    /// The consequence of the stop that was asked for.
    pub(crate) after: Option<AfterStop>,
}

/// The knowledge of a charge, whatever it is.
#[derive(Debug, Default)]
pub(crate) struct ChargeSlot {
    pub(crate) process: Process,
    pub(crate) restarts: RestartCount,
    /// The last end of its process.
    pub(crate) last_end: Option<IncarnationEnd>,
    /// The cause for which it is started next.
    pub(crate) woken_by: Option<WokenBy>,
}

impl ChargeSlot {
    /// Returns the process as the plan needs it.
    pub(crate) fn state(&self) -> ProcessState {
        match &self.process {
            Process::None => ProcessState::None,
            Process::Due { digest, .. } => ProcessState::Of(*digest),
            Process::Live(live) => match live.after {
                Some(AfterStop::Rest | AfterStop::Retire | AfterStop::Close) => ProcessState::None,
                Some(AfterStop::Restart) | None => ProcessState::Of(live.digest),
            },
        }
    }

    pub(crate) fn live(&self) -> Option<&LiveProcess> {
        match &self.process {
            Process::Live(live) => Some(live),
            Process::None | Process::Due { .. } => None,
        }
    }

    pub(crate) fn live_mut(&mut self) -> Option<&mut LiveProcess> {
        match &mut self.process {
            Process::Live(live) => Some(live),
            Process::None | Process::Due { .. } => None,
        }
    }

    /// Asks for a stop. Returns true when there is something to stop; a start that was due is given up.
    pub(crate) fn stop(&mut self, wish: StopWish, after: AfterStop) -> bool {
        match &mut self.process {
            Process::None => false,
            Process::Due { .. } => {
                self.process = Process::None;
                false
            }
            Process::Live(live) => {
                live.after = Some(after);
                live.wish.send_replace(wish);
                true
            }
        }
    }
}
