//! The runtime: which pools of a store are open in this process.

mod delete;
mod issuing;
mod options;

use std::{collections::HashMap, fmt, sync::Arc};

use heronry_pool::{
    Minter,
    decide::{CreatePool, How},
};
use heronry_store::{Clock, CommitOutcome, IdSource, Store, StoreError};
use heronry_transfer::{Bodies, Export, TransferError};
use heronry_types::{Durability, PoolId, PoolSpec};
use secrecy::{ExposeSecret, SecretBox};
use tokio::sync::Mutex;

pub use options::{RuntimeOptions, SNAPSHOT_EVERY};

use crate::{
    CallError, OpenError, Pool, PoolOpening, ResumeHook, SideWork, StopReason, StoppedExport,
    actor::{Opening, StoppedActor},
    bulk::Bulk,
    events::TailSize,
    export::Exports,
    keeping::Retaining,
    openings::PoolOpenings,
    pool::BodyPermits,
    queue::Queue,
    resume,
    tokens::TokenKey,
    waiters::Waiters,
};

/// The parts that a runtime works with.
pub(crate) struct Environment {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) minter: Minter,
    token_key: TokenKey,
    spec_key: SecretBox<[u8; 32]>,
    pub(crate) owner: String,
    resume_hook: Option<Arc<dyn ResumeHook>>,
    /// The number of finished messages of a pool that stay in memory.
    pub(crate) finished_kept: usize,
    /// The most alternatives and wakes that one slice of matching looks at before other work goes
    /// on.
    pub(crate) matching_slice: usize,
    /// The pools that are being opened.
    pub(crate) openings: Arc<PoolOpenings>,
    pub(crate) side_work: SideWork,
    /// Folds journals for snapshots and trims, one at a time and behind everything else.
    pub(crate) background: SideWork,
    /// The number of records of a pool after which a snapshot of it is taken.
    pub(crate) snapshot_every: u64,
    /// The size of the part of a pool's events that readers near the head share.
    pub(crate) tail_size: TailSize,
    /// Stores large bodies, one at a time.
    pub(crate) body_permits: BodyPermits,
    /// The pace of what others would wait for.
    pub(crate) bulk: Arc<Bulk>,
}

/// The pools of one store that are open in this process. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    environment: Arc<Environment>,
    open: Arc<Mutex<HashMap<PoolId, PoolSlot>>>,
}

/// A pool that was created, or opened with a specification.
#[derive(Clone, Debug)]
pub struct OpenedPool {
    /// The handle of the pool.
    pub pool: Pool,
    /// The way in which it came: written, or there before.
    pub how: How,
}

/// The exports of a pool that was shut down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PoolExports {
    /// The pool.
    pub pool: PoolId,
    /// The exports, with their figures.
    pub exports: Vec<StoppedExport>,
}

/// The treatment of a pool that is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    /// A missing pool is made ready to be created.
    Made,
    /// A missing pool is an error.
    There,
}

/// The slot of one pool that runs or is about to; locked while the pool is opened.
type PoolSlot = Arc<Mutex<Option<RunningPool>>>;

struct RunningPool {
    pool: Pool,
    task: tokio::task::JoinHandle<StoppedActor>,
    hook: Option<tokio::task::JoinHandle<()>>,
    /// Trims the pool in the background, until this is dropped.
    _retaining: Retaining,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runtime({:?})", self.environment.store)
    }
}

impl Runtime {
    /// Returns a runtime over a store, with no pool open.
    ///
    /// One process makes one runtime for a store: two of them take the pools from each other.
    ///
    /// # Panics
    /// Panics outside a tokio runtime with timers, unless the options name a clock.
    pub fn new(store: Store, options: RuntimeOptions) -> Self {
        Self {
            environment: Arc::new(options.environment(store)),
            open: Arc::default(),
        }
    }

    /// Returns the side work of this runtime, for work that takes time and needs no pool.
    pub fn side_work(&self) -> &SideWork {
        &self.environment.side_work
    }

    /// Creates a pool, or opens it and checks that it is as `spec` names it.
    ///
    /// # Errors
    /// [`OpenError`]; a configuration that differs is a rejection inside it, and nothing is changed.
    pub async fn open(&self, pool: &PoolId, spec: PoolSpec) -> Result<OpenedPool, OpenError> {
        let pool = self.running(pool, Wanted::Made).await?;
        let how = pool.call(CreatePool { spec }).await?;
        Ok(OpenedPool { pool, how })
    }

    /// Opens a pool that exists.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] when the store has no such pool.
    pub async fn find(&self, pool: &PoolId) -> Result<Pool, OpenError> {
        if self.environment.store.journal.head(pool).await?.is_none() {
            return Err(OpenError::NotFound);
        }
        self.running(pool, Wanted::There).await
    }

    /// Returns the number of pools that have a place in the memory of this process: pools that are
    /// open, are being opened, or were open before.
    pub async fn open_pools(&self) -> u64 {
        self.open.lock().await.len() as u64
    }

    /// Returns the pools that are being opened, by name, with the part of its journal that is folded.
    pub fn openings(&self) -> Vec<PoolOpening> {
        self.environment.openings.list()
    }

    /// Begins to export a pool, up to its durable head. The pool need not be open, and goes on.
    ///
    /// # Errors
    /// As [`Export::open`].
    pub async fn export(&self, pool: &PoolId, bodies: Bodies) -> Result<Export, TransferError> {
        Export::open(&self.environment.store, pool, bodies).await
    }

    /// Begins to export a pool with its bodies and consumers, up to its durable head, as a backup needs it.
    ///
    /// # Errors
    /// As [`Export::open_whole`].
    pub async fn export_whole(&self, pool: &PoolId) -> Result<Export, TransferError> {
        Export::open_whole(&self.environment.store, pool).await
    }

    /// Returns every pool of the store, sorted.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        self.environment.store.journal.pools().await
    }

    /// Waits until the store has closed for this process, and returns the error that every later
    /// call gets; [`StoreError::cause`] says why it closed. It waits for ever on a store that cannot close.
    pub async fn store_closed(&self) -> StoreError {
        self.environment.store.journal.closed().await
    }

    /// Returns the name of the store's kind, as `redb`.
    pub fn store_name(&self) -> &'static str {
        self.environment.store.journal.capabilities().name
    }

    /// Returns how safely the store keeps records.
    pub fn durability(&self) -> Durability {
        self.environment.store.journal.capabilities().durability
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.environment.clock
    }

    /// Returns the key under which secret values in specs of members are hashed. It follows from the secret of
    /// the runtime, so the same value has the same hash after a restart.
    pub fn spec_key(&self) -> [u8; 32] {
        *self.environment.spec_key.expose_secret()
    }

    /// Returns the source of fresh ids.
    pub fn ids(&self) -> &Arc<dyn IdSource> {
        &self.environment.ids
    }

    /// Stops the exports of every open pool, which deliver what was recorded before, finishes the
    /// accepted commands of the pools, gives them up, and returns when that is done. Returns the figures
    /// of the exports.
    pub async fn shutdown(&self) -> Vec<PoolExports> {
        let slots: Vec<PoolSlot> = self
            .open
            .lock()
            .await
            .drain()
            .map(|(_, slot)| slot)
            .collect();
        let mut stopping = Vec::with_capacity(slots.len());
        for slot in slots {
            stopping.extend(slot.lock().await.take());
        }
        let exports = stopping.iter().map(|running| async {
            PoolExports {
                pool: running.pool.id().clone(),
                exports: running.pool.shared().exports.stop().await,
            }
        });
        let exports = futures::future::join_all(exports).await;
        for running in &stopping {
            running.pool.close(StopReason::Shutdown);
        }
        for running in stopping {
            stopped(running).await;
        }
        exports
            .into_iter()
            .filter(|it| !it.exports.is_empty())
            .collect()
    }

    /// Returns the open pool, or opens it. A pool that takes long to open delays no other.
    async fn running(&self, pool: &PoolId, wanted: Wanted) -> Result<Pool, OpenError> {
        let slot = self.slot(pool).await;
        let mut slot = slot.lock().await;
        self.running_in(&mut slot, pool, wanted).await
    }

    async fn slot(&self, pool: &PoolId) -> PoolSlot {
        Arc::clone(self.open.lock().await.entry(pool.clone()).or_default())
    }

    async fn running_in(
        &self,
        slot: &mut Option<RunningPool>,
        pool: &PoolId,
        wanted: Wanted,
    ) -> Result<Pool, OpenError> {
        if let Some(running) = slot.take() {
            let handle = running.pool.clone();
            if !handle.is_closed() && !running.task.is_finished() {
                *slot = Some(running);
                return Ok(handle);
            }
            // It is stopping: what follows needs what it holds.
            stopped(running).await;
        }
        // It may have been deleted while this waited.
        if wanted == Wanted::There && self.environment.store.journal.head(pool).await?.is_none() {
            return Err(OpenError::NotFound);
        }
        let running = self.start(pool).await?;
        let handle = running.pool.clone();
        *slot = Some(running);
        Ok(handle)
    }

    async fn start(&self, pool: &PoolId) -> Result<RunningPool, OpenError> {
        let (queue, waiters) = (Arc::new(Queue::new()), Arc::new(Waiters::default()));
        let opening = Opening::open(
            &self.environment,
            pool,
            Arc::clone(&queue),
            Arc::clone(&waiters),
        );
        let opening = Box::pin(opening).await?;
        let environment = Arc::clone(&self.environment);
        let (attending, waiting) = (Arc::clone(&queue), Arc::clone(&waiters));
        let retaining = Retaining::begin(
            pool,
            &self.environment.clock,
            opening.published.retention(),
            opening.keep.clone(),
        );
        let handle = Pool::new(environment, pool.clone(), queue, waiters, &opening);
        let attended = Attended {
            queue: attending,
            waiters: waiting,
            exports: Arc::clone(&handle.shared().exports),
        };
        let task = tokio::spawn(async move {
            let _attended = attended;
            Box::pin(opening.actor.run()).await
        });
        let hook = self.environment.resume_hook.as_ref();
        let hook = hook.map(|hook| tokio::spawn(resume::tell(handle.clone(), Arc::clone(hook))));
        Ok(RunningPool {
            pool: handle,
            task,
            hook,
            _retaining: retaining,
        })
    }
}

/// Stands for the actor of a pool: when it is gone, even by a panic, nobody waits for it any more, and
/// no export keeps the pool.
struct Attended {
    queue: Arc<Queue>,
    waiters: Arc<Waiters>,
    exports: Arc<Exports>,
}

impl Drop for Attended {
    fn drop(&mut self) {
        let (outcome, why) = (CommitOutcome::None, StopReason::Internal);
        for job in self.queue.shut(why) {
            job.refuse(CallError::Stopped { outcome, why });
        }
        self.waiters.wake_all();
        self.exports.end();
    }
}

/// Waits until the actor of a pool has stopped, what tells the resume hook of its wakes, and its exports.
/// Returns how the actor ended; nothing when it did not end cleanly.
async fn stopped(running: RunningPool) -> Option<StoppedActor> {
    let ended = cleanly(running.task.await);
    running.pool.shared().exports.ended().await;
    if let Some(hook) = running.hook {
        cleanly(hook.await);
    }
    ended
}

fn cleanly<T>(ended: Result<T, tokio::task::JoinError>) -> Option<T> {
    match ended {
        Ok(ended) => Some(ended),
        Err(error) => {
            tracing::error!(%error, "a pool did not stop cleanly");
            None
        }
    }
}
