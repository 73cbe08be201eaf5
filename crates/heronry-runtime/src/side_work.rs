//! Work beside the pools: what takes time for callers and needs no pool's actor.
//!
//! Reading, decoding, encoding and compiling are done here, in slices whose size is a count of what
//! they look at. A slice needs a permit; permits are few, and they go round among those who ask.

mod queue;
mod ring;
mod threads;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    thread::available_parallelism,
};

use heronry_pool::{Caller, decide::Viewer};
use heronry_types::{PoolId, RunId};
use tokio::sync::oneshot;

use queue::PermitQueue;
use threads::Threads;

/// For whom work is done: permits go round among parties, however much each asks for at once.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Party {
    /// Operators. Every second permit is theirs when they ask for it.
    Operator,
    /// A member of a pool, all its connections together.
    Member {
        /// The pool. Permits go round among pools, and in a pool among its members.
        pool: PoolId,
        /// The run.
        run: RunId,
    },
}

impl Party {
    /// Returns for whom a caller of a pool asks.
    pub fn of(pool: &PoolId, caller: &Caller) -> Self {
        match caller {
            Caller::Operator => Self::Operator,
            Caller::Member { run, .. } => Self::member(pool, run),
        }
    }

    /// Returns for whom a viewer of a pool asks.
    pub(crate) fn of_viewer(pool: &PoolId, viewer: &Viewer) -> Self {
        match viewer {
            Viewer::Operator | Viewer::AsMember { .. } => Self::Operator,
            Viewer::Member { run, .. } => Self::member(pool, run),
        }
    }

    fn member(pool: &PoolId, run: &RunId) -> Self {
        Self::Member {
            pool: pool.clone(),
            run: run.clone(),
        }
    }
}

/// The work of one runtime beside its pools. Cheap to clone; all clones share the permits.
///
/// There are half as many permits as processors, and one at least, so that this work never takes the
/// last processor from the pools and from answers. Who waits for a permit waits for one slice of each
/// other party at the most.
#[derive(Clone, Debug)]
pub struct SideWork {
    queue: Arc<PermitQueue>,
    threads: Arc<Threads>,
}

impl Default for SideWork {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::with_permits(processors / 2)
    }
}

impl SideWork {
    /// Returns side work of which this many slices are done at once; one at least.
    pub fn with_permits(permits: usize) -> Self {
        let permits = permits.max(1);
        Self {
            queue: Arc::new(PermitQueue::new(permits)),
            threads: Arc::new(Threads::new(permits)),
        }
    }

    /// Waits for a permit. Ending the wait gives the place up.
    pub async fn permit(&self, party: &Party) -> Permit {
        Permit {
            held: PermitQueue::enter(&self.queue, party).await,
            threads: Arc::clone(&self.threads),
        }
    }

    /// Waits for a permit, and does work with it on a thread of its own. It goes on to its end when
    /// nobody waits for it any more: a slice is short.
    ///
    /// # Panics
    /// When the work does.
    pub async fn run<T: Send + 'static>(
        &self,
        party: &Party,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        self.permit(party).await.run(work).await
    }
}

/// The right to do one slice of work. Dropping it passes it on.
#[derive(Debug)]
pub struct Permit {
    held: queue::Held,
    threads: Arc<Threads>,
}

impl Permit {
    /// Does the work on a thread of its own, and passes the permit on.
    ///
    /// # Panics
    /// When the work does.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let Self { held, threads } = self;
        let (done, outcome) = oneshot::channel();
        threads.run(Box::new(move || {
            let did = catch_unwind(AssertUnwindSafe(work));
            drop(held);
            // Nobody may wait for it any more.
            let _ = done.send(did);
        }));
        match outcome.await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => resume_unwind(panic),
            // Work that was handed over is done, unless the process ends.
            Err(_) => std::future::pending().await,
        }
    }
}
