//! The steps of a history that are about suspended runs.

use heronry_pool::{
    Caller, Rejection,
    decide::{ResumeRun, SuspendRun},
};
use heronry_tests::{World, run};
use heronry_types::{Millis, RunState};

use super::{
    play::{Play, check_barred},
    steps::{RUNS, Who},
};

impl Play {
    /// Suspends a run, for so many seconds or forever, until one of its last two wakes ends, and
    /// gives back the last claim that it was given.
    pub(super) async fn suspend(
        &mut self,
        who: Who,
        seconds: Option<u64>,
        (on_wakes, gives_back): (bool, bool),
    ) {
        self.catch_up().await;
        let caller = self.caller(who);
        let run = World::run_of(&caller);
        let own = self
            .wakes
            .iter()
            .rev()
            .filter(|(owner, _)| *owner == who.run);
        let wakes = own.take(2).map(|(_, id)| id.clone()).filter(|_| on_wakes);
        let given = self
            .claims
            .iter()
            .rev()
            .find(|(owner, _)| *owner == who.run);
        let release: Vec<_> = given.map(|(_, claim)| *claim).into_iter().collect();
        let release = if gives_back { release } else { Vec::new() };
        let is_held = |claim: &_| self.ledger.held_until(&run, *claim).is_some();
        let holds = release.iter().all(is_held);
        let command = SuspendRun {
            caller: caller.clone(),
            run: run.clone(),
            wakes: wakes.collect(),
            timeout: seconds.map(Millis::from_secs),
            release,
        };
        let answer = self.pool().call(command).await;
        let barred = self.barred(&caller);
        self.read().await;
        match answer {
            Ok(stood) => {
                assert_eq!(barred, None);
                let is_suspended = self.ledger.is_suspended(&run);
                assert_eq!(stood.state == RunState::Suspended, is_suspended);
            }
            Err(error) if barred.is_none() => {
                let lapsed = matches!(error.rejection(), Some(Rejection::ClaimLapsed { .. }));
                assert!(lapsed && !holds, "{error:?}");
            }
            Err(_) => check_barred(&answer, barred.as_ref()),
        }
    }

    pub(super) async fn resume(&mut self, who: Who) {
        let caller = self.caller(who);
        let run = World::run_of(&caller);
        let answer = self
            .pool()
            .call(ResumeRun {
                caller: caller.clone(),
                run: run.clone(),
            })
            .await;
        let barred = self.barred(&caller);
        check_barred(&answer, barred.as_ref());
        self.read().await;
        assert!(barred.is_some() || !self.ledger.is_suspended(&run));
    }

    /// An operator lets every run go on.
    pub(super) async fn resume_all(&mut self) {
        for name in RUNS {
            let (caller, run) = (Caller::Operator, run(name));
            if self.ledger.is_suspended(&run) {
                self.pool().call(ResumeRun { caller, run }).await.unwrap();
            }
        }
        self.read().await;
    }
}
