//! The handle of a runtime that keeps a pool as it was declared.

use std::{fmt, sync::Arc};

use heronry_runtime::Pool;
use heronry_types::RunId;
use tokio::sync::{Mutex, OnceCell, mpsc, oneshot, watch};

use crate::{
    Action,
    declare::{Declared, DeclaredFaults, Layers},
    hooks::{HookError, PostReconcileHook, PostSpawnHook},
    order::{Closing, Order, OrderError, Respawn},
    parts::RuntimeParts,
    phase::RuntimePhase,
    report::{
        EdgesReport, MemberStatus, ReconcileReport, RediscoverReport, RunEndedBy, RunReport,
        ShutdownReport,
    },
    sources::Sources,
};

/// The error of a reconcile.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The runtime does not act any more.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The declaration is refused; nothing was changed.
    #[error(transparent)]
    Declared(#[from] DeclaredFaults),
    /// A source failed; nothing was changed.
    #[error(transparent)]
    Source(#[from] HookError),
    /// Something was left undone; everything else was done.
    #[error("{} of {} members are not as they are declared", .0.failures.len(), .0.desired)]
    PartialFailure(Box<ReconcileReport>),
}

/// A pool that is kept as it was declared. Cheap to clone; all clones are the same runtime.
///
/// When the last clone is dropped, what runs is asked to end; [`shutdown`](Self::shutdown) waits for it, and tells.
#[derive(Clone)]
pub struct UnifiedRuntime {
    shared: Arc<SharedRuntime>,
}

struct SharedRuntime {
    parts: Arc<RuntimeParts>,
    orders: mpsc::Sender<Order>,
    sources: Sources,
    phase: watch::Receiver<RuntimePhase>,
    done: watch::Receiver<bool>,
    bootstrap: OnceCell<ReconcileReport>,
    /// The report of the shutdown, once it is over.
    closed: Mutex<Option<ShutdownReport>>,
}

impl fmt::Debug for UnifiedRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = *self.shared.phase.borrow();
        write!(
            f,
            "UnifiedRuntime({}, {phase})",
            self.shared.parts.pool.id()
        )
    }
}

impl UnifiedRuntime {
    pub(crate) fn new(
        parts: Arc<RuntimeParts>,
        orders: mpsc::Sender<Order>,
        sources: Sources,
        phase: watch::Receiver<RuntimePhase>,
        done: watch::Receiver<bool>,
    ) -> Self {
        Self {
            shared: Arc::new(SharedRuntime {
                parts,
                orders,
                sources,
                phase,
                done,
                bootstrap: OnceCell::new(),
                closed: Mutex::default(),
            }),
        }
    }

    /// Notes the report of the first pass.
    pub(crate) async fn begun(&self, report: ReconcileReport) {
        // It is noted once.
        let _ = self.shared.bootstrap.set(report);
        // When the loop is gone, the phase says so.
        let _ = self.shared.orders.send(Order::Serve).await;
    }

    /// Returns the pool.
    pub fn pool(&self) -> &Pool {
        &self.shared.parts.pool
    }

    /// Returns the present phase.
    pub fn phase(&self) -> RuntimePhase {
        *self.shared.phase.borrow()
    }

    /// Returns the phase as it changes.
    pub fn phases(&self) -> watch::Receiver<RuntimePhase> {
        self.shared.phase.clone()
    }

    /// Returns the report of the first pass.
    pub fn bootstrap_report(&self) -> ReconcileReport {
        self.shared.bootstrap.get().cloned().unwrap_or_default()
    }

    /// Returns what became of the edges in the first pass.
    pub fn bootstrap_edges_report(&self) -> EdgesReport {
        self.bootstrap_report().edges
    }

    /// Sets the hook behind a pass that started something. It is used from the next pass on.
    pub fn set_post_spawn(&self, hook: Arc<dyn PostSpawnHook>) {
        self.shared.parts.hooks.set_post_spawn(hook);
    }

    /// Sets the hook behind each pass. It is used from the next pass on.
    pub fn set_post_reconcile(&self, hook: Arc<dyn PostReconcileHook>) {
        self.shared.parts.hooks.set_post_reconcile(hook);
    }

    /// Brings the pool to its roster, as it is known.
    ///
    /// # Errors
    /// [`ReconcileError::PartialFailure`] with the whole report when something was left undone.
    pub async fn reconcile(&self) -> Result<ReconcileReport, ReconcileError> {
        let report = self.pass(None, Respawn::Changed).await?;
        whole(report)
    }

    /// Declares the first layer anew, asks the sources again, and applies the difference. What is equal is not
    /// restarted.
    ///
    /// # Errors
    /// [`ReconcileError`]; unless it is partial, nothing was changed.
    pub async fn refresh_topology(
        &self,
        declared: Declared,
    ) -> Result<ReconcileReport, ReconcileError> {
        let mut layers = self.layers().await?;
        layers.declared = declared;
        let layers = self.asked(layers).await?;
        let report = self.pass(Some(layers), Respawn::Changed).await?;
        whole(report)
    }

    /// Asks the sources again, and restarts every member. On an error of a source nothing is changed.
    ///
    /// # Errors
    /// [`ReconcileError`]; unless it is partial, nothing was changed.
    pub async fn rediscover(&self) -> Result<RediscoverReport, ReconcileError> {
        let layers = self.layers().await?;
        let layers = self.asked(layers).await?;
        let discovered = layers.discovered.len() as u64;
        let found_twice = layers.effective(&self.shared.parts.key).found_twice;
        let reconcile = whole(self.pass(Some(layers), Respawn::All).await?)?;
        Ok(RediscoverReport {
            discovered,
            found_twice,
            reconcile,
        })
    }

    /// Returns the actions that bring the pool to a declaration, or to the roster as it is known. Nothing is done.
    ///
    /// # Errors
    /// [`ReconcileError`] when the declaration is refused, or the runtime has stopped.
    pub async fn plan(&self, declared: Option<Declared>) -> Result<Vec<Action>, ReconcileError> {
        let layers = match declared {
            None => None,
            Some(declared) => {
                declared.check_hosts(&self.shared.parts.hosts)?;
                let mut layers = self.layers().await?;
                layers.declared = declared;
                Some(Box::new(layers))
            }
        };
        Ok(self.order(|reply| Order::Plan { layers, reply }).await?)
    }

    /// Starts a member, also one that sleeps, was stopped or is broken. One that runs goes on.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn start_member(&self, run: &RunId) -> Result<(), OrderError> {
        let run = run.clone();
        self.order(|reply| Order::Start { run, reply }).await
    }

    /// Stops a member. It stays a member without a process, until it is started, there is a cause for one that
    /// sleeps, or the roster changes.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn stop_member(&self, run: &RunId) -> Result<(), OrderError> {
        let run = run.clone();
        self.order(|reply| Order::Stop { run, reply }).await
    }

    /// Returns the members of the roster as they stand, in order of their runs.
    ///
    /// # Errors
    /// [`OrderError`] when the runtime has stopped.
    pub async fn standings(&self) -> Result<Vec<MemberStatus>, OrderError> {
        self.order(|reply| Order::Standings { reply }).await
    }

    /// Keeps the pool until every member that is waited for has ended, or until `until` completes; then stops
    /// everything.
    ///
    /// A roster without a member of `until = exited` is kept until `until` completes.
    pub async fn run(&self, until: impl Future<Output = ()>) -> RunReport {
        let mut done = self.shared.done.clone();
        let mut phase = self.shared.phase.clone();
        let ended_by = tokio::select! {
            biased;
            Ok(_) = done.wait_for(|done| *done) => RunEndedBy::Done,
            Ok(_) = phase.wait_for(|phase| *phase == RuntimePhase::Fenced) => RunEndedBy::Fenced,
            () = until => RunEndedBy::Asked,
        };
        let closing = match ended_by {
            RunEndedBy::Done => Closing::Done,
            RunEndedBy::Asked | RunEndedBy::Fenced => Closing::Interrupted,
        };
        let shutdown = self.close(closing).await;
        RunReport {
            ended_by,
            members: shutdown.standings.clone(),
            shutdown,
        }
    }

    /// Stops everything, in order: members, then modules; then gives the stewardship back. No run ends by it. A
    /// second call answers the same.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.close(Closing::Interrupted).await
    }

    /// Stops everything at once: what runs is killed. It also cuts short a shutdown that is under way.
    pub async fn kill(&self) -> ShutdownReport {
        self.close(Closing::AtOnce).await
    }

    async fn close(&self, closing: Closing) -> ShutdownReport {
        let (reply, answer) = oneshot::channel();
        let order = Order::Close { closing, reply };
        if self.shared.orders.send(order).await.is_ok()
            && let Ok(report) = answer.await
        {
            let mut closed = self.shared.closed.lock().await;
            return closed.get_or_insert(report).clone();
        }
        // The loop is gone: an earlier call has the report, and is about to note it.
        let closed = self.shared.closed.lock().await;
        closed.clone().unwrap_or_default()
    }

    pub(crate) async fn pass(
        &self,
        layers: Option<Layers>,
        respawn: Respawn,
    ) -> Result<ReconcileReport, OrderError> {
        let layers = layers.map(Box::new);
        let order = |reply| Order::Reconcile {
            layers,
            respawn,
            reply,
        };
        self.order(order).await
    }

    async fn layers(&self) -> Result<Layers, OrderError> {
        self.order(|reply| Order::Layers { reply }).await
    }

    /// Checks layers, after the sources were asked for theirs.
    async fn asked(&self, mut layers: Layers) -> Result<Layers, ReconcileError> {
        let hosts = &self.shared.parts.hosts;
        layers.declared.check_hosts(hosts)?;
        let sources = &self.shared.sources;
        sources.ask(&sources.context, &mut layers).await?;
        layers.check_discovered(hosts)?;
        Ok(layers)
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, OrderError>>) -> Order,
    ) -> Result<T, OrderError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.shared.orders.send(order(reply)).await;
        sent.map_err(|_| OrderError::Stopped)?;
        answer.await.unwrap_or(Err(OrderError::Stopped))
    }
}

fn whole(report: ReconcileReport) -> Result<ReconcileReport, ReconcileError> {
    if report.is_complete() {
        Ok(report)
    } else {
        Err(ReconcileError::PartialFailure(Box::new(report)))
    }
}
