//! Work beside the pools: it takes time for callers, and needs no pool's actor.
//!
//! Reading, decoding, encoding and compiling are done here, in slices of a counted size. A slice
//! needs a permit. Permits are few, and they go round among the parties that ask.

mod queue;
mod ring;
mod threads;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    thread::{self, available_parallelism},
};

use futures::FutureExt;
use heronry_pool::{Caller, decide::Viewer};
use heronry_types::{PoolId, RunId};
use tokio::{runtime::Handle, sync::oneshot};

use queue::PermitQueue;
use threads::Threads;

/// The party for which work is done. Permits go round among parties, however much each asks for at
/// once.
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

    /// Returns for whom a turn before a pool is: a member's, or that of whoever is none.
    pub(crate) fn of_turn(pool: &PoolId, run: Option<&RunId>) -> Self {
        run.map_or(Self::Operator, |run| Self::member(pool, run))
    }

    /// Returns true when [`of_turn`](Self::of_turn) returns this one.
    pub(crate) fn has_turn(&self, pool: &PoolId, run: Option<&RunId>) -> bool {
        match self {
            Self::Operator => run.is_none(),
            Self::Member {
                pool: own,
                run: one,
            } => own == pool && Some(one) == run,
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

    /// Waits for a permit. The caller then holds it, polled or not, and spends it with
    /// [`run`](Permit::run). Ending the wait gives the place in the queue up.
    pub async fn permit(&self, party: &Party) -> Permit {
        self.begin(party, |permit| permit).await
    }

    /// Does work on a thread of its own when there is a permit for it. It is begun then, and goes on to
    /// its end, whether or not its caller is polled: a slice is short. Ending the wait before it is begun
    /// gives the place up.
    ///
    /// # Panics
    /// The call panics when the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        party: &Party,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let outcome = self.begin(party, move |permit| permit.start(work)).await;
        ended(outcome).await
    }

    /// Does brief work of one step where it is asked for, when there is a permit for it. What takes more
    /// steps goes on to its end as a task of its own. A caller that is not polled keeps no permit.
    ///
    /// # Panics
    /// The call panics when the work panics.
    pub(crate) async fn step<T: Send + 'static>(
        &self,
        party: &Party,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let mut work = Box::pin(work);
        let free = PermitQueue::take_free(&self.queue);
        if free.is_some()
            && let Some(done) = work.as_mut().now_or_never()
        {
            return done;
        }
        let task = Handle::current();
        let go_on = move |held: queue::HeldPermit| {
            let (done, outcome) = oneshot::channel();
            task.spawn(async move {
                let did = AssertUnwindSafe(work).catch_unwind().await;
                drop(held);
                // Nobody may wait for it any more.
                let _ = done.send(did);
            });
            outcome
        };
        let outcome = match free {
            Some(held) => go_on(held),
            None => PermitQueue::begin(&self.queue, party, go_on).await,
        };
        ended(outcome).await
    }

    /// Begins something with a permit, whether or not its caller is polled then, and returns what was
    /// begun. It has to be brief: the one who passes the permit on begins it.
    pub(crate) async fn begin<T: Send + 'static>(
        &self,
        party: &Party,
        begin: impl FnOnce(Permit) -> T + Send + 'static,
    ) -> T {
        let threads = Arc::clone(&self.threads);
        PermitQueue::begin(&self.queue, party, move |held| {
            begin(Permit { held, threads })
        })
        .await
    }
}

/// The end of work: what it came to, or its panic.
type WorkOutcome<T> = oneshot::Receiver<thread::Result<T>>;

async fn ended<T>(outcome: WorkOutcome<T>) -> T {
    match outcome.await {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => resume_unwind(panic),
        // Work that was begun is done, unless the process ends.
        Err(_) => std::future::pending().await,
    }
}

/// The right to do one slice of work. Dropping it passes it on.
#[derive(Debug)]
pub struct Permit {
    held: queue::HeldPermit,
    threads: Arc<Threads>,
}

impl Permit {
    /// Does the work on a thread of its own, and passes the permit on.
    ///
    /// # Panics
    /// The call panics when the work panics.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> T {
        ended(self.start(work)).await
    }

    /// Begins the work on a thread of its own, which passes the permit on.
    fn start<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> WorkOutcome<T> {
        let Self { held, threads } = self;
        let (done, outcome) = oneshot::channel();
        threads.run(Box::new(move || {
            let did = catch_unwind(AssertUnwindSafe(work));
            drop(held);
            // Nobody may wait for it any more.
            let _ = done.send(did);
        }));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::Pin,
        sync::mpsc::{Receiver, Sender, channel},
    };

    use super::*;

    type WorkFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

    /// Side work whose one permit somebody has until the word is given.
    async fn taken() -> (SideWork, Sender<()>) {
        let side_work = SideWork::with_permits(1);
        let (word, waits): (Sender<()>, Receiver<()>) = channel();
        let holder = side_work.clone();
        let hold = async move { holder.run(&Party::Operator, move || waits.recv()).await };
        tokio::spawn(hold);
        // The permit is gone once the task has run.
        while let Some(held) = PermitQueue::take_free(&side_work.queue) {
            drop(held);
            tokio::task::yield_now().await;
        }
        (side_work, word)
    }

    fn read(side_work: &SideWork, number: u32) -> WorkFuture<u32> {
        let side_work = side_work.clone();
        Box::pin(async move { side_work.run(&Party::Operator, move || number).await })
    }

    fn look(side_work: &SideWork, number: u32) -> WorkFuture<u32> {
        let side_work = side_work.clone();
        Box::pin(async move {
            let look = async move {
                // More than one step.
                tokio::task::yield_now().await;
                number
            };
            side_work.step(&Party::Operator, look).await
        })
    }

    #[tokio::test]
    async fn a_call_that_is_parked_once_it_waits_keeps_the_permit_from_nobody() {
        for ask in [read, look] {
            let (side_work, word) = taken().await;
            let mut parked = ask(&side_work, 1);
            assert!(futures::poll!(parked.as_mut()).is_pending());
            let mut other = look(&side_work, 2);
            assert!(futures::poll!(other.as_mut()).is_pending());
            word.send(()).unwrap();
            // The first one is never polled while the second one is waited for.
            assert_eq!(other.await, 2);
            assert_eq!(parked.await, 1);
        }
    }

    #[tokio::test]
    async fn a_look_that_is_parked_half_way_keeps_the_permit_from_nobody() {
        let side_work = SideWork::with_permits(1);
        let mut parked = look(&side_work, 1);
        assert!(futures::poll!(parked.as_mut()).is_pending());
        assert_eq!(read(&side_work, 2).await, 2);
        assert_eq!(parked.await, 1);
    }

    #[tokio::test]
    async fn what_is_one_step_is_done_where_it_is_asked_for() {
        let side_work = SideWork::with_permits(1);
        let here = std::thread::current().id();
        let look = async { std::thread::current().id() };
        let by = side_work.step(&Party::Operator, look).now_or_never();
        assert_eq!(by, Some(here));
    }

    #[tokio::test]
    async fn who_gives_up_before_its_work_begins_has_it_left_undone() {
        let (side_work, over) = taken().await;
        let (done, seen) = channel();
        let given_up = side_work.clone();
        let mut asked: WorkFuture<()> = Box::pin(async move {
            let work = move || done.send(()).unwrap();
            given_up.run(&Party::Operator, work).await;
        });
        assert!(futures::poll!(asked.as_mut()).is_pending());
        drop(asked);
        over.send(()).unwrap();
        assert_eq!(read(&side_work, 2).await, 2);
        assert!(seen.recv().is_err());
    }
}
