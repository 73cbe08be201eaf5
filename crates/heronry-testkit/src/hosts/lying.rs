//! A host in memory that a test moves by hand, and that lies when it is told to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{
    FutureExt,
    channel::oneshot,
    future::{self, Shared},
};
use heronry_host::{
    HostFault, HostRefusal, HostValue, HostedSubject, IncarnationEnd, Launch, MemberHost,
    RecoveredIncarnation, Running, StopMeans, StoppedIncarnation,
};
use heronry_types::{HostId, PoolId, ReadyWhen};

use super::HostCalls;

/// The way in which a host does not keep its rules for one run or module.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lie {
    /// It says started, and nothing runs: the end comes at once.
    SaysStarted,
    /// The first answer of `ended` is success, and every later one is exit code 1.
    EndsTwice,
    /// It never ends, and cannot be stopped or killed.
    NeverEnds,
    /// It is never ready.
    NeverReady,
    /// The start never answers.
    HangsInStart,
    /// So many starts fail, and the further ones do not.
    FailsToStart(usize),
}

/// A host that runs nothing: what it has started ends, or prints its first line, when a test says so.
/// Unless it is told to lie it keeps every rule but that it passes nothing to anybody.
///
/// A clone is another handle of the same host, and so a later host of the same place.
#[derive(Clone, Debug)]
pub struct LyingHost {
    id: HostId,
    state: Arc<Mutex<HostState>>,
    calls: HostCalls,
}

#[derive(Debug, Default)]
struct HostState {
    lies: BTreeMap<String, Lie>,
    running: BTreeMap<HostedSubject, Switches>,
    launches: Vec<Launch>,
}

/// The means by which a test moves what runs.
#[derive(Debug)]
struct Switches {
    end: Option<oneshot::Sender<IncarnationEnd>>,
    line: Option<oneshot::Sender<()>>,
    ended: Shared<oneshot::Receiver<IncarnationEnd>>,
    printed: Shared<oneshot::Receiver<()>>,
}

impl Switches {
    fn new() -> Self {
        let ((end, ended), (line, printed)) = (oneshot::channel(), oneshot::channel());
        Self {
            end: Some(end),
            line: Some(line),
            ended: ended.shared(),
            printed: printed.shared(),
        }
    }
}

impl LyingHost {
    /// Returns a host of this name that does not lie yet.
    pub fn new(id: HostId) -> Self {
        Self {
            id,
            state: Arc::default(),
            calls: HostCalls::default(),
        }
    }

    /// Lies about the run or module of this name from its next start on.
    pub fn lie(&self, name: &str, lie: Lie) {
        self.state().lies.insert(name.to_owned(), lie);
    }

    /// Keeps the rules for the run or module of this name again, from its next start on.
    pub fn be_honest(&self, name: &str) {
        self.state().lies.remove(name);
    }

    /// Returns the calls that were counted.
    pub fn calls(&self) -> &HostCalls {
        &self.calls
    }

    /// Returns what really runs, in order.
    pub fn running(&self) -> Vec<HostedSubject> {
        self.state().running.keys().cloned().collect()
    }

    /// Returns what starts were asked for, in order, those that failed included.
    pub fn launches(&self) -> Vec<Launch> {
        self.state().launches.clone()
    }

    /// Ends what runs under this name. Returns false when nothing does.
    pub fn end(&self, name: &str, end: &IncarnationEnd) -> bool {
        let mut state = self.state();
        let found = state.running.keys().find(|it| it.name() == name).cloned();
        found.is_some_and(|subject| state.end(&subject, end.clone()))
    }

    /// Prints the first line of what runs under this name. Returns false when nothing does, or has.
    pub fn print(&self, name: &str) -> bool {
        let mut state = self.state();
        let found = state.running.iter_mut().find(|(it, _)| it.name() == name);
        let line = found.and_then(|(_, switches)| switches.line.take());
        line.is_some_and(|line| line.send(()).is_ok())
    }

    fn state(&self) -> MutexGuard<'_, HostState> {
        // Each change is one step, so that the state is whole whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running_of(&self, subject: &HostedSubject, switches: &Switches) -> LyingRunning {
        LyingRunning {
            host: self.clone(),
            subject: subject.clone(),
            lie: None,
            ready: ReadyWhen::None,
            ended: switches.ended.clone(),
            printed: switches.printed.clone(),
            has_ended_once: false,
        }
    }
}

impl HostState {
    fn end(&mut self, subject: &HostedSubject, end: IncarnationEnd) -> bool {
        let ended = self.running.remove(subject).and_then(|it| it.end);
        ended.is_some_and(|ended| ended.send(end).is_ok())
    }

    /// Takes one failing start of what lies so.
    fn fails_to_start(&mut self, name: &str) -> bool {
        match self.lies.get_mut(name) {
            Some(Lie::FailsToStart(left)) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[async_trait]
impl MemberHost for LyingHost {
    fn id(&self) -> &HostId {
        &self.id
    }

    fn check(&self, value: &HostValue) -> Result<(), HostRefusal> {
        if value.get("refuse").is_some() {
            return Err(HostRefusal("this value is refused".to_owned()));
        }
        Ok(())
    }

    async fn start(&self, launch: Launch) -> Result<Box<dyn Running>, HostFault> {
        let (subject, ready) = (launch.subject.clone(), launch.ready);
        self.calls.note(format!("start {}", subject.name())).await;
        self.check(&launch.value)?;
        let lie = self.state().lies.get(subject.name()).copied();
        self.state().launches.push(launch);
        if lie == Some(Lie::HangsInStart) {
            future::pending::<()>().await;
        }
        let mut state = self.state();
        if state.fails_to_start(subject.name()) {
            return Err(HostFault::System("it is told to fail".to_owned()));
        }
        if state.running.contains_key(&subject) {
            return Err(HostFault::RunsAlready(subject));
        }
        let switches = Switches::new();
        let running = LyingRunning {
            lie,
            ready,
            ..self.running_of(&subject, &switches)
        };
        if lie != Some(Lie::SaysStarted) {
            state.running.insert(subject, switches);
        }
        Ok(Box::new(running))
    }

    async fn recover(&self, pool: &PoolId) -> Result<Vec<RecoveredIncarnation>, HostFault> {
        self.calls.note(format!("recover {pool}")).await;
        let state = self.state();
        let found = state.running.iter().filter(|(it, _)| it.pool() == pool);
        let recovered = found.map(|(subject, switches)| RecoveredIncarnation {
            subject: subject.clone(),
            running: Box::new(self.running_of(subject, switches)),
        });
        Ok(recovered.collect())
    }
}

/// The handle of what such a host says to have started.
#[derive(Debug)]
struct LyingRunning {
    host: LyingHost,
    subject: HostedSubject,
    lie: Option<Lie>,
    ready: ReadyWhen,
    ended: Shared<oneshot::Receiver<IncarnationEnd>>,
    printed: Shared<oneshot::Receiver<()>>,
    has_ended_once: bool,
}

impl LyingRunning {
    async fn end_by(&mut self, end: IncarnationEnd, call: &str) -> Result<bool, HostFault> {
        let call = format!("{call} {}", self.subject.name());
        self.host.calls.note(call).await;
        if self.lie == Some(Lie::NeverEnds) {
            let name = self.subject.name();
            return Err(HostFault::System(format!("{name} does not end")));
        }
        Ok(self.host.state().end(&self.subject, end))
    }
}

#[async_trait]
impl Running for LyingRunning {
    fn process_id(&self) -> Option<u32> {
        None
    }

    async fn ready(&mut self) -> Result<(), HostFault> {
        if self.lie == Some(Lie::NeverReady) {
            future::pending::<()>().await;
        }
        if self.ready != ReadyWhen::Line {
            return Ok(());
        }
        match future::select(self.printed.clone(), self.ended.clone()).await {
            future::Either::Left((Ok(()), _)) => Ok(()),
            future::Either::Left((Err(_), _)) | future::Either::Right(_) => {
                Err(HostFault::EndedEarly(self.ended().await))
            }
        }
    }

    async fn ended(&mut self) -> IncarnationEnd {
        if self.lie == Some(Lie::NeverEnds) {
            future::pending::<()>().await;
        }
        let ended = self.ended.clone().await;
        match (self.lie, self.has_ended_once) {
            (Some(Lie::EndsTwice), true) => return IncarnationEnd::ExitCode(1),
            (Some(Lie::EndsTwice), false) => {
                self.has_ended_once = true;
                return IncarnationEnd::Succeeded;
            }
            (Some(_) | None, _) => {}
        }
        ended.unwrap_or_else(|_| IncarnationEnd::Failed("it never ran".to_owned()))
    }

    async fn stop(&mut self, _: Duration) -> Result<StoppedIncarnation, HostFault> {
        let ran = self.end_by(IncarnationEnd::Signal(15), "stop").await?;
        Ok(StoppedIncarnation {
            end: self.ended().await,
            means: if ran {
                StopMeans::Asked
            } else {
                StopMeans::None
            },
        })
    }

    async fn kill(&mut self) -> Result<IncarnationEnd, HostFault> {
        self.end_by(IncarnationEnd::Signal(9), "kill").await?;
        Ok(self.ended().await)
    }
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, poll};
    use heronry_host::{HostEnvironment, Incarnation, SpecEnvironment};
    use heronry_types::{AgentId, Generation, Position, RunId};

    use super::*;

    fn launch() -> Launch {
        Launch {
            subject: HostedSubject::Member(Incarnation {
                pool: PoolId::parse("p").unwrap(),
                run: RunId::parse("r").unwrap(),
                agent: AgentId::parse("a").unwrap(),
                generation: Generation(Position(1)),
            }),
            value: HostValue::Null,
            variables: SpecEnvironment::new(),
            environment: HostEnvironment::default(),
            ready: ReadyWhen::Line,
        }
    }

    fn lying(lie: Option<Lie>) -> LyingHost {
        let host = LyingHost::new(HostId::parse("fake").unwrap());
        if let Some(lie) = lie {
            host.lie("r", lie);
        }
        host
    }

    #[test]
    fn what_does_not_lie_is_moved_by_the_test_alone() {
        block_on(async {
            let host = lying(None);
            let mut running = host.start(launch()).await.unwrap();
            assert!(poll!(running.ready()).is_pending());
            assert!(host.print("r"));
            running.ready().await.unwrap();
            let twice = host.start(launch()).await.err();
            assert_eq!(twice, Some(HostFault::RunsAlready(launch().subject)));
            let pool = PoolId::parse("p").unwrap();
            assert_eq!(host.clone().recover(&pool).await.unwrap().len(), 1);
            assert!(host.end("r", &IncarnationEnd::ExitCode(7)));
            assert_eq!(running.ended().await, IncarnationEnd::ExitCode(7));
            let stopped = running.stop(Duration::ZERO).await.unwrap();
            assert_eq!(stopped.means, StopMeans::None);
            assert_eq!(host.running(), []);
            let expected = ["start r", "start r", "recover p", "stop r"];
            assert_eq!(host.calls().made(), expected);
        });
    }

    #[test]
    fn every_lie_is_one() {
        block_on(async {
            let host = lying(Some(Lie::HangsInStart));
            assert!(poll!(host.start(launch())).is_pending());
            let host = lying(Some(Lie::FailsToStart(1)));
            assert!(host.start(launch()).await.is_err());
            assert!(host.start(launch()).await.is_ok());

            let host = lying(Some(Lie::SaysStarted));
            let mut running = host.start(launch()).await.unwrap();
            assert_eq!(host.running(), []);
            assert!(!running.ended().await.is_success());

            let host = lying(Some(Lie::NeverReady));
            let mut running = host.start(launch()).await.unwrap();
            host.print("r");
            assert!(poll!(running.ready()).is_pending());

            let host = lying(Some(Lie::EndsTwice));
            let mut running = host.start(launch()).await.unwrap();
            host.end("r", &IncarnationEnd::ExitCode(3));
            let ends = [running.ended().await, running.ended().await];
            let expected = [IncarnationEnd::Succeeded, IncarnationEnd::ExitCode(1)];
            assert_eq!(ends, expected);

            let host = lying(Some(Lie::NeverEnds));
            let mut running = host.start(launch()).await.unwrap();
            assert!(running.kill().await.is_err());
            assert!(running.stop(Duration::ZERO).await.is_err());
            assert!(poll!(running.ended()).is_pending());
        });
    }

    #[test]
    fn from_the_call_at_which_its_caller_dies_nothing_answers() {
        block_on(async {
            let host = lying(None);
            host.calls().kill_at(2);
            let mut running = host.start(launch()).await.unwrap();
            assert!(poll!(Box::pin(host.calls().killed())).is_pending());
            assert!(poll!(running.kill()).is_pending());
            host.calls().killed().await;
            let pool = PoolId::parse("p").unwrap();
            assert!(poll!(host.recover(&pool)).is_pending());
            assert_eq!(host.calls().count(), 3);
            assert_eq!(host.running(), [launch().subject]);
        });
    }
}
