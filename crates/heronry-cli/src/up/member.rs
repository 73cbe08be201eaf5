//! One member of a job, from its first start to its end.

use std::{path::PathBuf, sync::Arc, time::Duration};

use heronry_client::{ClientError, PoolClient};
use heronry_host::{
    HostEnvironment, HostFault, HostedSubject, Incarnation, IncarnationEnd, Launch, MemberHost,
    MemberSpec, Running,
};
use heronry_host_process::{CANNOT_START, ProcessHost};
use heronry_store::Clock;
use heronry_types::{LimitName, Millis, RunEnd, RunsUntil, counted};
use heronry_wire::{Join, Joined, ProblemKind, SetState};
use tokio::sync::watch;

use super::{
    manifest::Planned,
    phase::{Phase, stop_asked},
    restart::{Ending, RestartVerdict, Restarts},
    screen::Screen,
};
use crate::{
    connect::refused,
    failure::{Exit, Failure},
};

/// A member that is supervised.
#[derive(Debug)]
pub(crate) struct SupervisedMember {
    pub(crate) plan: Planned<MemberSpec>,
    pub(crate) pool: PoolClient,
    pub(crate) processes: Arc<ProcessHost>,
    pub(crate) environment: HostEnvironment,
    /// The log of its output.
    pub(crate) log: PathBuf,
    pub(crate) screen: Screen,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// The manifest, as it was named.
    pub(crate) manifest: String,
}

/// The result of a member.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct MemberReport {
    pub(crate) run_id: String,
    pub(crate) agent_id: String,
    /// The end of its run; `None` when the run goes on in a later `up`.
    pub(crate) state: Option<RunEnd>,
    pub(crate) restarts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    #[serde(skip)]
    pub(crate) until: RunsUntil,
}

/// The fields of that report.
pub(crate) const MEMBER_FIELDS: [&str; 6] = [
    "run_id",
    "agent_id",
    "state",
    "restarts",
    "exit_code",
    "log",
];

/// The answer to joining a run of a job.
#[derive(Debug)]
pub(crate) enum JoinAnswer {
    /// The run is a member.
    Joined(Box<Joined>),
    /// The run ended earlier.
    Ended(RunEnd),
}

impl MemberReport {
    /// Returns the report of a run that ended before this `up`.
    pub(crate) fn ended_earlier(plan: &Planned<MemberSpec>, state: RunEnd) -> Self {
        Self {
            run_id: plan.spec.run.to_string(),
            agent_id: plan.spec.agent.to_string(),
            state: Some(state),
            restarts: 0,
            exit_code: None,
            log: None,
            until: plan.spec.until,
        }
    }
}

/// Joins a run of a job, or takes it over; refusals name the manifest that the plan is in.
pub(crate) async fn join(
    pool: &PoolClient,
    plan: &Planned<MemberSpec>,
    manifest: &str,
) -> Result<JoinAnswer, Failure> {
    let mut join = Join::new(plan.spec.run.clone(), plan.spec.agent.clone());
    join.topics.clone_from(&plan.spec.topics);
    join.policies.clone_from(&plan.spec.policies);
    join.session_id.clone_from(&plan.spec.session);
    join.lease_ms = plan.spec.lease;
    match pool.join(&join).await {
        Ok(joined) => Ok(JoinAnswer::Joined(Box::new(joined))),
        Err(error) => match ended_state(&error) {
            Some(state) => Ok(JoinAnswer::Ended(state)),
            None => Err(not_joined(error, plan, (manifest, pool))),
        },
    }
}

/// Says which member of the manifest is another one than when the job began.
fn not_joined(
    error: ClientError,
    plan: &Planned<MemberSpec>,
    (manifest, pool): (&str, &PoolClient),
) -> Failure {
    let problem = error.problem();
    let conflict = problem.filter(|it| it.kind() == Some(ProblemKind::MemberConflict));
    let Some(field) = conflict.map(|it| it.text("field").unwrap_or("agent")) else {
        return refused(error);
    };
    let (line, run, job) = (plan.line, &plan.spec.run, pool.id());
    Failure::new(
        Exit::Refused,
        format_args!(
            "{manifest}:{line}: run {run:?} began job {job} with another {field}, which a run keeps for \
             life; put it back, give the member another run, or begin another job with --job NAME \
             (member-conflict)",
            run = run.as_str()
        ),
    )
}

/// Returns the end of a run, when the server says that the run had ended.
fn ended_state(error: &ClientError) -> Option<RunEnd> {
    let problem = error.problem()?;
    if problem.kind() != Some(ProblemKind::RunEnded) {
        return None;
    }
    // Without a state that is known here, the run did at least not complete.
    let state = problem.text("state").and_then(|it| it.parse().ok());
    Some(state.unwrap_or(RunEnd::Failed))
}

impl SupervisedMember {
    /// Runs the member until it is finished for good, or the job ends.
    pub(crate) async fn run(mut self, joined: Joined) -> Result<MemberReport, Failure> {
        let mut joined = joined;
        let mut restarts = Restarts::default();
        loop {
            let (code, ran_since) = match self.run_once(&joined).await? {
                ProcessExit::Ended(code, since) => (code, since),
                ProcessExit::Stopped(phase, code) => {
                    return self.stopped(phase, restarts, code).await;
                }
            };
            let ending = if code == 0 { Ending::Good } else { Ending::Bad };
            let ran = self.clock.now().monotonic.0.saturating_sub(ran_since);
            let ran = Millis(ran);
            let pause = match restarts.judge(&self.plan.spec.restart, ending, ran) {
                RestartVerdict::Finished(end) => return self.finish(end, restarts, code).await,
                RestartVerdict::Restart(pause) => pause,
            };
            if let Some(phase) = self.pause(pause, code).await {
                return self.stopped(phase, restarts, code).await;
            }
            match join(&self.pool, &self.plan, &self.manifest).await? {
                JoinAnswer::Joined(again) => joined = *again,
                JoinAnswer::Ended(state) => return Ok(self.report(Some(state), restarts, code)),
            }
        }
    }

    /// Records a member as complete that has nothing to do any more.
    pub(crate) async fn dismiss(self) -> Result<MemberReport, Failure> {
        self.finish(RunEnd::Completed, Restarts::default(), 0).await
    }

    async fn run_once(&mut self, joined: &Joined) -> Result<ProcessExit, Failure> {
        let since = self.clock.now().monotonic.0;
        let mut running = match self.processes.start(self.launch(joined)).await {
            Ok(running) => running,
            Err(fault) => {
                self.screen
                    .progress(&format!("{}: {fault}", self.plan.spec.run));
                return Ok(ProcessExit::Ended(CANNOT_START, since));
            }
        };
        let outcome = tokio::select! {
            biased;
            end = ended_or_not_ready(&mut *running, self.plan.spec.ready.within) => end,
            phase = stop_asked(&mut self.phase) => LifeOutcome::Stop(phase),
            () = outlived(&*self.clock, self.plan.spec.timeout) => {
                LifeOutcome::Refuse("ran for its longest life".to_owned())
            }
        };
        let phase = match outcome {
            LifeOutcome::Ended(end) => return Ok(ProcessExit::Ended(end.shell_code(), since)),
            LifeOutcome::Stop(phase) => Some(phase),
            LifeOutcome::Refuse(why) => {
                self.screen
                    .progress(&format!("{} {why}", self.plan.spec.run));
                None
            }
        };
        let run = &self.plan.spec.run;
        let failed = |error: HostFault| Failure::failed(format_args!("cannot stop {run}: {error}"));
        let grace = self.plan.spec.stop_grace;
        let code = running.stop(grace).await.map_err(failed)?.end.shell_code();
        Ok(match phase {
            Some(phase) => ProcessExit::Stopped(phase, code),
            // What was stopped for a reason of its own has failed, whatever it says.
            None => ProcessExit::Ended(code.max(1), since),
        })
    }

    fn launch(&self, joined: &Joined) -> Launch {
        let mut environment = self.environment.clone();
        environment.set("HERONRY_TOKEN", joined.member_token.reveal());
        environment.set("HERONRY_GENERATION", joined.generation.to_string());
        Launch {
            subject: HostedSubject::Member(Incarnation {
                pool: self.pool.id().clone(),
                run: self.plan.spec.run.clone(),
                agent: self.plan.spec.agent.clone(),
                generation: joined.generation,
            }),
            value: self.plan.spec.launch.clone(),
            variables: self.plan.spec.environment.clone(),
            environment,
            ready: self.plan.spec.ready.when,
        }
    }

    /// Waits before a restart; returns why there is to be none.
    async fn pause(&mut self, pause: Duration, code: u8) -> Option<Phase> {
        let run = &self.plan.spec.run;
        let millis = pause.as_millis();
        let line = format!("{run} ended with exit code {code}; starts again in {millis} ms");
        self.screen.progress(&line);
        let asked = tokio::time::timeout(pause, stop_asked(&mut self.phase)).await;
        // An elapsed pause is what is hoped for.
        asked.ok()
    }

    /// Reports a member that was stopped: complete when the job is done, unfinished otherwise.
    async fn stopped(
        self,
        phase: Phase,
        restarts: Restarts,
        code: u8,
    ) -> Result<MemberReport, Failure> {
        match phase {
            Phase::Finishing => self.finish(RunEnd::Completed, restarts, code).await,
            Phase::Running | Phase::Interrupted => Ok(self.report(None, restarts, code)),
        }
    }

    /// Records how the member's run ended.
    async fn finish(
        self,
        end: RunEnd,
        restarts: Restarts,
        code: u8,
    ) -> Result<MemberReport, Failure> {
        let note = match end {
            RunEnd::Completed => None,
            RunEnd::Failed | RunEnd::Cancelled => {
                let total = counted(u64::from(restarts.total), "restart");
                Some(format!("exit code {code} after {total}"))
            }
        };
        let mut state = SetState {
            note,
            ..SetState::of(end.into())
        };
        let mut set = self.pool.set_state(&self.plan.spec.run, &state).await;
        // The note is ours: a pool that takes only shorter ones gets none.
        if let Err(error) = &set
            && error.crossed(LimitName::NoteBytesMax).is_some()
        {
            state.note = None;
            set = self.pool.set_state(&self.plan.spec.run, &state).await;
        }
        let state = match set {
            Ok(_) => end,
            // The member said so itself, or an earlier answer was lost.
            Err(error) => ended_state(&error).ok_or_else(|| refused(error))?,
        };
        let run = &self.plan.spec.run;
        self.screen
            .progress(&format!("{run} {state} (exit code {code})"));
        Ok(self.report(Some(state), restarts, code))
    }

    fn report(&self, state: Option<RunEnd>, restarts: Restarts, code: u8) -> MemberReport {
        MemberReport {
            run_id: self.plan.spec.run.to_string(),
            agent_id: self.plan.spec.agent.to_string(),
            state,
            restarts: restarts.total,
            exit_code: Some(code),
            log: Some(self.log.display().to_string()),
            until: self.plan.spec.until,
        }
    }
}

/// The reason why nobody waits for a process any more.
enum LifeOutcome {
    /// It ended.
    Ended(IncarnationEnd),
    /// It is to stop.
    Stop(Phase),
    /// It is to be started again, for this reason.
    Refuse(String),
}

/// Waits until a process has ended, or was not ready in time.
async fn ended_or_not_ready(running: &mut dyn Running, within: Duration) -> LifeOutcome {
    let ready = tokio::time::timeout(within, running.ready()).await;
    if ready.is_err() {
        let within = within.as_millis();
        return LifeOutcome::Refuse(format!("was not ready within {within} ms"));
    }
    // One that ended before it was ready has ended.
    LifeOutcome::Ended(running.ended().await)
}

/// Waits for the end of the longest life, when there is one.
async fn outlived(clock: &dyn Clock, longest: Option<Duration>) {
    let Some(longest) = longest else {
        return std::future::pending().await;
    };
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    let due = clock.now().monotonic.0.saturating_add(longest);
    clock.alarm(Millis(due)).await;
}

/// The end of one process of a member.
enum ProcessExit {
    /// The process ended by itself, with this exit code; it was started at this time of the clock.
    Ended(u8, u64),
    /// The process was stopped.
    Stopped(Phase, u8),
}
