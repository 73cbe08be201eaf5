//! The ground of these scenarios: a world, a host whose members do what a test tells them, and declarations.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use heronry_event::Event;
use heronry_host::{
    AccessError, AccessRequest, HostEnvironment, HostRefusal, HostValue, IncarnationEnd,
    MemberAccess, MemberHost, MemberSpec,
};
use heronry_runtime::Pool;
use heronry_store::Clock;
use heronry_tests::{World, agent, pool, run};
use heronry_types::{EventKind, MemberStanding, RunsUntil, StartWhen};
use heronry_unified::{
    BuildError, Declared, DeclaredParts, MemberStatus, TaskBody, TaskFuture, TaskHost, TaskStart,
    UnifiedRuntime, UnifiedRuntimeBuilder,
};
use serde_json::json;
use tokio::sync::mpsc;

/// A deed that a member is told to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Deed {
    End(IncarnationEnd),
    Panic,
    Ready,
}

/// The members that run, and what was asked of them.
#[derive(Debug, Default)]
pub(crate) struct TaskStage {
    running: Mutex<BTreeMap<String, Vec<mpsc::UnboundedSender<Deed>>>>,
    starts: Mutex<Vec<String>>,
    woken_by: Mutex<Vec<String>>,
}

impl TaskStage {
    /// Returns the number of processes that a run has.
    pub(crate) fn processes(&self, name: &str) -> usize {
        let mut running = self.running.lock().unwrap();
        let senders = running.entry(name.to_owned()).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.len()
    }

    /// Returns the runs and modules that were started, in order.
    pub(crate) fn starts(&self) -> Vec<String> {
        self.starts.lock().unwrap().clone()
    }

    /// Returns the causes for which members were started, in order.
    pub(crate) fn woken_by(&self) -> Vec<String> {
        self.woken_by.lock().unwrap().clone()
    }

    /// Tells every process of a run to do something.
    pub(crate) fn tell(&self, name: &str, deed: &Deed) {
        let running = self.running.lock().unwrap();
        for sender in &running[name] {
            sender.send(deed.clone()).unwrap();
        }
    }

    pub(crate) fn end(&self, name: &str, end: IncarnationEnd) {
        self.tell(name, &Deed::End(end));
    }
}

/// The body of every member: it runs until it is told what to do, or cancelled.
///
/// The value `stubborn` takes no cancellation, `hang` never gets ready, `refused` is none that can be started.
pub(crate) struct ToldBody(pub(crate) Arc<TaskStage>);

impl TaskBody for ToldBody {
    fn check(&self, value: &HostValue) -> Result<(), HostRefusal> {
        if value == "refused" {
            return Err(HostRefusal("this cannot be started".to_owned()));
        }
        Ok(())
    }

    fn run(&self, start: TaskStart) -> TaskFuture {
        let stage = Arc::clone(&self.0);
        let name = start.launch.subject.name().to_owned();
        let (sender, mut deeds) = mpsc::unbounded_channel();
        stage
            .running
            .lock()
            .unwrap()
            .entry(name.clone())
            .or_default()
            .push(sender);
        stage.starts.lock().unwrap().push(name);
        if let Some(cause) = start
            .launch
            .environment
            .variables
            .get(std::ffi::OsStr::new("CAUSE"))
        {
            let cause = cause.reveal().to_string_lossy().into_owned();
            stage.woken_by.lock().unwrap().push(cause);
        }
        let is_stubborn = start.launch.value == "stubborn";
        Box::pin(async move {
            loop {
                tokio::select! {
                    () = start.cancel.cancelled(), if !is_stubborn => return IncarnationEnd::Succeeded,
                    deed = deeds.recv() => match deed {
                        Some(Deed::End(end)) => return end,
                        Some(Deed::Panic) => panic!("told to"),
                        Some(Deed::Ready) => start.ready.ready(),
                        None => return IncarnationEnd::Signal(15),
                    },
                }
            }
        })
    }
}

/// Gives members the cause for which they are started, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct PlainAccess;

#[async_trait]
impl MemberAccess for PlainAccess {
    async fn environment(&self, request: &AccessRequest) -> Result<HostEnvironment, AccessError> {
        let mut environment = HostEnvironment::default();
        if let Some(cause) = &request.woken_by {
            environment.set("CAUSE", cause.to_string());
        }
        Ok(environment)
    }
}

/// A world with a stage.
pub(crate) struct KeptScene {
    pub(crate) world: World,
    pub(crate) stage: Arc<TaskStage>,
    pub(crate) host: Arc<TaskHost>,
    pub(crate) pool: Pool,
}

impl KeptScene {
    pub(crate) async fn on(world: World) -> Self {
        let stage = Arc::new(TaskStage::default());
        let clock: Arc<dyn Clock> = Arc::new(world.clock.clone());
        let body = Arc::new(ToldBody(Arc::clone(&stage)));
        let host = TaskHost::new("task".parse().unwrap(), body, clock);
        let pool = world.pool().await;
        Self {
            world,
            stage,
            host: Arc::new(host),
            pool,
        }
    }

    pub(crate) fn builder(&self, declared: Declared) -> UnifiedRuntimeBuilder {
        let host: Arc<dyn MemberHost> = Arc::<TaskHost>::clone(&self.host);
        let runtime = self.world.runtime.clone();
        let access = Arc::new(PlainAccess);
        UnifiedRuntimeBuilder::new(runtime, pool("p"), declared, vec![host], access)
    }

    pub(crate) async fn build(&self, declared: Declared) -> Result<UnifiedRuntime, BuildError> {
        self.builder(declared).build().await
    }

    pub(crate) async fn kinds(&self) -> Vec<EventKind> {
        let events = self.world.events(&self.pool).await;
        events.iter().map(|event| event.envelope.kind).collect()
    }

    pub(crate) async fn events_of(&self, kind: EventKind) -> Vec<Event> {
        let events = self.world.events(&self.pool).await;
        events
            .into_iter()
            .filter(|event| event.envelope.kind == kind)
            .collect()
    }
}

pub(crate) fn member(name: &str) -> MemberSpec {
    let host = "task".parse().unwrap();
    let mut spec = MemberSpec::new(run(name), agent(name), host, json!("plain"));
    spec.until = RunsUntil::Stopped;
    spec
}

pub(crate) fn sleeping(name: &str, start: StartWhen) -> MemberSpec {
    let mut spec = member(name);
    spec.start = start;
    spec
}

pub(crate) fn declared(members: Vec<MemberSpec>) -> Declared {
    let parts = DeclaredParts {
        members,
        ..DeclaredParts::default()
    };
    Declared::check(parts).unwrap()
}

pub(crate) fn named(names: &[&str]) -> Declared {
    declared(names.iter().map(|name| member(name)).collect())
}

/// Waits until a member stands so, and returns how it stands.
pub(crate) async fn standing(
    runtime: &UnifiedRuntime,
    name: &str,
    wanted: MemberStanding,
) -> MemberStatus {
    for _ in 0..100_000 {
        let standings = runtime.standings().await.unwrap();
        let found = standings.into_iter().find(|it| it.run == run(name));
        if let Some(found) = found.filter(|it| it.standing == Some(wanted)) {
            return found;
        }
        tokio::task::yield_now().await;
    }
    let standings = runtime.standings().await.unwrap();
    panic!("{name} does not come to be {wanted}: {standings:?}");
}

/// Waits until a run has so many processes.
pub(crate) async fn processes(scene: &KeptScene, name: &str, wanted: usize) {
    heronry_tests::until(|| scene.stage.processes(name) == wanted).await;
}
