//! The work beside the actor of a pool: one set, whatever the work is.
//!
//! A piece of such work is a task that knows nothing of the actor, and ends with what the actor does about its result.
//! The file of a kind of work has both; the set and the loop of the actor know none of them.

use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::{Flow, PoolActor};
use crate::StopReason;

/// The consequence that the actor draws from the result of a work.
pub(super) type Consequence = Box<dyn FnOnce(&mut PoolActor) -> Flow + Send>;

/// The fate of a work that is under way when its pool stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AtStop {
    /// The work is left: another opening does it again.
    Abort,
    /// The pool stops when the work has ended.
    Await,
}

/// The work beside one pool.
#[derive(Default)]
pub(super) struct Asides {
    running: JoinSet<Consequence>,
    /// The work that is left when the pool stops.
    left_at_stop: Vec<AbortHandle>,
}

impl Asides {
    /// Begins a work. The handle tells whether it is under way, and can abort it: then it has no consequence.
    pub(super) fn begin(
        &mut self,
        at_stop: AtStop,
        work: impl Future<Output = Consequence> + Send + 'static,
    ) -> AbortHandle {
        let handle = self.running.spawn(work);
        self.left_at_stop.retain(|it| !it.is_finished());
        match at_stop {
            AtStop::Abort => self.left_at_stop.push(handle.clone()),
            AtStop::Await => {}
        }
        handle
    }

    /// Waits for the next work that ends. May be dropped and asked again.
    pub(super) async fn next(&mut self) -> Result<Consequence, JoinError> {
        match self.running.join_next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }
}

impl PoolActor {
    /// Takes in the end of a work.
    pub(super) fn aside_ended(&mut self, ended: Result<Consequence, JoinError>) -> Flow {
        match ended {
            Ok(consequence) => consequence(self),
            Err(error) if error.is_cancelled() => Flow::Go,
            Err(error) => {
                tracing::error!(pool = %self.pool, %error, "a work beside the pool did not end");
                Flow::Stop(StopReason::Internal)
            }
        }
    }

    /// Ends the work that is under way. The pool stops, so nothing follows from it.
    pub(super) async fn end_asides(&mut self) {
        for work in self.asides.left_at_stop.drain(..) {
            work.abort();
        }
        while let Some(ended) = self.asides.running.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(pool = %self.pool, %error, "a work beside the pool did not end");
            }
        }
    }
}
