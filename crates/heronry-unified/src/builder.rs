//! Building a runtime: every option is checked before anything is done.

mod outlook;

use std::sync::Arc;

use heronry_host::{HostFault, MemberAccess, MemberHost, RecoveredIncarnation};
use heronry_pool::decide::{OnHeld, ReleaseSteward, TakeSteward};
use heronry_runtime::{CallError, OpenError, Runtime};
use heronry_types::{HostId, InstanceId, PoolId};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::{
    declare::{Declared, DeclaredFaults, DigestKey, Layers},
    hooks::{
        Discovery, EdgeDiscovery, HookError, Hooks, PostReconcileHook, PostSpawnHook,
        PreSpawnContext, PreSpawnHook,
    },
    keeper::{Keeper, KeeperStart, Signs},
    notice::{Notice, Notices, Observer},
    order::{Order, OrderError, Respawn},
    parts::{Hosts, RuntimeParts},
    phase::RuntimePhase,
    reading,
    runtime::UnifiedRuntime,
    sources::Sources,
    watching,
};

/// The default of the most starts at once.
pub const CONCURRENCY: usize = 4;
/// The most starts at once that may be asked for.
pub const CONCURRENCY_MAX: usize = 16;
/// The most orders that wait for the loop; whoever orders more waits.
const ORDERS_WAITING: usize = 64;

/// A conflict between options, or one of them by itself.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildConflict {
    /// The number of starts at once is out of its range.
    #[error("{0} starts at once were asked for; give 1 to {CONCURRENCY_MAX}")]
    Concurrency(usize),
    /// Two hosts have the same name.
    #[error("two hosts are called {name:?}; give each its own name", name = .0.as_str())]
    HostTwice(HostId),
    /// The declaration does not fit the hosts.
    #[error(transparent)]
    Declared(DeclaredFaults),
}

/// The fault for which a runtime was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildFault {
    /// Options conflict; nothing was done.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Conflicts(Vec<BuildConflict>),
    /// The pool cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The pool refused a command, or has stopped.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It cannot be told what runs from earlier, or it could not be stopped.
    #[error("host {host}: {fault}")]
    Host {
        /// The host.
        host: HostId,
        /// The fault.
        #[source]
        fault: HostFault,
    },
    /// A hook or a source failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The first reconcile did not take place.
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// The error of building a runtime. What was begun was ended again.
#[derive(Debug, thiserror::Error)]
#[error("{fault} (in phase {phase}){}", and_shutdown(.shutdown.as_ref()))]
pub struct BuildError {
    /// The phase that failed.
    pub phase: RuntimePhase,
    /// The fault.
    #[source]
    pub fault: BuildFault,
    /// The fault of ending what was begun; `None` when that went well.
    pub shutdown: Option<CallError>,
}

fn and_shutdown(fault: Option<&CallError>) -> String {
    fault.map_or_else(String::new, |fault| {
        format!("; and what was begun could not be ended: {fault}")
    })
}

/// Builds a [`UnifiedRuntime`].
#[must_use]
pub struct UnifiedRuntimeBuilder {
    runtime: Runtime,
    pool: PoolId,
    declared: Declared,
    hosts: Vec<Arc<dyn MemberHost>>,
    access: Arc<dyn MemberAccess>,
    concurrency: usize,
    instance: Option<InstanceId>,
    on_held: OnHeld,
    pre_spawn: Option<Arc<dyn PreSpawnHook>>,
    sources: Sources,
    hooks: Hooks,
    notices: Notices,
}

impl std::fmt::Debug for UnifiedRuntimeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnifiedRuntimeBuilder({})", self.pool)
    }
}

impl UnifiedRuntimeBuilder {
    /// Returns a builder with everything that a runtime needs: an engine, the pool, which exists, what is declared,
    /// the hosts, and what makes the environment of members.
    pub fn new(
        runtime: Runtime,
        pool: PoolId,
        declared: Declared,
        hosts: Vec<Arc<dyn MemberHost>>,
        access: Arc<dyn MemberAccess>,
    ) -> Self {
        Self {
            runtime,
            pool,
            declared,
            hosts,
            access,
            concurrency: CONCURRENCY,
            instance: None,
            on_held: OnHeld::Refuse,
            pre_spawn: None,
            sources: Sources::default(),
            hooks: Hooks::default(),
            notices: Notices::default(),
        }
    }

    /// Sets the most starts at once, 1 to [`CONCURRENCY_MAX`].
    pub fn with_concurrency(mut self, starts: usize) -> Self {
        self.concurrency = starts;
        self
    }

    /// Sets the name of this steward, by which a repeat of its request is known.
    pub fn with_instance(mut self, instance: InstanceId) -> Self {
        self.instance = Some(instance);
        self
    }

    /// Sets what happens when another runtime keeps the pool: this one is refused, or takes over.
    pub fn with_on_held(mut self, on_held: OnHeld) -> Self {
        self.on_held = on_held;
        self
    }

    /// Sets the hook before the first start.
    pub fn with_pre_spawn(mut self, hook: Arc<dyn PreSpawnHook>) -> Self {
        self.pre_spawn = Some(hook);
        self
    }

    /// Sets the hook behind a pass that started something.
    pub fn with_post_spawn(self, hook: Arc<dyn PostSpawnHook>) -> Self {
        self.hooks.set_post_spawn(hook);
        self
    }

    /// Sets the hook behind each pass.
    pub fn with_post_reconcile(self, hook: Arc<dyn PostReconcileHook>) -> Self {
        self.hooks.set_post_reconcile(hook);
        self
    }

    /// Sets the source of members.
    pub fn with_discovery(mut self, source: Arc<dyn Discovery>) -> Self {
        self.sources.members = Some(source);
        self
    }

    /// Sets the source of edges.
    pub fn with_edge_discovery(mut self, source: Arc<dyn EdgeDiscovery>) -> Self {
        self.sources.edges = Some(source);
        self
    }

    /// Sets who is told what happens.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.notices = Notices(Some(observer));
        self
    }

    /// Builds the runtime: takes the stewardship, finds what runs, runs the hook, asks the sources, and brings the
    /// pool to its roster for the first time. The report of that may be partial; it stays readable.
    ///
    /// # Errors
    /// [`BuildError`]. Until the phase `open` nothing was done; what was begun later was ended again.
    pub async fn build(self) -> Result<UnifiedRuntime, BuildError> {
        let failed = |phase| {
            move |fault: BuildFault| BuildError {
                phase,
                fault,
                shutdown: None,
            }
        };
        let notices = self.notices.clone();
        let enter = |phase| notices.tell(&Notice::Phase(phase));
        enter(RuntimePhase::Validate);
        let hosts = self.check().map_err(failed(RuntimePhase::Validate))?;
        enter(RuntimePhase::Open);
        let pool = self.runtime.find(&self.pool).await;
        let pool = pool.map_err(|error| failed(RuntimePhase::Open)(error.into()))?;
        enter(RuntimePhase::Steward);
        let instance = self
            .instance
            .clone()
            .unwrap_or_else(|| fresh_instance(&self.runtime));
        let take = TakeSteward {
            instance,
            owner: pool.owner().0,
            on_held: self.on_held,
        };
        let stewardship = pool.call(take).await;
        let stewardship =
            stewardship.map_err(|error| failed(RuntimePhase::Steward)(error.into()))?;
        let parts = Arc::new(RuntimeParts {
            clock: Arc::clone(self.runtime.clock()),
            key: DigestKey::from(self.runtime.spec_key()),
            runtime: self.runtime,
            pool,
            hosts,
            access: self.access,
            steward: stewardship.token,
            starts: Arc::new(Semaphore::new(self.concurrency)),
            notices: self.notices,
            hooks: self.hooks,
        });
        let beginning = Beginning {
            parts: Arc::clone(&parts),
            declared: self.declared,
            sources: self.sources,
            pre_spawn: self.pre_spawn,
        };
        match beginning.begin(stewardship.done.cursor).await {
            Ok(runtime) => Ok(runtime),
            Err(Stumble { phase, fault }) => {
                let steward = parts.steward;
                let released = parts.pool.call(ReleaseSteward { steward }).await;
                Err(BuildError {
                    phase,
                    fault,
                    shutdown: released.err(),
                })
            }
        }
    }

    /// Checks everything that can be checked without doing anything.
    fn check(&self) -> Result<Hosts, BuildFault> {
        let mut conflicts = Vec::new();
        if self.concurrency == 0 || self.concurrency > CONCURRENCY_MAX {
            conflicts.push(BuildConflict::Concurrency(self.concurrency));
        }
        let mut hosts = Hosts::new();
        for host in &self.hosts {
            if hosts.insert(host.id().clone(), Arc::clone(host)).is_some() {
                conflicts.push(BuildConflict::HostTwice(host.id().clone()));
            }
        }
        let fitting = self.declared.check_hosts(&hosts);
        conflicts.extend(fitting.err().map(BuildConflict::Declared));
        if conflicts.is_empty() {
            Ok(hosts)
        } else {
            Err(BuildFault::Conflicts(conflicts))
        }
    }
}

/// Returns the name of a steward that no other has.
fn fresh_instance(runtime: &Runtime) -> InstanceId {
    let drawn = u128::from_be_bytes(runtime.ids().draw());
    match InstanceId::parse(format!("steward-{drawn:032x}")) {
        Ok(instance) => instance,
        Err(_) => unreachable!("hex digits and a word are an id"),
    }
}

/// The way to the loop, and where its stewardship stands.
struct Home {
    orders: mpsc::Receiver<Order>,
    way_back: mpsc::WeakSender<Order>,
    began: heronry_types::Cursor,
}

/// A fault in a phase.
struct Stumble {
    phase: RuntimePhase,
    fault: BuildFault,
}

/// A runtime that has the stewardship, and begins.
struct Beginning {
    parts: Arc<RuntimeParts>,
    declared: Declared,
    sources: Sources,
    pre_spawn: Option<Arc<dyn PreSpawnHook>>,
}

impl Beginning {
    async fn begin(self, taken: heronry_types::Cursor) -> Result<UnifiedRuntime, Stumble> {
        let at = |phase| move |fault: BuildFault| Stumble { phase, fault };
        let parts = &self.parts;
        let enter = |phase| parts.notices.tell(&Notice::Phase(phase));
        enter(RuntimePhase::Recover);
        let found = self.recover().await.map_err(at(RuntimePhase::Recover))?;
        enter(RuntimePhase::Hook);
        let context = match &self.pre_spawn {
            None => PreSpawnContext::default(),
            Some(hook) => {
                let prepared = hook.before_spawn(parts.pool.id()).await;
                prepared.map_err(|error| at(RuntimePhase::Hook)(error.into()))?
            }
        };
        enter(RuntimePhase::Discover);
        let mut layers = Layers::of(self.declared.clone());
        let discovered = self.sources.ask(&context, &mut layers).await;
        discovered.map_err(|error| at(RuntimePhase::Discover)(error.into()))?;
        let faults = layers.check_discovered(&parts.hosts);
        faults.map_err(|faults| {
            let conflicts = vec![BuildConflict::Declared(faults)];
            at(RuntimePhase::Discover)(BuildFault::Conflicts(conflicts))
        })?;
        enter(RuntimePhase::Reconcile);
        let (orders, ordered) = mpsc::channel(ORDERS_WAITING);
        let signs = Signs {
            phase: watch::Sender::new(RuntimePhase::Reconcile),
            done: watch::Sender::new(false),
        };
        let (phase, done) = (signs.phase.subscribe(), signs.done.subscribe());
        let home = Home {
            orders: ordered,
            way_back: orders.downgrade(),
            began: taken,
        };
        let start = self.read(layers, signs, home).await;
        let start = start.map_err(|error| at(RuntimePhase::Reconcile)(error.into()))?;
        let mut keeper = Keeper::new(start);
        keeper.adopt(found).await;
        tokio::spawn(keeper.keep());
        let (watched, weak) = (Arc::clone(parts), orders.downgrade());
        tokio::spawn(async move { watching::follow_stewards(&watched, taken, weak).await });
        let runtime =
            UnifiedRuntime::new(self.parts, orders, self.sources.with(context), phase, done);
        let report = runtime.pass(None, Respawn::Changed).await;
        let report = report.map_err(|error| at(RuntimePhase::Reconcile)(error.into()))?;
        runtime.begun(report).await;
        Ok(runtime)
    }

    async fn read(
        &self,
        layers: Layers,
        signs: Signs,
        home: Home,
    ) -> Result<KeeperStart, CallError> {
        let parts = Arc::clone(&self.parts);
        let roster = layers.effective(&parts.key);
        let view = reading::describe(&parts).await?;
        let members = reading::members(&parts, &view, &roster).await?;
        let is_applied = reading::is_applied(&view, &layers, &parts);
        Ok(KeeperStart {
            applied: is_applied.then(|| roster.digest()),
            revision: view.revision,
            parts,
            layers,
            roster,
            members,
            signs,
            orders: home.orders,
            home: home.way_back,
            began: home.began,
        })
    }

    /// Finds what runs from earlier.
    async fn recover(&self) -> Result<Vec<RecoveredIncarnation>, BuildFault> {
        let mut found = Vec::new();
        for (name, host) in &self.parts.hosts {
            let recovered = host.recover(self.parts.pool.id()).await;
            found.extend(recovered.map_err(|fault| BuildFault::Host {
                host: name.clone(),
                fault,
            })?);
        }
        Ok(found)
    }
}
