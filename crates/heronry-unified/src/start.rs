//! One life of a charge, in a task of its own: joining, starting, getting ready, running, ending.

use std::{sync::Arc, time::Duration};

use heronry_host::{
    AccessRequest, HostFault, HostedSubject, Incarnation, IncarnationEnd, Launch, MemberSpec,
    ModuleSpec, Running, StopMeans, WokenBy,
};
use heronry_pool::{Caller, Rejection, decide::JoinPool};
use heronry_runtime::{CallError, Joining};
use heronry_types::{
    Generation, HostId, InstanceId, Millis, ReadyWhen, ReconcileStage, RunEnd, RunId, Timestamp,
};
use tokio::sync::{mpsc, watch};

use crate::{
    charge::{Charge, StopWish},
    parts::RuntimeParts,
    reading,
};

/// The pause between two looks for the first command of a run that is to be ready by it.
const FIRST_COMMAND_LOOK: Millis = Millis(25);

/// The spec of what is started.
#[derive(Clone, Debug)]
pub(crate) enum StartSpec {
    Member(Arc<MemberSpec>),
    Module {
        spec: Arc<ModuleSpec>,
        /// The incarnation of the run that it acts as.
        acts_as: Option<Incarnation>,
    },
}

/// A start.
#[derive(Debug)]
pub(crate) struct StartOrder {
    pub(crate) charge: Charge,
    pub(crate) serial: u64,
    pub(crate) spec: StartSpec,
    pub(crate) woken_by: Option<WokenBy>,
}

/// A failure of a start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StartFailure {
    pub(crate) stage: ReconcileStage,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

/// A thing that a life tells of itself.
#[derive(Debug)]
pub(crate) enum LifeFact {
    /// The run joined.
    Joined(Generation),
    /// It is ready.
    Ready { process_id: Option<u32> },
    /// Its life is over.
    Over(LifeEnd),
}

/// The end of a life.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LifeEnd {
    /// The run had ended before it could join.
    RunEnded(RunEnd),
    /// Another steward has the pool.
    Fenced,
    /// It did not start.
    NotStarted(StartFailure),
    /// It was stopped before it was started.
    GivenUp,
    /// It ended.
    Ended(IncarnationEnd),
    /// It was stopped, and may have been killed for it.
    Stopped {
        end: IncarnationEnd,
        means: StopMeans,
    },
    /// It was to be stopped, and may still run.
    NotStopped(String),
}

/// A fact of a life, with whose life it is.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) charge: Charge,
    pub(crate) serial: u64,
    pub(crate) told: LifeFact,
}

/// One life.
pub(crate) struct Life {
    pub(crate) parts: Arc<RuntimeParts>,
    pub(crate) order: StartOrder,
    pub(crate) facts: mpsc::Sender<Fact>,
    pub(crate) wish: watch::Receiver<StopWish>,
    /// The time at which the pool had heard of the run when it joined.
    pub(crate) heard: Option<Timestamp>,
}

impl Life {
    /// Lives, in a task of its own. A task that panics tells an end as well.
    pub(crate) fn begin(self, found: Option<Box<dyn Running>>) {
        let (charge, serial, facts) = (
            self.order.charge.clone(),
            self.order.serial,
            self.facts.clone(),
        );
        let lived = tokio::spawn(self.live(found));
        tokio::spawn(async move {
            let end = match lived.await {
                Ok(end) => end,
                Err(error) => {
                    let why = format!("looking after it broke off: {error}");
                    LifeEnd::Ended(IncarnationEnd::Failed(why))
                }
            };
            let told = LifeFact::Over(end);
            // When nobody listens any more, the runtime is gone.
            let _ = facts
                .send(Fact {
                    charge,
                    serial,
                    told,
                })
                .await;
        });
    }

    async fn live(mut self, found: Option<Box<dyn Running>>) -> LifeEnd {
        if let Some(running) = found {
            return self.run(running).await;
        }
        let parts = Arc::clone(&self.parts);
        let permit = tokio::select! {
            biased;
            _ = wished(&mut self.wish) => return LifeEnd::GivenUp,
            permit = parts.starts.acquire() => permit,
        };
        let running = match self.start().await {
            Ok(running) => running,
            Err(end) => return end,
        };
        drop(permit);
        self.run(running).await
    }

    async fn tell(&self, told: LifeFact) {
        let fact = Fact {
            charge: self.order.charge.clone(),
            serial: self.order.serial,
            told,
        };
        // When nobody listens any more, the runtime is gone.
        let _ = self.facts.send(fact).await;
    }

    /// Joins, starts, and waits until it is ready.
    async fn start(&mut self) -> Result<Box<dyn Running>, LifeEnd> {
        let subject = self.subject().await?;
        let launch = self.launch(&subject).await?;
        let within = self.within();
        let parts = Arc::clone(&self.parts);
        let begun = parts.clock.now().monotonic;
        let late = parts.clock.alarm(after(begun, within));
        let host = self.host()?;
        let mut running = tokio::select! {
            biased;
            _ = wished(&mut self.wish) => return Err(LifeEnd::GivenUp),
            started = host.start(launch) => started.map_err(|fault| not_started(&fault))?,
            () = late => return Err(too_late(ReconcileStage::Start, within)),
        };
        let late = parts.clock.alarm(after(begun, within));
        let mut wish = self.wish.clone();
        let outcome = tokio::select! {
            biased;
            _ = wished(&mut wish) => None,
            ready = self.ready(&mut running, &subject) => Some(ready),
            () = late => Some(Err(too_late(ReconcileStage::Ready, within))),
        };
        match outcome {
            Some(Ok(())) => {}
            Some(Err(end)) => {
                return Err(match running.kill().await {
                    Ok(_) => end,
                    Err(fault) => LifeEnd::NotStopped(fault.to_string()),
                });
            }
            None => return Err(self.stop(running).await),
        }
        let process_id = running.process_id();
        self.tell(LifeFact::Ready { process_id }).await;
        Ok(running)
    }

    /// Returns the thing to start: a member joins for it.
    async fn subject(&mut self) -> Result<HostedSubject, LifeEnd> {
        let pool = self.parts.pool.id().clone();
        match self.order.spec.clone() {
            StartSpec::Module { spec, acts_as } => Ok(HostedSubject::Module {
                pool,
                module: spec.id.clone(),
                acts_as,
            }),
            StartSpec::Member(spec) => {
                let joined = join(&self.parts, &spec, self.order.serial).await;
                let generation = joined.map_err(|error| not_joined(&error))?;
                self.tell(LifeFact::Joined(generation)).await;
                if spec.ready.when == ReadyWhen::FirstCommand {
                    let heard = last_heard(&self.parts, &spec.run).await;
                    self.heard = heard.map_err(|error| not_joined(&error))?;
                }
                Ok(HostedSubject::Member(Incarnation {
                    pool,
                    run: spec.run.clone(),
                    agent: spec.agent.clone(),
                    generation,
                }))
            }
        }
    }

    async fn launch(&self, subject: &HostedSubject) -> Result<Launch, LifeEnd> {
        let failed = |message: String| {
            LifeEnd::NotStarted(StartFailure {
                stage: ReconcileStage::Start,
                kind: "environment",
                message,
            })
        };
        let token = match subject.incarnation() {
            None => None,
            Some(incarnation) => {
                let joining = Joining {
                    pool: incarnation.pool.clone(),
                    run: incarnation.run.clone(),
                    generation: incarnation.generation,
                };
                let minted = self.parts.runtime.mint_token(&joining).await;
                let minted = minted.map_err(|error| failed(error.to_string()))?;
                Some(minted.reveal().into())
            }
        };
        let request = AccessRequest {
            subject: subject.clone(),
            token,
            woken_by: self.order.woken_by.clone(),
        };
        let environment = self.parts.access.environment(&request).await;
        let environment = environment.map_err(|error| failed(error.to_string()))?;
        let subject = subject.clone();
        Ok(match &self.order.spec {
            StartSpec::Member(spec) => Launch {
                subject,
                value: spec.launch.clone(),
                variables: spec.environment.clone(),
                environment,
                ready: spec.ready.when,
            },
            StartSpec::Module { spec, .. } => Launch {
                subject,
                value: spec.launch.clone(),
                variables: spec.environment.clone(),
                environment,
                ready: spec.ready.when,
            },
        })
    }

    fn host(&self) -> Result<Arc<dyn heronry_host::MemberHost>, LifeEnd> {
        let name: &HostId = match &self.order.spec {
            StartSpec::Member(spec) => &spec.host,
            StartSpec::Module { spec, .. } => &spec.host,
        };
        let host = self.parts.hosts.get(name).cloned();
        host.ok_or_else(|| {
            LifeEnd::NotStarted(StartFailure {
                stage: ReconcileStage::Start,
                kind: "unknown_host",
                message: format!("there is no host {:?}", name.as_str()),
            })
        })
    }

    fn within(&self) -> Duration {
        match &self.order.spec {
            StartSpec::Member(spec) => spec.ready.within,
            StartSpec::Module { spec, .. } => spec.ready.within,
        }
    }

    async fn ready(
        &self,
        running: &mut Box<dyn Running>,
        subject: &HostedSubject,
    ) -> Result<(), LifeEnd> {
        let when = match &self.order.spec {
            StartSpec::Member(spec) => spec.ready.when,
            StartSpec::Module { spec, .. } => spec.ready.when,
        };
        match (when, subject.incarnation()) {
            (ReadyWhen::None | ReadyWhen::Line, _) | (ReadyWhen::FirstCommand, None) => {
                running.ready().await.map_err(|fault| ended_early(&fault))
            }
            (ReadyWhen::FirstCommand, Some(incarnation)) => {
                tokio::select! {
                    end = running.ended() => {
                        Err(ended_early(&HostFault::EndedEarly(end)))
                    }
                    heard = self.heard(&incarnation.run) => heard,
                }
            }
        }
    }

    /// Waits until the pool has heard of a run since it joined.
    async fn heard(&self, run: &RunId) -> Result<(), LifeEnd> {
        loop {
            let heard = last_heard(&self.parts, run).await;
            if heard.map_err(|error| not_joined(&error))? != self.heard {
                return Ok(());
            }
            let now = self.parts.clock.now().monotonic;
            let next = Millis(now.0.saturating_add(FIRST_COMMAND_LOOK.0));
            self.parts.clock.alarm(next).await;
        }
    }

    /// Watches what runs until it ends, by itself or because it is to.
    async fn run(&mut self, mut running: Box<dyn Running>) -> LifeEnd {
        let longest = match &self.order.spec {
            StartSpec::Member(spec) => spec.timeout,
            StartSpec::Module { .. } => None,
        };
        let parts = Arc::clone(&self.parts);
        let too_old = async {
            match longest {
                Some(longest) => {
                    let now = parts.clock.now().monotonic;
                    parts.clock.alarm(after(now, longest)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            end = running.ended() => return LifeEnd::Ended(end),
            _ = wished(&mut self.wish) => return self.stop(running).await,
            () = too_old => {}
        }
        let longest = longest.unwrap_or_default().as_millis();
        match self.stop(running).await {
            LifeEnd::Stopped { .. } => {
                let why = format!("it ran for {longest} ms, its longest life");
                LifeEnd::Ended(IncarnationEnd::Failed(why))
            }
            other @ (LifeEnd::RunEnded(_)
            | LifeEnd::Fenced
            | LifeEnd::NotStarted(_)
            | LifeEnd::GivenUp
            | LifeEnd::Ended(_)
            | LifeEnd::NotStopped(_)) => other,
        }
    }

    /// Stops what runs as it is wished: a wish to kill comes true also while a grace lasts.
    async fn stop(&self, mut running: Box<dyn Running>) -> LifeEnd {
        let grace = match &self.order.spec {
            StartSpec::Member(spec) => spec.stop_grace,
            StartSpec::Module { spec, .. } => spec.stop_grace,
        };
        let mut wish = self.wish.clone();
        if *wish.borrow() == StopWish::LetGo {
            return LifeEnd::GivenUp;
        }
        let asked = tokio::select! {
            biased;
            () = killed(&mut wish) => None,
            stopped = running.stop(grace) => Some(stopped),
        };
        let stopped = match asked {
            Some(stopped) => stopped.map(|stopped| LifeEnd::Stopped {
                end: stopped.end,
                means: stopped.means,
            }),
            None => running.kill().await.map(|end| LifeEnd::Stopped {
                end,
                means: StopMeans::Killed,
            }),
        };
        stopped.unwrap_or_else(|fault| LifeEnd::NotStopped(fault.to_string()))
    }
}

/// Waits until something is to end.
async fn wished(wish: &mut watch::Receiver<StopWish>) -> StopWish {
    match wish.wait_for(|wish| *wish != StopWish::None).await {
        Ok(wish) => *wish,
        // The runtime is gone, and so is what it looks after.
        Err(_) => StopWish::Ask,
    }
}

/// Waits until something is to be killed.
async fn killed(wish: &mut watch::Receiver<StopWish>) {
    if wish.wait_for(|wish| *wish == StopWish::Kill).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Joins a member's run, or takes it over. The same start is the same instance.
pub(crate) async fn join(
    parts: &RuntimeParts,
    spec: &MemberSpec,
    serial: u64,
) -> Result<Generation, CallError> {
    let join = JoinPool {
        caller: Caller::Operator,
        run: spec.run.clone(),
        agent: spec.agent.clone(),
        session: spec.session.clone(),
        topics: spec.topics.clone(),
        policies: spec.policies.clone(),
        instance: instance(parts, serial),
        lease: spec.lease,
    };
    Ok(parts.pool.call(join).await?.generation)
}

/// Returns the name of the process that a start joins as: no other start has it.
fn instance(parts: &RuntimeParts, serial: u64) -> InstanceId {
    let steward = parts.steward;
    let text = format!("steward-{steward}-start-{serial}");
    match InstanceId::parse(text) {
        Ok(instance) => instance,
        Err(_) => unreachable!("two numbers and words are an id"),
    }
}

async fn last_heard(parts: &RuntimeParts, run: &RunId) -> Result<Option<Timestamp>, CallError> {
    let member = reading::member(parts, run).await?;
    Ok(member.and_then(|member| member.last_seen))
}

fn not_joined(error: &CallError) -> LifeEnd {
    match error {
        CallError::Rejected(Rejection::RunEnded { state }) => LifeEnd::RunEnded(*state),
        CallError::Rejected(Rejection::StewardFenced) => LifeEnd::Fenced,
        CallError::Rejected(rejection) => LifeEnd::NotStarted(StartFailure {
            stage: ReconcileStage::Join,
            kind: "rejected",
            message: rejection.to_string(),
        }),
        CallError::Busy { .. } => LifeEnd::NotStarted(StartFailure {
            stage: ReconcileStage::Join,
            kind: "busy",
            message: error.to_string(),
        }),
        CallError::Stopped { .. } => LifeEnd::NotStarted(StartFailure {
            stage: ReconcileStage::Join,
            kind: "stopped",
            message: error.to_string(),
        }),
    }
}

fn not_started(fault: &HostFault) -> LifeEnd {
    LifeEnd::NotStarted(StartFailure {
        stage: ReconcileStage::Start,
        kind: kind_of(fault),
        message: fault.to_string(),
    })
}

fn ended_early(fault: &HostFault) -> LifeEnd {
    LifeEnd::NotStarted(StartFailure {
        stage: ReconcileStage::Ready,
        kind: kind_of(fault),
        message: fault.to_string(),
    })
}

fn kind_of(fault: &HostFault) -> &'static str {
    match fault {
        HostFault::Refused(_) => "refused",
        HostFault::RunsAlready(_) => "runs_already",
        HostFault::EndedEarly(_) => "ended_early",
        HostFault::System(_) => "system",
        // The port may grow.
        _ => "host",
    }
}

fn too_late(stage: ReconcileStage, within: Duration) -> LifeEnd {
    let millis = within.as_millis();
    LifeEnd::NotStarted(StartFailure {
        stage,
        kind: "timeout",
        message: format!("it was not ready within {millis} ms"),
    })
}

/// Returns the time of the clock that comes this long after another.
pub(crate) fn after(time: Millis, span: Duration) -> Millis {
    let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Millis(time.0.saturating_add(span))
}
