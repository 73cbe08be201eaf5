//! The handle of a started process or task, as its host hands it out.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use crate::HostFault;

/// The end of what ran.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IncarnationEnd {
    /// It ended by itself, and says that it is done.
    Succeeded,
    /// It ended with this exit code, which is not 0.
    ExitCode(u8),
    /// A signal of this number ended it.
    Signal(i32),
    /// It ended in another way that is no success: a panic, an error, or an end that nobody saw.
    Failed(String),
}

impl IncarnationEnd {
    /// Returns true when it says that it is done.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded)
    }

    /// Returns the exit code as a shell shows it: 128 and the number of the signal that ended it; 1 for an
    /// end without a code.
    pub fn shell_code(&self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::ExitCode(code) => *code,
            Self::Signal(number) => number
                .checked_add(128)
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for IncarnationEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("exit code 0"),
            Self::ExitCode(code) => write!(f, "exit code {code}"),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// The means that a stop took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StopMeans {
    /// It had ended before.
    None,
    /// It was asked to end, and did within its grace.
    Asked,
    /// It did not end within its grace, and was killed.
    Killed,
}

/// The result of a stop: the end of what ran, and the means that it took.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoppedIncarnation {
    /// The end.
    pub end: IncarnationEnd,
    /// The means.
    pub means: StopMeans,
}

/// The handle of something that a host has started.
///
/// 1. `ended` answers once everything of it has ended, children included, and answers the same again.
/// 2. `ended` and `ready` can be given up and called again.
/// 3. After `stop` or `kill` has answered, nothing of it runs any more.
/// 4. When it is dropped, or the whole program dies, what runs ends as well, or [`recover`] finds it.
///
/// [`recover`]: crate::MemberHost::recover
#[async_trait]
pub trait Running: Send {
    /// Returns the number by which the system knows it; `None` when it has none.
    fn process_id(&self) -> Option<u32>;

    /// Waits for the sign of readiness that [`Launch::ready`](crate::Launch::ready) asks of the host:
    /// with `line` the first line that it prints, otherwise it answers at once.
    ///
    /// # Errors
    /// [`HostFault`] when it ended before.
    async fn ready(&mut self) -> Result<(), HostFault>;

    /// Waits until it has ended.
    async fn ended(&mut self) -> IncarnationEnd;

    /// Asks it to end, and kills it when it has not after `grace`.
    ///
    /// # Errors
    /// [`HostFault`] when it could not be stopped: it may still run.
    async fn stop(&mut self, grace: Duration) -> Result<StoppedIncarnation, HostFault>;

    /// Ends it at once.
    ///
    /// # Errors
    /// [`HostFault`] when it could not be ended: it may still run.
    async fn kill(&mut self) -> Result<IncarnationEnd, HostFault>;
}
