//! Rules by which a process is looked after: when it is started again, and when it counts as ready.

use std::time::Duration;

use heronry_types::{ReadyWhen, RestartPolicy};

/// The default of the most restarts in a row.
pub const RESTARTS_MAX: u32 = 5;
/// The default of the pause before the first restart; doubled for each further one in a row.
pub const BACKOFF: Duration = Duration::from_millis(250);
/// The longest pause before a restart.
pub const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// The default of the time after which what runs has its whole budget of restarts again.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// The default of the longest time until what was started is ready.
pub const READY_WITHIN: Duration = Duration::from_secs(30);
/// The default of the time that what runs has to end after it was asked to.
pub const STOP_GRACE: Duration = Duration::from_secs(5);

/// The rule by which what has ended is started again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RestartRule {
    /// The ends after which it is started again.
    pub policy: RestartPolicy,
    /// The most restarts in a row.
    pub budget: u32,
    /// The pause before the first restart; doubled for each further one in a row, up to [`BACKOFF_MAX`].
    pub backoff: Duration,
    /// The time after which what runs has its whole budget again.
    pub window: Duration,
}

impl Default for RestartRule {
    fn default() -> Self {
        Self::of(RestartPolicy::OnFailure)
    }
}

impl RestartRule {
    /// Returns the rule of a policy with the default budget, pause and window.
    pub fn of(policy: RestartPolicy) -> Self {
        Self {
            policy,
            budget: RESTARTS_MAX,
            backoff: BACKOFF,
            window: HEALTHY_AFTER,
        }
    }
}

/// The sign by which what was started counts as ready, and the longest time until then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadyRule {
    /// The sign.
    pub when: ReadyWhen,
    /// The longest time until the sign; a start that takes longer has failed.
    pub within: Duration,
}

impl Default for ReadyRule {
    fn default() -> Self {
        Self {
            when: ReadyWhen::None,
            within: READY_WITHIN,
        }
    }
}
