//! A host whose members are futures in this process.

use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt;
use heronry_host::{
    HostFault, HostRefusal, HostValue, HostedSubject, IncarnationEnd, Launch, MemberHost,
    RecoveredIncarnation, Running, StopMeans, StoppedIncarnation,
};
use heronry_store::Clock;
use heronry_types::{HostId, PoolId};
use tokio::sync::watch;

use crate::start::after;

/// The things that a task is started with.
pub struct TaskStart {
    /// The launch: who it is, its value and its environment.
    pub launch: Launch,
    /// The token by which it learns that it is to end.
    pub cancel: TaskCancel,
    /// The sign that it is ready, for tasks that give one.
    pub ready: TaskReady,
}

impl fmt::Debug for TaskStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStart")
            .field("subject", &self.launch.subject)
            .finish_non_exhaustive()
    }
}

/// The token by which a task learns that it is to end.
#[derive(Clone, Debug)]
pub struct TaskCancel(watch::Receiver<bool>);

impl TaskCancel {
    /// Waits until the task is to end.
    pub async fn cancelled(&self) {
        let mut asked = self.0.clone();
        // Without anybody who has the task, it is to end as well.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Returns true when the task is to end.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }
}

/// The sign that a task is ready.
#[derive(Clone, Debug)]
pub struct TaskReady(Arc<watch::Sender<bool>>);

impl TaskReady {
    /// Says that the task is ready.
    pub fn ready(&self) {
        self.0.send_replace(true);
    }
}

/// The future of a task, and how it ends.
pub type TaskFuture = Pin<Box<dyn Future<Output = IncarnationEnd> + Send>>;

/// Makes the future of a task.
pub trait TaskBody: Send + Sync {
    /// Checks the value of a spec.
    ///
    /// # Errors
    /// [`HostRefusal`] for a value that names no task.
    fn check(&self, value: &HostValue) -> Result<(), HostRefusal>;

    /// Returns the future of a task.
    fn run(&self, start: TaskStart) -> TaskFuture;
}

impl<F: Fn(TaskStart) -> TaskFuture + Send + Sync> TaskBody for F {
    fn check(&self, _: &HostValue) -> Result<(), HostRefusal> {
        Ok(())
    }

    fn run(&self, start: TaskStart) -> TaskFuture {
        self(start)
    }
}

/// A host whose members are futures: each runs as a task with a cancellation token, and a panic is an end.
///
/// A task lives as long as somebody has its handle.
pub struct TaskHost {
    id: HostId,
    body: Arc<dyn TaskBody>,
    clock: Arc<dyn Clock>,
    tasks: Mutex<HashMap<HostedSubject, Weak<HostedTask>>>,
}

impl fmt::Debug for TaskHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskHost({})", self.id)
    }
}

impl TaskHost {
    /// Returns a host of this name whose tasks have this body. Graces are measured by the clock.
    pub fn new(id: HostId, body: Arc<dyn TaskBody>, clock: Arc<dyn Clock>) -> Self {
        Self {
            id,
            body,
            clock,
            tasks: Mutex::default(),
        }
    }

    /// The table stays whole under a panic: each change is one insertion or removal.
    fn tasks<T>(
        &self,
        change: impl FnOnce(&mut HashMap<HostedSubject, Weak<HostedTask>>) -> T,
    ) -> T {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut tasks)
    }

    fn handle(&self, task: Arc<HostedTask>) -> Box<dyn Running> {
        Box::new(TaskHandle {
            ended: task.ended.clone(),
            ready: task.ready.clone(),
            task,
            clock: Arc::clone(&self.clock),
        })
    }
}

/// A task that runs. When the last handle of it is dropped, it is aborted.
struct HostedTask {
    cancel: watch::Sender<bool>,
    ended: watch::Receiver<Option<IncarnationEnd>>,
    ready: watch::Receiver<bool>,
    abort: tokio::task::AbortHandle,
}

impl Drop for HostedTask {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

#[async_trait]
impl MemberHost for TaskHost {
    fn id(&self) -> &HostId {
        &self.id
    }

    fn check(&self, value: &HostValue) -> Result<(), HostRefusal> {
        self.body.check(value)
    }

    async fn start(&self, launch: Launch) -> Result<Box<dyn Running>, HostFault> {
        let subject = launch.subject.clone();
        let runs = |task: &Arc<HostedTask>| task.ended.borrow().is_none();
        let known = self.tasks(|tasks| tasks.get(&subject).and_then(Weak::upgrade));
        if known.as_ref().is_some_and(runs) {
            return Err(HostFault::RunsAlready(subject));
        }
        let (cancel, cancelled) = watch::channel(false);
        let is_ready = launch.ready != heronry_types::ReadyWhen::Line;
        let (ready_sign, ready) = watch::channel(is_ready);
        let (end, ended) = watch::channel(None);
        let start = TaskStart {
            launch,
            cancel: TaskCancel(cancelled),
            ready: TaskReady(Arc::new(ready_sign)),
        };
        let body = Arc::clone(&self.body);
        let work = async move { body.run(start).await };
        let task = tokio::spawn(std::panic::AssertUnwindSafe(work).catch_unwind());
        let abort = task.abort_handle();
        tokio::spawn(async move {
            let ended = match task.await {
                Ok(Ok(ended)) => ended,
                Ok(Err(panic)) => IncarnationEnd::Failed(panic_text(panic.as_ref())),
                Err(_) => IncarnationEnd::Signal(KILLED),
            };
            end.send_replace(Some(ended));
        });
        let task = Arc::new(HostedTask {
            cancel,
            ended,
            ready,
            abort,
        });
        self.tasks(|tasks| {
            tasks.retain(|_, task| task.strong_count() > 0);
            tasks.insert(subject, Arc::downgrade(&task));
        });
        Ok(self.handle(task))
    }

    async fn recover(&self, pool: &PoolId) -> Result<Vec<RecoveredIncarnation>, HostFault> {
        let known: Vec<_> = self.tasks(|tasks| {
            let of_pool = tasks.iter().filter(|(subject, _)| subject.pool() == pool);
            let alive =
                of_pool.filter_map(|(subject, task)| Some((subject.clone(), task.upgrade()?)));
            alive
                .filter(|(_, task)| task.ended.borrow().is_none())
                .collect()
        });
        let found = known
            .into_iter()
            .map(|(subject, task)| RecoveredIncarnation {
                subject,
                running: self.handle(task),
            });
        Ok(found.collect())
    }
}

/// The number of the signal that a task which was aborted ended by: that of a kill.
const KILLED: i32 = 9;

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    match text {
        Some(text) => format!("it panicked: {text}"),
        None => "it panicked".to_owned(),
    }
}

/// A handle of a task.
struct TaskHandle {
    task: Arc<HostedTask>,
    ended: watch::Receiver<Option<IncarnationEnd>>,
    ready: watch::Receiver<bool>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Running for TaskHandle {
    fn process_id(&self) -> Option<u32> {
        None
    }

    async fn ready(&mut self) -> Result<(), HostFault> {
        let mut ready = self.ready.clone();
        tokio::select! {
            biased;
            Ok(_) = ready.wait_for(|ready| *ready) => Ok(()),
            end = self.ended() => Err(HostFault::EndedEarly(end)),
        }
    }

    async fn ended(&mut self) -> IncarnationEnd {
        match self.ended.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(IncarnationEnd::Signal(KILLED)),
            Err(_) => IncarnationEnd::Signal(KILLED),
        }
    }

    async fn stop(&mut self, grace: Duration) -> Result<StoppedIncarnation, HostFault> {
        let ended = self.ended.borrow().clone();
        if let Some(end) = ended {
            let means = StopMeans::None;
            return Ok(StoppedIncarnation { end, means });
        }
        self.task.cancel.send_replace(true);
        let over = self.clock.alarm(after(self.clock.now().monotonic, grace));
        tokio::select! {
            biased;
            end = self.ended() => {
                let means = StopMeans::Asked;
                return Ok(StoppedIncarnation { end, means });
            }
            () = over => {}
        }
        let end = self.kill().await?;
        let means = StopMeans::Killed;
        Ok(StoppedIncarnation { end, means })
    }

    async fn kill(&mut self) -> Result<IncarnationEnd, HostFault> {
        self.task.abort.abort();
        Ok(self.ended().await)
    }
}
