//! Restarts: what follows from the end of something that was started.

use std::time::Duration;

use heronry_host::{BACKOFF_MAX, IncarnationEnd, RestartRule};
use heronry_types::{RestartPolicy, counted};

/// The restarts that something has used, in a row and in all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RestartCount {
    in_a_row: u32,
    total: u32,
}

/// The consequence of the end of something that was started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RestartVerdict {
    /// It is done: it ended well, and is not started again.
    Finished,
    /// It is started again after this pause.
    Again {
        /// The pause.
        pause: Duration,
    },
    /// It is not started again, though it did not end well.
    GivenUp {
        /// The reason, for people.
        why: String,
    },
}

impl RestartCount {
    /// Returns the number of all restarts.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Decides what follows from an end, after a run of this length.
    pub fn judge(
        &mut self,
        rule: &RestartRule,
        end: &IncarnationEnd,
        ran: Duration,
    ) -> RestartVerdict {
        if ran >= rule.window {
            self.in_a_row = 0;
        }
        match (rule.policy, end.is_success()) {
            (RestartPolicy::Never | RestartPolicy::OnFailure, true) => RestartVerdict::Finished,
            (RestartPolicy::Never, false) => RestartVerdict::GivenUp {
                why: end.to_string(),
            },
            (RestartPolicy::OnFailure, false) | (RestartPolicy::Always, _) => self.spend(rule, end),
        }
    }

    /// Returns the pause before something is started again that has no budget: a member that sleeps until
    /// there is a cause.
    pub fn pause(&mut self, rule: &RestartRule, ran: Duration) -> Duration {
        if ran >= rule.window {
            self.in_a_row = 0;
        }
        self.next(rule)
    }

    /// Notes that what was started did what it was started for.
    pub fn clear(&mut self) {
        self.in_a_row = 0;
    }

    fn spend(&mut self, rule: &RestartRule, end: &IncarnationEnd) -> RestartVerdict {
        if self.in_a_row >= rule.budget {
            let used = counted(u64::from(rule.budget), "restart");
            let why = format!("{end} after {used} in a row");
            return RestartVerdict::GivenUp { why };
        }
        let pause = self.next(rule);
        RestartVerdict::Again { pause }
    }

    fn next(&mut self, rule: &RestartRule) -> Duration {
        let doubled = 2_u32.checked_pow(self.in_a_row).unwrap_or(u32::MAX);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.total = self.total.saturating_add(1);
        rule.backoff.saturating_mul(doubled).min(BACKOFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use heronry_host::BACKOFF;

    use super::*;

    fn check(policy: RestartPolicy, end: &IncarnationEnd, expected: &RestartVerdict) {
        let rule = RestartRule::of(policy);
        let verdict = RestartCount::default().judge(&rule, end, Duration::ZERO);
        assert_eq!(&verdict, expected, "{policy} {end}");
    }

    #[test]
    fn r18_the_policy_decides_which_ends_are_final() {
        let again = || RestartVerdict::Again { pause: BACKOFF };
        let given_up = |why: &str| RestartVerdict::GivenUp {
            why: why.to_owned(),
        };
        let well = &IncarnationEnd::Succeeded;
        let badly = &IncarnationEnd::ExitCode(1);
        let signal = &IncarnationEnd::Signal(9);
        check(RestartPolicy::Never, well, &RestartVerdict::Finished);
        check(RestartPolicy::Never, badly, &given_up("exit code 1"));
        check(RestartPolicy::Never, signal, &given_up("signal 9"));
        check(RestartPolicy::OnFailure, well, &RestartVerdict::Finished);
        check(RestartPolicy::OnFailure, badly, &again());
        check(RestartPolicy::OnFailure, signal, &again());
        check(RestartPolicy::Always, well, &again());
        check(RestartPolicy::Always, badly, &again());
        check(RestartPolicy::Always, signal, &again());
    }

    #[test]
    fn r18_restarts_slow_down_and_are_used_up_and_a_long_run_gives_them_back() {
        let rule = RestartRule::default();
        let mut count = RestartCount::default();
        let mut judge = |ran| count.judge(&rule, &IncarnationEnd::ExitCode(3), ran);
        for pause in [250, 500, 1_000, 2_000, 4_000].map(Duration::from_millis) {
            assert_eq!(judge(Duration::ZERO), RestartVerdict::Again { pause });
        }
        let why = "exit code 3 after 5 restarts in a row".to_owned();
        let short = rule.window.saturating_sub(Duration::from_millis(1));
        assert_eq!(judge(short), RestartVerdict::GivenUp { why });
        let again = RestartVerdict::Again { pause: BACKOFF };
        assert_eq!(judge(rule.window), again);
        assert_eq!(count.total(), 6);
    }

    #[test]
    fn r32_a_member_that_sleeps_has_pauses_and_no_budget() {
        let rule = RestartRule::default();
        let mut count = RestartCount::default();
        let pauses: Vec<u128> = (0..40)
            .map(|_| count.pause(&rule, Duration::ZERO).as_millis())
            .collect();
        assert_eq!(
            pauses.get(..7),
            Some(&[250, 500, 1_000, 2_000, 4_000, 8_000, 10_000][..])
        );
        assert_eq!(pauses.last(), Some(&BACKOFF_MAX.as_millis()));
        count.clear();
        assert_eq!(count.pause(&rule, Duration::ZERO), BACKOFF);
    }
}
