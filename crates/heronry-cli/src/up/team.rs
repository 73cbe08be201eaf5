//! All members of a job: joined together, started together, and waited for.

use std::{collections::BTreeSet, sync::Arc};

use heronry_client::PoolClient;
use heronry_host::{HostEnvironment, MemberSpec};
use heronry_host_process::ProcessHost;
use heronry_store::Clock;
use heronry_types::{RunEnd, RunsUntil};
use heronry_wire::Joined;
use tokio::{sync::watch, task::JoinSet};

use super::{
    manifest::{Manifest, Planned},
    member::{JoinAnswer, MemberReport, SupervisedMember, join},
    phase::Phase,
    screen::Screen,
};
use crate::{
    connect::Context,
    failure::Failure,
    files::{Folder, file_name},
    host::Host,
    signals::Signals,
};

/// The parts that the supervisors of a job's members share.
#[derive(Debug)]
pub(crate) struct Team<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) manifest: &'a Manifest,
    pub(crate) pool: PoolClient,
    pub(crate) screen: Screen,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) environment: HostEnvironment,
    pub(crate) processes: Arc<ProcessHost>,
}

/// The reason why `up` stopped running a job.
#[derive(Debug)]
pub(crate) enum TeamEnd {
    /// Every member that the job waits for has ended.
    Done(Vec<MemberReport>),
    /// A signal ended it before that.
    Signal(u8),
}

/// The result of a supervisor: the place of its member in the manifest, and its report.
type Supervised = (usize, Result<MemberReport, Failure>);

/// The members that run, and the reports of the others.
struct RunningTeam {
    supervisors: JoinSet<Supervised>,
    reports: Vec<Option<MemberReport>>,
    phase: watch::Sender<Phase>,
    failure: Option<Failure>,
    awaited: BTreeSet<usize>,
}

impl Team<'_> {
    /// Joins all members, runs those that have not ended, and stops the rest at the end.
    pub(crate) async fn run(&self, host: &Host) -> Result<TeamEnd, Failure> {
        let mut signals = Signals::listen()?;
        let mut answers = Vec::new();
        for plan in &self.manifest.members {
            answers.push(join(&self.pool, plan, &self.manifest.path).await?);
        }
        let mut running = self.start(answers)?;
        let signal = tokio::select! {
            () = running.until_done() => None,
            number = signals.next() => Some(number),
            failure = host.failed() => {
                running.failure = Some(failure);
                None
            }
        };
        let phase = match (signal, &running.failure) {
            (None, None) => Phase::Finishing,
            _ => Phase::Interrupted,
        };
        if signal.is_some() {
            let line = "stopping; run the same command again to go on with this job";
            self.screen.progress(line);
        }
        running.phase.send_replace(phase);
        tokio::select! {
            () = running.until_all_ended() => {}
            number = signals.next() => return Ok(TeamEnd::Signal(number)),
        }
        match (running.failure, signal) {
            // Members fail, too, when the store has closed; that is why, and not what they say.
            (Some(failure), _) => Err(host.store_closed().unwrap_or(failure)),
            (None, Some(number)) => Ok(TeamEnd::Signal(number)),
            (None, None) => Ok(TeamEnd::Done(
                running.reports.into_iter().flatten().collect(),
            )),
        }
    }

    fn start(&self, answers: Vec<JoinAnswer>) -> Result<RunningTeam, Failure> {
        let (phase, seen) = watch::channel(Phase::Running);
        let logs = self.cx.data_dir.logs(self.pool.id().as_str())?;
        self.cx.data_dir.incarnations(self.pool.id().as_str())?;
        let mut running = RunningTeam {
            supervisors: JoinSet::new(),
            reports: vec![None; answers.len()],
            phase,
            failure: None,
            awaited: BTreeSet::new(),
        };
        let plans = &self.manifest.members;
        let is_done = plans.iter().zip(&answers).all(|(plan, answer)| {
            plan.spec.until == RunsUntil::Stopped || matches!(answer, JoinAnswer::Ended(_))
        });
        for (place, (plan, answer)) in plans.iter().zip(answers).enumerate() {
            let joined = match answer {
                JoinAnswer::Joined(joined) => joined,
                JoinAnswer::Ended(state) => {
                    running.note(place, self.ended_earlier(plan, state));
                    continue;
                }
            };
            let member = self.member(plan, &logs, seen.clone())?;
            if plan.spec.until == RunsUntil::Exited {
                running.awaited.insert(place);
            }
            running.supervise(place, member, (!is_done).then_some(*joined));
        }
        Ok(running)
    }

    fn ended_earlier(&self, plan: &Planned<MemberSpec>, state: RunEnd) -> MemberReport {
        self.screen
            .progress(&format!("{} {state} earlier", plan.spec.run));
        MemberReport::ended_earlier(plan, state)
    }

    fn member(
        &self,
        plan: &Planned<MemberSpec>,
        logs: &Folder,
        phase: watch::Receiver<Phase>,
    ) -> Result<SupervisedMember, Failure> {
        let name = format!("{}.log", file_name(plan.spec.run.as_str()));
        // Opened through the door that follows no link, before anything is started.
        logs.add_to(&name)?;
        let mut environment = self.environment.clone();
        environment.set("HERONRY_RUN", plan.spec.run.as_str());
        environment.set("HERONRY_AGENT", plan.spec.agent.as_str());
        let pool = self.pool.id().as_str();
        let state = self
            .cx
            .data_dir
            .member_state(pool, plan.spec.run.as_str())?;
        environment.set("HERONRY_STATE_DIR", state.path());
        environment.state_dir = Some(state.path().to_owned());
        Ok(SupervisedMember {
            plan: plan.clone(),
            pool: self.pool.clone(),
            processes: Arc::clone(&self.processes),
            environment,
            log: logs.path().join(name),
            screen: self.screen.clone(),
            clock: Arc::clone(&self.clock),
            phase,
            manifest: self.manifest.path.clone(),
        })
    }
}

impl RunningTeam {
    /// Runs a member; without a joining it is only recorded as complete, because the job is done.
    fn supervise(&mut self, place: usize, member: SupervisedMember, joined: Option<Joined>) {
        self.supervisors.spawn(async move {
            let report = match joined {
                Some(joined) => member.run(joined).await,
                None => member.dismiss().await,
            };
            (place, report)
        });
    }

    fn note(&mut self, place: usize, report: MemberReport) {
        if let Some(slot) = self.reports.get_mut(place) {
            *slot = Some(report);
        }
    }

    /// Waits until no member is left that the job waits for, or until supervising fails.
    async fn until_done(&mut self) {
        while self.failure.is_none() && !self.awaited.is_empty() && self.one_ended().await {}
    }

    async fn until_all_ended(&mut self) {
        while self.one_ended().await {}
    }

    /// Waits until a member has ended; false when none is left.
    async fn one_ended(&mut self) -> bool {
        let (place, report) = match self.supervisors.join_next().await {
            None => return false,
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                let broken = Failure::failed(format_args!("supervising broke off: {error}"));
                self.failure.get_or_insert(broken);
                return true;
            }
        };
        self.awaited.remove(&place);
        match report {
            Ok(report) => self.note(place, report),
            Err(failure) => {
                self.failure.get_or_insert(failure);
            }
        }
        true
    }
}
