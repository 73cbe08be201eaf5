//! The handle of one open pool.

mod body;
mod effect;
mod explain;
mod reporting;
mod storing;
mod summary;
mod timelines;
mod under_way;
mod unread;
mod wait;

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use heronry_pool::decide::Command;
use heronry_store::{CommitOutcome, FencingToken};
use heronry_types::{Cursor, Epoch, Limits, PoolId, Position, Timelines};
use tokio::sync::watch;

use crate::{
    CallError, SideWork, StopReason,
    actor::Opening,
    consumer::{Holders, Standstill},
    events::{Ephemerals, Tail},
    export::Exports,
    figures::PoolCounts,
    job::{Call, Job},
    keeping::KeepRequests,
    published::Published,
    queue::Queue,
    runtime::Environment,
    waiters::Waiters,
};

pub use body::BodyError;
pub use effect::{EffectDone, EffectError, EffectIntent, Reconcile};
pub(crate) use storing::BodyPermits;
pub use storing::{ContentScope, StoredBody};
pub use timelines::StartedTimeline;
pub(crate) use timelines::start_of_timeline;
use under_way::UnderWay;
pub(crate) use unread::Unread;
pub use wait::ReceiptChange;

/// The handle of one open pool. Cheap to clone; all clones are the same pool.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<SharedPool>,
    /// The member for whose calls this handle is.
    unread: Option<Arc<Unread>>,
}

/// An open pool, and nothing that keeps it or its store.
pub(crate) struct WeakPool(Weak<SharedPool>);

impl WeakPool {
    /// Returns a handle, while somebody else has one.
    pub(crate) fn upgrade(&self) -> Option<Pool> {
        let shared = self.0.upgrade()?;
        Some(Pool {
            shared,
            unread: None,
        })
    }
}

pub(crate) struct SharedPool {
    pub(crate) environment: Arc<Environment>,
    pub(crate) pool: PoolId,
    /// The timelines: none starts while the pool is open.
    pub(crate) timelines: Timelines,
    pub(crate) head: watch::Receiver<Position>,
    tail: Arc<Tail>,
    ephemerals: Ephemerals,
    queue: Arc<Queue>,
    pub(crate) published: Arc<Published>,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) token: FencingToken,
    /// Takes wishes for trims and snapshots to the actor.
    pub(crate) keep: KeepRequests,
    /// The holders of its consumers in this process.
    pub(crate) holders: Arc<Holders>,
    /// Lets a trim have its last look at consumers.
    pub(crate) standstill: Standstill,
    /// The exports that run beside the pool.
    pub(crate) exports: Arc<Exports>,
    /// Held by who erases a body.
    pub(crate) erasing: tokio::sync::Mutex<()>,
    /// The bodies that are being stored by themselves.
    storing: Arc<UnderWay>,
    /// The number of commands that were handed to the queue.
    trips: AtomicU64,
}

impl SharedPool {
    /// Returns the tail, which readers near the head share.
    pub(crate) fn tail(&self) -> &Arc<Tail> {
        &self.tail
    }

    /// Returns those who see events without a record.
    pub(crate) fn ephemerals(&self) -> &Ephemerals {
        &self.ephemerals
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({:?})", self.shared.pool)
    }
}

impl Pool {
    pub(crate) fn new(
        environment: Arc<Environment>,
        pool: PoolId,
        queue: Arc<Queue>,
        waiters: Arc<Waiters>,
        opening: &Opening,
    ) -> Self {
        let (timelines, head) = (opening.timelines.clone(), opening.head.clone());
        let tail_size = environment.tail_size;
        Self {
            shared: Arc::new(SharedPool {
                environment,
                pool,
                timelines,
                head,
                tail: Arc::new(Tail::of(tail_size)),
                ephemerals: Ephemerals::default(),
                queue,
                published: Arc::clone(&opening.published),
                waiters,
                token: opening.token,
                keep: opening.keep.clone(),
                holders: Arc::default(),
                standstill: opening.standstill.clone(),
                exports: Arc::default(),
                erasing: tokio::sync::Mutex::new(()),
                storing: Arc::default(),
                trips: AtomicU64::new(0),
            }),
            unread: None,
        }
    }

    /// Returns the pool's id.
    pub fn id(&self) -> &PoolId {
        &self.shared.pool
    }

    /// Returns the fencing token of the owner of the pool: it rises with each owner.
    pub fn owner(&self) -> FencingToken {
        self.shared.token
    }

    /// Returns the newest timeline, which the next record will be of.
    pub fn epoch(&self) -> Epoch {
        self.shared.timelines.newest()
    }

    /// Returns every timeline of the journal.
    pub fn timelines(&self) -> &Timelines {
        &self.shared.timelines
    }

    /// Returns the cursor at a position, with the epoch of the record that stands there.
    pub fn cursor(&self, position: Position) -> Cursor {
        self.shared.timelines.cursor(position)
    }

    /// Returns the durable head.
    pub fn head(&self) -> Cursor {
        self.cursor(*self.shared.head.borrow())
    }

    /// Returns how many commands wait to be decided.
    pub fn queued(&self) -> u64 {
        self.shared.queue.len() as u64
    }

    /// Returns how many commands callers of this pool have brought to its actor since it was opened: its
    /// trips. What is answered from published facts makes none.
    pub fn trips(&self) -> u64 {
        self.shared.trips.load(Ordering::Relaxed)
    }

    /// Returns the counts of the pool since it was opened, up to the durable head.
    pub fn counts(&self) -> PoolCounts {
        self.shared.published.counts()
    }

    /// Returns the limits that hold at the durable head. Nobody is asked for them.
    pub fn limits(&self) -> Arc<Limits> {
        self.shared.published.limits()
    }

    /// Runs a command and returns its answer, once everything it was decided on is durable.
    ///
    /// # Errors
    /// [`CallError`]; only `Stopped { outcome: Unknown }` leaves open whether it was recorded.
    pub async fn call<C: Command + Sync>(&self, command: C) -> Result<C::Answer, CallError>
    where
        C::Answer: Sync,
    {
        // A number for figures: it guards nothing.
        self.shared.trips.fetch_add(1, Ordering::Relaxed);
        let names = command.names(self.epoch(), &self.shared.environment.minter);
        let (call, answer) = Call::new(command, names);
        let call = call.telling(self.unread.clone());
        let (lane, run) = call.turn();
        let run = run.cloned();
        self.shared.queue.push(lane, run, Box::new(call))?;
        // The actor answers every call that it took; it drops one only when it panics.
        answer.await.unwrap_or(Err(CallError::Stopped {
            outcome: CommitOutcome::Unknown,
            why: StopReason::Internal,
        }))
    }

    pub(crate) fn downgrade(&self) -> WeakPool {
        WeakPool(Arc::downgrade(&self.shared))
    }

    pub(crate) fn shared(&self) -> &Arc<SharedPool> {
        &self.shared
    }

    pub(crate) fn side_work(&self) -> &SideWork {
        &self.shared.environment.side_work
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.queue.is_closed()
    }

    /// Returns why it takes no more commands; nothing while it does.
    pub(crate) fn closed_by(&self) -> Option<StopReason> {
        self.shared.queue.closed_by()
    }

    pub(crate) fn close(&self, why: StopReason) {
        self.shared.queue.close(why);
    }
}
