//! Restarts of a member whose process has exited.

use std::time::Duration;

use heronry_types::{Millis, RunEnd};

use super::manifest::RestartWhen;

/// The most restarts of a member in a row.
pub(super) const RESTARTS_MAX: u32 = 5;
/// The wait before a member's first restart; doubled for each further one.
pub(super) const BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait before a restart.
pub(super) const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// A member that ran this long starts with a full budget again.
pub(super) const HEALTHY_AFTER: Millis = Millis::from_secs(60);

/// The way in which a member's process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// With exit code 0.
    Good,
    /// With another exit code, or by a signal.
    Bad,
}

/// The consequence of the end of a member's process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RestartVerdict {
    /// The member is finished for good.
    Finished(RunEnd),
    /// It is started again after this time.
    Restart(Duration),
}

/// The restarts that a member has used, in a row and in all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Restarts {
    in_a_row: u32,
    /// The number of all restarts.
    pub(crate) total: u32,
}

impl Restarts {
    /// Decides the consequence of an ending.
    pub(crate) fn judge(
        &mut self,
        when: RestartWhen,
        ending: Ending,
        ran: Millis,
    ) -> RestartVerdict {
        if ran >= HEALTHY_AFTER {
            self.in_a_row = 0;
        }
        match (when, ending) {
            (RestartWhen::Never | RestartWhen::OnFailure, Ending::Good) => {
                RestartVerdict::Finished(RunEnd::Completed)
            }
            (RestartWhen::Never, Ending::Bad) => RestartVerdict::Finished(RunEnd::Failed),
            (RestartWhen::OnFailure, Ending::Bad) | (RestartWhen::Always, _) => self.spend(),
        }
    }

    fn spend(&mut self) -> RestartVerdict {
        if self.in_a_row >= RESTARTS_MAX {
            return RestartVerdict::Finished(RunEnd::Failed);
        }
        let backoff = BACKOFF.saturating_mul(1 << self.in_a_row).min(BACKOFF_MAX);
        self.in_a_row += 1;
        self.total += 1;
        RestartVerdict::Restart(backoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(when: RestartWhen, ending: Ending, expected: RestartVerdict) {
        let verdict = Restarts::default().judge(when, ending, Millis(0));
        assert_eq!(verdict, expected, "{when:?} {ending:?}");
    }

    #[test]
    fn the_policy_decides_which_endings_are_final() {
        let completed = RestartVerdict::Finished(RunEnd::Completed);
        let restart = RestartVerdict::Restart(BACKOFF);
        check(RestartWhen::Never, Ending::Good, completed);
        check(
            RestartWhen::Never,
            Ending::Bad,
            RestartVerdict::Finished(RunEnd::Failed),
        );
        check(RestartWhen::OnFailure, Ending::Good, completed);
        check(RestartWhen::OnFailure, Ending::Bad, restart);
        check(RestartWhen::Always, Ending::Good, restart);
        check(RestartWhen::Always, Ending::Bad, restart);
    }

    #[test]
    fn restarts_slow_down_and_are_used_up() {
        let mut restarts = Restarts::default();
        let mut judge = |ran| restarts.judge(RestartWhen::OnFailure, Ending::Bad, ran);
        let pauses = [250, 500, 1_000, 2_000, 4_000].map(Duration::from_millis);
        for pause in pauses {
            assert_eq!(judge(Millis(0)), RestartVerdict::Restart(pause));
        }
        assert_eq!(
            judge(Millis(59_999)),
            RestartVerdict::Finished(RunEnd::Failed)
        );
        assert_eq!(judge(Millis(60_000)), RestartVerdict::Restart(BACKOFF));
        assert_eq!(restarts.total, 6);
    }
}
