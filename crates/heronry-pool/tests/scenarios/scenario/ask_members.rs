//! Commands of scenarios about pools and members.

use heronry_pool::decide::{
    ChangeMember, ConfigurePool, CreatePool, EndRun, Heartbeat, JoinNew, JoinPool, LeavePool,
    ResumeRun, RetirePool, SuspendRun,
};
use heronry_types::{LimitName, Millis, Peering, PoolSpec, RunEnd};

use super::{
    Joining, Scenario, Sleep, Step, answers,
    notation::{id, ids, limits_of, policies},
};

impl Scenario {
    pub(crate) fn create(&mut self, spec: PoolSpec) -> Step {
        self.step(&CreatePool { spec }, |how| {
            format!("{how:?}").to_lowercase()
        })
    }

    pub(crate) fn configure(
        &mut self,
        by: &str,
        expected_version: u64,
        limits: &[(LimitName, u64)],
    ) -> Step {
        let configure = ConfigurePool {
            retention: None,
            peering: None,
            caller: self.speaker(by).0,
            expected_version,
            limits: limits_of(limits),
        };
        self.step(&configure, answers::done)
    }

    /// Changes the rule who may send to whom.
    pub(crate) fn peer(&mut self, by: &str, expected_version: u64, peering: Peering) -> Step {
        let configure = ConfigurePool {
            retention: None,
            peering: Some(peering),
            caller: self.speaker(by).0,
            expected_version,
            limits: limits_of(&[]),
        };
        self.step(&configure, answers::done)
    }

    pub(crate) fn retire(&mut self, by: &str, expected: Option<&str>) -> Step {
        let retire = RetirePool {
            caller: self.speaker(by).0,
            expected: expected.map(|cursor| self.cursor(cursor)),
        };
        self.step(&retire, |head| format!("at {}", head.position))
    }

    fn joining(&self, joining: &Joining) -> JoinPool {
        JoinPool {
            caller: self.speaker(&joining.by).0,
            run: id(&joining.run),
            agent: id(&joining.agent),
            session: joining.session.as_deref().map(id),
            topics: ids(&joining.topics),
            policies: joining.policies.as_deref().map(policies),
            instance: id(&joining.instance),
            lease: joining.lease,
        }
    }

    pub(crate) fn join(&mut self, joining: impl Into<Joining>) -> Step {
        let join = self.joining(&joining.into());
        self.step(&join, |it| answers::joined(&it))
    }

    pub(crate) fn join_new(&mut self, joining: impl Into<Joining>) -> Step {
        let join = JoinNew(self.joining(&joining.into()));
        self.step(&join, |it| answers::joined(&it))
    }

    pub(crate) fn set_topics(&mut self, by: &str, topics: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let change = ChangeMember {
            caller,
            run,
            topics: Some(ids(topics)),
            lease: None,
        };
        self.step(&change, answers::done)
    }

    pub(crate) fn set_lease(&mut self, by: &str, millis: u64) -> Step {
        let (caller, run) = self.speaker(by);
        let change = ChangeMember {
            caller,
            run,
            topics: None,
            lease: Some(Millis(millis)),
        };
        self.step(&change, answers::done)
    }

    pub(crate) fn leave(&mut self, by: &str) -> Step {
        let (caller, run) = self.speaker(by);
        self.step(&LeavePool { caller, run }, answers::done)
    }

    pub(crate) fn end(&mut self, by: &str, end: RunEnd) -> Step {
        self.end_with(by, end, None)
    }

    pub(crate) fn end_with(&mut self, by: &str, end: RunEnd, note: Option<String>) -> Step {
        let (caller, run) = self.speaker(by);
        let end = EndRun {
            caller,
            run,
            end,
            note,
        };
        self.step(&end, answers::done)
    }

    pub(crate) fn heartbeat(&mut self, by: &str) -> Step {
        let (caller, run) = self.speaker(by);
        self.step(&Heartbeat { caller, run }, answers::done)
    }

    pub(crate) fn suspend(&mut self, by: &str, sleep: &Sleep) -> Step {
        let (caller, run) = self.speaker(by);
        let suspend = SuspendRun {
            release: self.claims_of(run.as_str(), &sleep.release),
            caller,
            run,
            wakes: ids(&sleep.wakes),
            timeout: sleep.timeout,
        };
        self.step(&suspend, answers::stood)
    }

    pub(crate) fn resume(&mut self, by: &str) -> Step {
        let (caller, run) = self.speaker(by);
        self.step(&ResumeRun { caller, run }, answers::stood)
    }
}
