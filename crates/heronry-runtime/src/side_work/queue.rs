//! The order in which permits are given.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_types::{PoolId, RunId};
use tokio::sync::oneshot;

use super::{Party, ring::Ring};

/// Permits, and those who wait for one.
#[derive(Debug)]
pub(super) struct PermitQueue {
    state: Mutex<QueueState>,
}

/// A permit that somebody has; dropping it passes it on.
#[derive(Debug)]
pub(super) struct HeldPermit(Arc<PermitQueue>);

type Waiter = Box<dyn Waits>;

/// Work that is begun with a permit. The holder who passes the permit on begins it, so that a
/// caller that is not polled keeps nobody waiting.
trait Waits: Send {
    /// Returns true when somebody still waits for the work.
    fn is_wanted(&self) -> bool;

    /// Begins the work.
    fn begin(self: Box<Self>, held: HeldPermit);
}

struct WaitingWork<T, F> {
    act: F,
    told: oneshot::Sender<T>,
}

impl<T: Send, F: FnOnce(HeldPermit) -> T + Send> Waits for WaitingWork<T, F> {
    fn is_wanted(&self) -> bool {
        !self.told.is_closed()
    }

    fn begin(self: Box<Self>, held: HeldPermit) {
        let begun = (self.act)(held);
        // Who gives up at this moment drops what was begun: a permit passes on, and work goes to its end.
        drop(self.told.send(begun));
    }
}

impl fmt::Debug for dyn Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waits")
    }
}

#[derive(Debug)]
struct QueueState {
    free: usize,
    operators: VecDeque<Waiter>,
    pools: Ring<PoolId, Ring<RunId, VecDeque<Waiter>>>,
    /// The lane that had the last permit for which somebody had waited.
    last: PermitLane,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PermitLane {
    Operators,
    Members,
}

impl PermitQueue {
    pub(super) fn new(free: usize) -> Self {
        let state = QueueState {
            free,
            operators: VecDeque::new(),
            pools: Ring::default(),
            last: PermitLane::Members,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// A panic while the lock is held cannot leave the state half changed: nothing in here panics.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit that is free: one is only while nobody waits.
    pub(super) fn take_free(queue: &Arc<Self>) -> Option<HeldPermit> {
        let mut state = queue.lock();
        state.free = state.free.checked_sub(1)?;
        Some(HeldPermit(Arc::clone(queue)))
    }

    /// Begins something with a permit: now, or when one is passed on to it, whether or not its caller is
    /// polled then. Returns what was begun. It has to be brief.
    pub(super) async fn begin<T: Send + 'static>(
        queue: &Arc<Self>,
        party: &Party,
        act: impl FnOnce(HeldPermit) -> T + Send + 'static,
    ) -> T {
        let (told, begun) = oneshot::channel();
        let waiter = Box::new(WaitingWork { act, told });
        if let Some(waiter) = queue.lock().take_or_wait(party, waiter) {
            waiter.begin(HeldPermit(Arc::clone(queue)));
        }
        match begun.await {
            Ok(begun) => begun,
            // Nobody is forgotten: who waits is dropped with the queue, which this call holds.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for HeldPermit {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.lock();
            let next = state.next();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            next.begin(Self(Arc::clone(&self.0)));
        }
    }
}

impl QueueState {
    /// Takes a permit for who has come, and returns who has one now; or lets it wait.
    fn take_or_wait(&mut self, party: &Party, waiter: Waiter) -> Option<Waiter> {
        if let Some(left) = self.free.checked_sub(1) {
            self.free = left;
            return Some(waiter);
        }
        match party {
            Party::Operator => self.operators.push_back(waiter),
            Party::Member { pool, run } => {
                let waiters = self.pools.entry(pool).entry(run);
                waiters.push_back(waiter);
            }
        }
        None
    }

    /// Takes out who has the next permit, past those who wait no more.
    fn next(&mut self) -> Option<Waiter> {
        loop {
            let next = match self.last {
                PermitLane::Operators => self.of_members().or_else(|| self.of_operators()),
                PermitLane::Members => self.of_operators().or_else(|| self.of_members()),
            };
            let (lane, waiter) = next?;
            if waiter.is_wanted() {
                self.last = lane;
                return Some(waiter);
            }
        }
    }

    fn of_operators(&mut self) -> Option<(PermitLane, Waiter)> {
        let waiter = self.operators.pop_front()?;
        Some((PermitLane::Operators, waiter))
    }

    fn of_members(&mut self) -> Option<(PermitLane, Waiter)> {
        let waiter = self.pools.next(
            |runs| runs.next(VecDeque::pop_front, VecDeque::is_empty),
            Ring::is_empty,
        )?;
        Some((PermitLane::Members, waiter))
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::BoxFuture};

    use super::*;

    type PermitFuture = BoxFuture<'static, HeldPermit>;

    fn member(pool: &str, run: &str) -> Party {
        Party::Member {
            pool: pool.parse().unwrap(),
            run: run.parse().unwrap(),
        }
    }

    async fn entered(queue: &Arc<PermitQueue>, party: &Party) -> HeldPermit {
        PermitQueue::begin(queue, party, |held| held).await
    }

    /// Lets somebody ask for a permit, which is not to be had at once.
    fn wait(queue: &Arc<PermitQueue>, party: Party) -> PermitFuture {
        let queue = Arc::clone(queue);
        let mut waiting = async move { entered(&queue, &party).await }.boxed();
        assert!((&mut waiting).now_or_never().is_none());
        waiting
    }

    /// Passes permits on until nobody waits; returns in which order they came.
    fn order(first: HeldPermit, waiting: Vec<(&'static str, PermitFuture)>) -> Vec<&'static str> {
        let (mut waiting, mut order, mut held) = (waiting, Vec::new(), first);
        while !waiting.is_empty() {
            drop(held);
            let ready = |(_, it): &mut (_, PermitFuture)| it.now_or_never();
            let found = waiting.iter_mut().enumerate();
            let mut found = found.filter_map(|(at, it)| Some((at, ready(it)?)));
            let (at, permit) = found.next().unwrap();
            assert!(found.next().is_none(), "one permit, and one who has it");
            held = permit;
            order.push(waiting.remove(at).0);
        }
        order
    }

    fn taken(queue: &Arc<PermitQueue>) -> HeldPermit {
        entered(queue, &Party::Operator).now_or_never().unwrap()
    }

    #[test]
    fn one_read_waits_for_one_slice_of_each_other_member_however_many_reads_that_has() {
        let queue = Arc::new(PermitQueue::new(1));
        let first = taken(&queue);
        let mut waiting = Vec::new();
        for _ in 0..1_000 {
            waiting.push(("greedy", wait(&queue, member("p", "greedy"))));
        }
        waiting.push(("modest", wait(&queue, member("p", "modest"))));
        let order = order(first, waiting);
        assert_eq!(order[..3], ["greedy", "modest", "greedy"]);
    }

    #[test]
    fn a_pool_of_many_readers_gets_no_more_permits_than_one_of_few() {
        let queue = Arc::new(PermitQueue::new(1));
        let first = taken(&queue);
        let mut waiting = Vec::new();
        for run in ["a", "b", "c", "d"] {
            waiting.push(("crowd", wait(&queue, member("crowd", run))));
        }
        for _ in 0..2 {
            waiting.push(("quiet", wait(&queue, member("quiet", "a"))));
        }
        let order = order(first, waiting);
        assert_eq!(
            order,
            ["crowd", "quiet", "crowd", "quiet", "crowd", "crowd"]
        );
    }

    #[test]
    fn every_second_permit_is_an_operators_while_it_asks_and_no_more() {
        let queue = Arc::new(PermitQueue::new(1));
        let first = taken(&queue);
        let mut waiting = Vec::new();
        for run in ["a", "b", "c"] {
            waiting.push(("member", wait(&queue, member("p", run))));
        }
        for _ in 0..3 {
            waiting.push(("operator", wait(&queue, Party::Operator)));
        }
        let alternating = ["operator", "member"].repeat(3);
        assert_eq!(order(first, waiting), alternating);
    }

    #[test]
    fn who_gives_up_waiting_holds_up_nobody_and_no_permit_is_lost() {
        let queue = Arc::new(PermitQueue::new(1));
        let first = taken(&queue);
        drop(wait(&queue, member("p", "gone")));
        let served = wait(&queue, member("p", "stays"));
        drop(first);
        // It was served before it looked, and then gave up: the permit is free again.
        drop(served);
        assert_eq!(queue.lock().free, 1);
        drop(taken(&queue));
        assert_eq!(queue.lock().free, 1);
    }
}
