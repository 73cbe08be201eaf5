//! Restarts of a member whose process has exited.

use std::time::Duration;

use heronry_host::{BACKOFF_MAX, RestartRule};
use heronry_types::{Millis, RestartPolicy, RunEnd};

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
        rule: &RestartRule,
        ending: Ending,
        ran: Millis,
    ) -> RestartVerdict {
        if Duration::from_millis(ran.0) >= rule.window {
            self.in_a_row = 0;
        }
        match (rule.policy, ending) {
            (RestartPolicy::Never | RestartPolicy::OnFailure, Ending::Good) => {
                RestartVerdict::Finished(RunEnd::Completed)
            }
            (RestartPolicy::Never, Ending::Bad) => RestartVerdict::Finished(RunEnd::Failed),
            (RestartPolicy::OnFailure, Ending::Bad) | (RestartPolicy::Always, _) => {
                self.spend(rule)
            }
        }
    }

    fn spend(&mut self, rule: &RestartRule) -> RestartVerdict {
        if self.in_a_row >= rule.budget {
            return RestartVerdict::Finished(RunEnd::Failed);
        }
        let doubled = 1_u32.checked_shl(self.in_a_row).unwrap_or(u32::MAX);
        let most = BACKOFF_MAX.max(rule.backoff);
        let backoff = rule.backoff.saturating_mul(doubled).min(most);
        self.in_a_row += 1;
        self.total += 1;
        RestartVerdict::Restart(backoff)
    }
}

#[cfg(test)]
mod tests {
    use heronry_host::BACKOFF;

    use super::*;

    fn check(when: RestartPolicy, ending: Ending, expected: RestartVerdict) {
        let verdict = Restarts::default().judge(&RestartRule::of(when), ending, Millis(0));
        assert_eq!(verdict, expected, "{when:?} {ending:?}");
    }

    #[test]
    fn the_policy_decides_which_endings_are_final() {
        let completed = RestartVerdict::Finished(RunEnd::Completed);
        let restart = RestartVerdict::Restart(BACKOFF);
        check(RestartPolicy::Never, Ending::Good, completed);
        check(
            RestartPolicy::Never,
            Ending::Bad,
            RestartVerdict::Finished(RunEnd::Failed),
        );
        check(RestartPolicy::OnFailure, Ending::Good, completed);
        check(RestartPolicy::OnFailure, Ending::Bad, restart);
        check(RestartPolicy::Always, Ending::Good, restart);
        check(RestartPolicy::Always, Ending::Bad, restart);
    }

    #[test]
    fn restarts_slow_down_and_are_used_up() {
        let mut restarts = Restarts::default();
        let mut judge = |ran| restarts.judge(&RestartRule::default(), Ending::Bad, ran);
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
