//! The port of hosts.

use async_trait::async_trait;
use heronry_types::{HostId, PoolId, ReadyWhen};

use crate::{HostEnvironment, HostValue, HostedSubject, Running, SpecEnvironment};

/// All that a host needs to start something.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The thing that is started.
    pub subject: HostedSubject,
    /// The part of its spec that only the host understands.
    pub value: HostValue,
    /// The variables that its spec names.
    pub variables: SpecEnvironment,
    /// The environment that the pool gives it. It wins over `variables`.
    pub environment: HostEnvironment,
    /// The sign of readiness that is waited for.
    pub ready: ReadyWhen,
}

/// Something that an earlier start left, and that still runs.
pub struct RecoveredIncarnation {
    /// The thing that runs.
    pub subject: HostedSubject,
    /// The handle of it, by which it is kept or stopped.
    pub running: Box<dyn Running>,
}

impl std::fmt::Debug for RecoveredIncarnation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveredIncarnation")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Starts members and modules.
///
/// 1. `check` refuses what `start` could never start, and starts nothing.
/// 2. `start` answers when the thing runs. A start that failed leaves nothing behind.
/// 3. Of one subject at most one runs: a second `start` of an incarnation that still runs is refused.
/// 4. `recover` finds whatever an earlier host of the same place has started and that still runs. After it
///    has answered, nothing else of that pool runs.
/// 5. What is started sees the environment that it is given, and none of this program's variables that
///    begin with `HERONRY_`.
#[async_trait]
pub trait MemberHost: Send + Sync {
    /// Returns the name by which specs choose the host.
    fn id(&self) -> &HostId;

    /// Checks the part of a spec that only the host understands.
    ///
    /// # Errors
    /// [`HostRefusal`] that says what cannot be started, and what to do.
    fn check(&self, value: &HostValue) -> Result<(), HostRefusal>;

    /// Starts something.
    ///
    /// # Errors
    /// [`HostFault`] when it was not started.
    async fn start(&self, launch: Launch) -> Result<Box<dyn Running>, HostFault>;

    /// Finds what still runs of a pool from earlier starts.
    ///
    /// # Errors
    /// [`HostFault`] when it cannot be told what runs.
    async fn recover(&self, pool: &PoolId) -> Result<Vec<RecoveredIncarnation>, HostFault>;
}

/// The reason why a host can never start something.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct HostRefusal(pub String);

/// The reason why a host did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HostFault {
    /// The value of the spec is refused.
    #[error(transparent)]
    Refused(#[from] HostRefusal),
    /// The incarnation runs already.
    #[error("{subject} runs already", subject = .0.name())]
    RunsAlready(HostedSubject),
    /// It ended before it was ready.
    #[error("it ended before it was ready: {0}")]
    EndedEarly(crate::IncarnationEnd),
    /// The system refused.
    #[error("{0}")]
    System(String),
}
