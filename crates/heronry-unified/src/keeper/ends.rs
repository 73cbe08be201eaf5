//! The consequences when something is ready, or its life is over.

use std::time::Duration;

use heronry_host::{IncarnationEnd, RestartRule, StopMeans};
use heronry_pool::{
    Caller, Rejection,
    decide::{EndRun, LeavePool, SpecifiedMember, SpecifyMembers},
};
use heronry_runtime::CallError;
use heronry_types::{
    Labels, LimitName, MemberStanding, ModuleId, ModuleStanding, RosterLayer, RunEnd, RunId,
    RunsUntil, counted,
};

use super::Keeper;
use crate::{
    charge::{AfterStop, Charge, LiveProcess, Process},
    kept::runs_until,
    notice::Notice,
    plan::MembershipState,
    restart::RestartVerdict,
    start::{LifeEnd, after},
};

impl Keeper {
    pub(super) fn is_ready(&mut self, charge: &Charge, process_id: Option<u32>) {
        match charge {
            Charge::Member(run) => {
                self.stands(run, MemberStanding::Active, None);
                let run = run.clone();
                self.parts.notices.tell(&Notice::Ready { run, process_id });
            }
            Charge::Module(module) => {
                self.module_stands(module, ModuleStanding::Healthy, None);
                let module = module.clone();
                self.parts.notices.tell(&Notice::ModuleReady { module });
            }
        }
        self.pass_started(charge);
    }

    /// Decides what follows from the end of a life.
    pub(super) async fn is_over(&mut self, charge: &Charge, end: LifeEnd) {
        let now = self.parts.clock.now().monotonic;
        let Some(slot) = self.slot_mut(charge) else {
            return;
        };
        let Process::Live(live) = std::mem::take(&mut slot.process) else {
            return;
        };
        let since = live.ready_at.unwrap_or(now);
        let ran = Duration::from_millis(now.0.saturating_sub(since.0));
        self.pass_failed(charge, &live, &end);
        match end {
            LifeEnd::Fenced => self.fenced(),
            LifeEnd::RunEnded(state) => self.run_has_ended(charge, state),
            LifeEnd::NotStopped(why) => self.not_stopped(charge, why),
            LifeEnd::GivenUp => self.after_stop(charge, &live, None).await,
            LifeEnd::Stopped { end, means } => {
                self.note_stopped(charge, means);
                self.after_stop(charge, &live, Some(end)).await;
            }
            LifeEnd::NotStarted(failure) => {
                let end = IncarnationEnd::Failed(failure.message);
                self.ended(charge, &live, JudgedEnd { end, ran }).await;
            }
            LifeEnd::Ended(end) => self.ended(charge, &live, JudgedEnd { end, ran }).await,
        }
        self.pass_over(charge);
    }

    /// Something ended by itself. When it was to be stopped anyway, that is what follows.
    async fn ended(&mut self, charge: &Charge, live: &LiveProcess, ending: JudgedEnd) {
        if let Some(slot) = self.slot_mut(charge) {
            slot.last_end = Some(ending.end.clone());
        }
        if live.after.is_some() {
            self.note_stopped(charge, StopMeans::None);
            self.after_stop(charge, live, None).await;
            return;
        }
        match charge {
            Charge::Member(run) => self.member_ended(&run.clone(), live, ending).await,
            Charge::Module(module) => self.module_ended(&module.clone(), live, ending),
        }
    }

    async fn member_ended(&mut self, run: &RunId, live: &LiveProcess, ending: JudgedEnd) {
        let Some(declared) = self.roster.members.get(run).cloned() else {
            self.retire(run).await;
            return;
        };
        let rule = declared.spec.restart;
        if !declared.is_eager() {
            self.sleeper_ended(run, &rule, live, ending);
            return;
        }
        let Some(member) = self.members.get_mut(run) else {
            return;
        };
        let JudgedEnd { end, ran } = ending;
        match member.slot.restarts.judge(&rule, &end, ran) {
            RestartVerdict::Finished => self.end_run(run, RunEnd::Completed, None).await,
            RestartVerdict::Again { pause } => self.again(run, live, &end, pause),
            RestartVerdict::GivenUp { why } => {
                self.stands(run, MemberStanding::Broken, Some(why.clone()));
                let broken = Notice::Broken {
                    run: run.clone(),
                    why,
                };
                self.parts.notices.tell(&broken);
                if runs_until(&declared) == RunsUntil::Exited {
                    self.say().await;
                    let note = self.note_of_failure(run, &end);
                    self.end_run(run, RunEnd::Failed, Some(note)).await;
                }
            }
        }
    }

    fn note_of_failure(&self, run: &RunId, end: &IncarnationEnd) -> String {
        let restarts = self
            .members
            .get(run)
            .map_or(0, |it| it.slot.restarts.total());
        let total = counted(u64::from(restarts), "restart");
        format!("{end} after {total}")
    }

    /// A member that sleeps until there is a cause falls asleep when it has done its work, and is started again
    /// when it has failed.
    fn sleeper_ended(
        &mut self,
        run: &RunId,
        rule: &RestartRule,
        live: &LiveProcess,
        ending: JudgedEnd,
    ) {
        let JudgedEnd { end, ran } = ending;
        if let Some(member) = self.members.get_mut(run) {
            member.ran = ran;
        }
        if end.is_success() {
            self.falls_asleep(run, None);
            self.fell_asleep.push(run.clone());
            return;
        }
        let Some(member) = self.members.get_mut(run) else {
            return;
        };
        let pause = member.slot.restarts.pause(rule, ran);
        self.again(run, live, &end, pause);
    }

    /// Lets a member be without a process.
    pub(super) fn falls_asleep(&mut self, run: &RunId, why: Option<String>) {
        self.stands(run, MemberStanding::Dormant, why);
        let asleep = Notice::Asleep { run: run.clone() };
        self.parts.notices.tell(&asleep);
    }

    fn again(&mut self, run: &RunId, live: &LiveProcess, end: &IncarnationEnd, pause: Duration) {
        let why = format!("{end}; starts again in {} ms", pause.as_millis());
        self.stands(run, MemberStanding::Starting, Some(why));
        self.is_due(&Charge::Member(run.clone()), live, pause);
        self.parts.notices.tell(&Notice::Restarting {
            run: run.clone(),
            end: end.clone(),
            pause,
        });
    }

    fn is_due(&mut self, charge: &Charge, live: &LiveProcess, pause: Duration) {
        let at = after(self.parts.clock.now().monotonic, pause);
        if let Some(slot) = self.slot_mut(charge) {
            let digest = live.digest;
            slot.process = Process::Due { at, digest };
        }
    }

    fn module_ended(&mut self, module: &ModuleId, live: &LiveProcess, ending: JudgedEnd) {
        let Some(declared) = self.roster.modules.get(module).cloned() else {
            self.module_stands(module, ModuleStanding::Stopped, None);
            return;
        };
        let Some(kept) = self.modules.get_mut(module) else {
            return;
        };
        let JudgedEnd { end, ran } = ending;
        match kept.slot.restarts.judge(&declared.spec.restart, &end, ran) {
            RestartVerdict::Finished => {
                kept.is_given_up = true;
                self.module_stands(module, ModuleStanding::Stopped, Some(end.to_string()));
            }
            RestartVerdict::Again { pause } => {
                let why = format!("{end}; starts again in {} ms", pause.as_millis());
                self.module_stands(module, ModuleStanding::Restarting, Some(why));
                self.is_due(&Charge::Module(module.clone()), live, pause);
            }
            RestartVerdict::GivenUp { why } => {
                kept.is_given_up = true;
                self.module_stands(module, ModuleStanding::Failed, Some(why.clone()));
                let module = module.clone();
                let failed = Notice::ModuleFailed { module, why };
                self.parts.notices.tell(&failed);
            }
        }
    }

    /// Does what was to follow a stop.
    async fn after_stop(
        &mut self,
        charge: &Charge,
        live: &LiveProcess,
        end: Option<IncarnationEnd>,
    ) {
        if let (Some(slot), Some(end)) = (self.slot_mut(charge), end) {
            slot.last_end = Some(end);
        }
        match (live.after, charge) {
            (Some(AfterStop::Restart), _) => self.start_all(vec![charge.clone()]).await,
            (Some(AfterStop::Retire), Charge::Member(run)) => self.retire(&run.clone()).await,
            (Some(AfterStop::Rest) | None, Charge::Member(run)) => {
                self.falls_asleep(run, Some("stopped".to_owned()));
            }
            (Some(AfterStop::Close), Charge::Member(run)) => self.closed_member(&run.clone()).await,
            (
                Some(AfterStop::Retire | AfterStop::Rest | AfterStop::Close) | None,
                Charge::Module(module),
            ) => {
                self.module_stands(module, ModuleStanding::Stopped, None);
            }
        }
    }

    /// Lets a member that is no longer declared leave.
    pub(super) async fn retire(&mut self, run: &RunId) {
        let is_member = |it: &crate::kept::KeptMember| it.membership == MembershipState::Member;
        if self.members.get(run).is_some_and(is_member) {
            let left = LeavePool {
                caller: Caller::Operator,
                run: run.clone(),
            };
            match self.parts.pool.call(left).await {
                Ok(_)
                | Err(CallError::Rejected(Rejection::NotAMember | Rejection::RunEnded { .. })) => {}
                Err(error) => self.trouble(&error, "a member that is not declared did not leave"),
            }
        }
        self.forget(vec![run.clone()]).await;
    }

    /// Takes runs out of the roster.
    pub(super) async fn forget(&mut self, runs: Vec<RunId>) {
        let gone = |run: &RunId| SpecifiedMember {
            run: run.clone(),
            digest: None,
            labels: Labels::default(),
            layer: RosterLayer::Declared,
            why: None,
        };
        let specify = SpecifyMembers {
            steward: self.parts.steward,
            specified: runs.iter().map(gone).collect(),
        };
        if let Err(error) = self.parts.pool.call(specify).await {
            self.trouble(&error, "a member was not taken out of the roster");
        }
        for run in &runs {
            self.members.remove(run);
            self.sayings.forget(run);
        }
    }

    /// Records the end of a run.
    pub(super) async fn end_run(&mut self, run: &RunId, end: RunEnd, note: Option<String>) {
        let mut command = EndRun {
            caller: Caller::Operator,
            run: run.clone(),
            end,
            note: note.map(|note| self.parts.note(&note)),
        };
        if self.parts.pool.limits().get(LimitName::NoteBytesMax) == 0 {
            command.note = None;
        }
        let state = match self.parts.pool.call(command).await {
            Ok(_) => end,
            Err(CallError::Rejected(Rejection::RunEnded { state })) => state,
            Err(error) => {
                self.trouble(&error, "the end of a run was not recorded");
                return;
            }
        };
        self.run_has_ended(&Charge::Member(run.clone()), state);
    }

    fn run_has_ended(&mut self, charge: &Charge, state: RunEnd) {
        let Charge::Member(run) = charge else {
            return;
        };
        if let Some(member) = self.members.get_mut(run) {
            member.membership = MembershipState::Ended;
            member.generation = None;
            member.ended = Some(state);
            let end = member.slot.last_end.clone();
            let run = run.clone();
            self.parts.notices.tell(&Notice::Ended { run, state, end });
        }
    }

    /// Something may still run: nothing else is started in its place until somebody asks for it.
    fn not_stopped(&mut self, charge: &Charge, why: String) {
        let what = format!("{charge} could not be stopped: {why}");
        let told = Some(what.clone());
        self.parts.notices.tell(&Notice::Trouble { what });
        match charge {
            Charge::Member(run) => self.stands(run, MemberStanding::Broken, told),
            Charge::Module(module) => self.module_stands(module, ModuleStanding::Failed, told),
        }
        self.note_not_stopped(charge, why);
    }
}

/// The end of something, and how long it was ready before.
struct JudgedEnd {
    end: IncarnationEnd,
    ran: Duration,
}
