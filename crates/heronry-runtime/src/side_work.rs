//! Work beside the pools: what takes time for callers and needs no pool's actor.
//!
//! Reading, decoding, encoding and compiling are done here, in slices whose size is a count of what
//! they look at. A slice has a turn; turns are few, and they go round among those who ask.

mod queue;
mod ring;

use std::{panic::resume_unwind, sync::Arc, thread::available_parallelism};

use heronry_pool::{Caller, decide::Viewer};
use heronry_types::{PoolId, RunId};

use queue::TurnQueue;

/// For whom work is done: each has its turn, however much it asks for at once.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Party {
    /// Operators. Every second turn is theirs when they ask for it.
    Operator,
    /// A member of a pool, all its connections together.
    Member {
        /// The pool. Pools take turns, and in a pool its members.
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

/// The work of one runtime beside its pools. Cheap to clone; all clones share the turns.
///
/// There are half as many turns as processors, and one at least, so that this work never takes the
/// last processor from the pools and from answers. Who waits for a turn waits for one slice of each
/// other party at the most.
#[derive(Clone, Debug)]
pub struct SideWork {
    queue: Arc<TurnQueue>,
}

impl Default for SideWork {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::with_turns(processors / 2)
    }
}

impl SideWork {
    /// Returns side work of which this many slices are done at once; one at least.
    pub fn with_turns(turns: usize) -> Self {
        Self {
            queue: Arc::new(TurnQueue::new(turns.max(1))),
        }
    }

    /// Waits for a turn. Ending the wait gives the place up.
    pub async fn turn(&self, party: &Party) -> Turn {
        Turn {
            _held: TurnQueue::enter(&self.queue, party).await,
        }
    }

    /// Waits for a turn, and does work in it on a thread of its own. It goes on to its end when
    /// nobody waits for it any more: a slice is short.
    ///
    /// # Panics
    /// When the work does.
    pub async fn run<T: Send + 'static>(
        &self,
        party: &Party,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        self.turn(party).await.run(work).await
    }
}

/// A turn: the right to do one slice of work. Dropping it passes it on.
#[derive(Debug)]
pub struct Turn {
    _held: queue::Held,
}

impl Turn {
    /// Does the work on a thread of its own, and passes the turn on.
    ///
    /// # Panics
    /// When the work does.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let done = tokio::task::spawn_blocking(move || {
            let _turn = self;
            work()
        });
        match done.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(done) => done,
            Err(Ok(panic)) => resume_unwind(panic),
            // The threads are being stopped, and with them whoever waits here.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}
