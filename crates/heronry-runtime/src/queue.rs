//! The bounded queue before a pool: members take turns, and a lane is kept free for commands that
//! relieve the pool.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use heronry_pool::decide::{Demand, Lane};
use heronry_types::{LimitName, Limits, Millis, RunId};
use tokio::sync::Notify;

use crate::{CallError, StopReason, job::Job};

/// The time after which a caller tries a full queue again.
const RETRY_AFTER: Millis = Millis(50);

/// The state of a queue: open for commands, or closed for this reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Gate {
    Open,
    Closed(StopReason),
}

/// The number of commands that may wait. A quarter of the places is reserved, and one run may hold
/// a quarter of those. One run may hold three quarters of the other places.
#[derive(Clone, Copy, Debug)]
struct Places(usize);

impl Places {
    fn of(limits: &Limits) -> Self {
        let name = LimitName::CommandQueueMax;
        // A journal of before may hold any value.
        let places = limits.get(name).clamp(name.floor(), name.ceiling());
        Self(usize::try_from(places).unwrap_or(usize::MAX))
    }

    fn reserved(self) -> usize {
        self.0 / 4
    }

    fn reserved_per_run(self) -> usize {
        self.reserved() / 4
    }

    fn common(self) -> usize {
        self.0 - self.reserved()
    }

    fn common_per_run(self) -> usize {
        self.common() / 4 * 3
    }

    fn full(self) -> CallError {
        CallError::Busy {
            retry_after: RETRY_AFTER,
            places: self.0 as u64,
        }
    }
}

/// The holder of a turn: a member, or `None` for callers that are no members.
type TurnHolder = Option<RunId>;

/// The commands that wait in the common lane. Those of one member keep their order here; members take turns.
#[derive(Default)]
struct Turns {
    next: VecDeque<TurnHolder>,
    waiting: HashMap<TurnHolder, VecDeque<Box<dyn Job>>>,
    len: usize,
}

impl Turns {
    fn of(&self, turn: &TurnHolder) -> usize {
        self.waiting.get(turn).map_or(0, VecDeque::len)
    }

    fn push(&mut self, turn: TurnHolder, job: Box<dyn Job>) {
        self.len += 1;
        if let Some(waiting) = self.waiting.get_mut(&turn) {
            waiting.push_back(job);
            return;
        }
        self.next.push_back(turn.clone());
        self.waiting.insert(turn, VecDeque::from([job]));
    }

    /// Returns whose turn it is, of those that are not held back.
    fn first(&self, held_back: &HashSet<RunId>) -> Option<usize> {
        let is_free = |turn: &TurnHolder| turn.as_ref().is_none_or(|run| !held_back.contains(run));
        self.next.iter().position(is_free)
    }

    /// Takes the command whose turn it is, but for those of members that are held back: these keep
    /// their turns.
    fn pop(&mut self, held_back: &HashSet<RunId>) -> Option<Box<dyn Job>> {
        let turn = self.next.remove(self.first(held_back)?)?;
        let waiting = self.waiting.get_mut(&turn)?;
        let job = waiting.pop_front()?;
        self.len -= 1;
        if waiting.is_empty() {
            self.waiting.remove(&turn);
        } else {
            self.next.push_back(turn);
        }
        Some(job)
    }
}

struct Lanes {
    gate: Gate,
    common: Turns,
    reserved: VecDeque<(Option<RunId>, Box<dyn Job>)>,
    held: HashMap<RunId, usize>,
}

/// The queue.
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    places: AtomicUsize,
    ring: Notify,
}

/// The next thing that the pool has to do.
pub(crate) enum NextWork {
    /// These commands, in order.
    Jobs(Vec<Box<dyn Job>>),
    /// Nothing any more: the queue is closed and empty.
    Closed,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let lanes = Lanes {
            gate: Gate::Open,
            common: Turns::default(),
            reserved: VecDeque::new(),
            held: HashMap::new(),
        };
        Self {
            lanes: Mutex::new(lanes),
            places: AtomicUsize::new(Places::of(&Limits::default()).0),
            ring: Notify::new(),
        }
    }

    /// A panic while the lock is held cannot leave the lanes half changed: each change is one call.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over how many commands may wait. Those that wait already stay.
    pub(crate) fn resize(&self, limits: &Limits) {
        let Places(places) = Places::of(limits);
        // A number that guards nothing else: who pushes meanwhile may see the one of before.
        self.places.store(places, Ordering::Relaxed);
    }

    /// Adds a command on behalf of a run, or says why not.
    pub(crate) fn push(
        &self,
        lane: Lane,
        run: Option<RunId>,
        job: Box<dyn Job>,
    ) -> Result<(), CallError> {
        {
            let mut lanes = self.lanes();
            if let Gate::Closed(why) = lanes.gate {
                let outcome = heronry_store::CommitOutcome::None;
                return Err(CallError::Stopped { outcome, why });
            }
            let places = Places(self.places.load(Ordering::Relaxed));
            lanes.admit(lane, &run, places)?;
            match lane {
                Lane::Common => lanes.common.push(run, job),
                Lane::Reserved => lanes.reserved.push_back((run, job)),
                // It holds no place of its run, and gives none back.
                Lane::Owed => lanes.reserved.push_front((None, job)),
            }
        }
        self.ring.notify_one();
        Ok(())
    }

    /// Waits for commands and takes about as many as make `max` records: reserved ones first, then one of
    /// each member in turn. In the common lane those of members that are held back stay.
    pub(crate) async fn next(&self, max: usize, held_back: &HashSet<RunId>) -> NextWork {
        loop {
            if let Some(next) = self.lanes().next(max, held_back) {
                return next;
            }
            self.ring.notified().await;
        }
    }

    /// Takes about as many commands as make `max` records, of those that wait now. In the common lane
    /// those of members that are held back stay.
    pub(crate) fn take_now(&self, max: usize, held_back: &HashSet<RunId>) -> Vec<Box<dyn Job>> {
        self.lanes().take(max, held_back)
    }

    /// Returns true when it takes no more commands, and has none but those of members that are held
    /// back.
    pub(crate) fn is_done(&self, held_back: &HashSet<RunId>) -> bool {
        let lanes = self.lanes();
        let has_none = lanes.reserved.is_empty() && lanes.common.first(held_back).is_none();
        lanes.gate != Gate::Open && has_none
    }

    /// Takes no more commands; those that wait are still handed out.
    pub(crate) fn close(&self, why: StopReason) {
        {
            let mut lanes = self.lanes();
            if lanes.gate == Gate::Open {
                lanes.gate = Gate::Closed(why);
            }
        }
        self.ring.notify_one();
    }

    /// Returns how many commands wait.
    pub(crate) fn len(&self) -> usize {
        let lanes = self.lanes();
        lanes.common.len + lanes.reserved.len()
    }

    /// Returns true when it takes no more commands.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed_by().is_some()
    }

    /// Returns why it takes no more commands; nothing while it does.
    pub(crate) fn closed_by(&self) -> Option<StopReason> {
        match self.lanes().gate {
            Gate::Open => None,
            Gate::Closed(why) => Some(why),
        }
    }

    /// Takes no more commands and returns those that wait.
    pub(crate) fn shut(&self, why: StopReason) -> Vec<Box<dyn Job>> {
        self.close(why);
        let mut lanes = self.lanes();
        let mut all = Vec::new();
        loop {
            let some = lanes.take(usize::MAX, &HashSet::new());
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }
}

impl Lanes {
    fn admit(&mut self, lane: Lane, run: &TurnHolder, places: Places) -> Result<(), CallError> {
        let busy = Err(places.full());
        match lane {
            Lane::Common if self.common.len >= places.common() => busy,
            Lane::Reserved if self.reserved.len() >= places.reserved() => busy,
            Lane::Common if run.is_some() && self.common.of(run) >= places.common_per_run() => busy,
            Lane::Common | Lane::Owed => Ok(()),
            Lane::Reserved => {
                let Some(run) = run else { return Ok(()) };
                let held = self.held.entry(run.clone()).or_default();
                if *held >= places.reserved_per_run() {
                    return busy;
                }
                *held += 1;
                Ok(())
            }
        }
    }

    /// Returns the next work; `None` while the queue is open and empty.
    fn next(&mut self, max: usize, held_back: &HashSet<RunId>) -> Option<NextWork> {
        let jobs = self.take(max, held_back);
        if !jobs.is_empty() {
            return Some(NextWork::Jobs(jobs));
        }
        (self.gate != Gate::Open).then_some(NextWork::Closed)
    }

    fn take(&mut self, max: usize, held_back: &HashSet<RunId>) -> Vec<Box<dyn Job>> {
        let (mut jobs, mut records) = (Vec::new(), 0_usize);
        let mut held_back = held_back.clone();
        while records < max
            && let Some(job) = self.take_one(&held_back)
        {
            // What is taken waits in its order: others are to have their turns before more of one's bulk.
            if job.demand() == Demand::Bulk
                && let (Lane::Common, Some(run)) = job.turn()
            {
                held_back.insert(run.clone());
            }
            records = records.saturating_add(job.burden());
            jobs.push(job);
        }
        jobs
    }

    fn take_one(&mut self, held_back: &HashSet<RunId>) -> Option<Box<dyn Job>> {
        let Some((run, job)) = self.reserved.pop_front() else {
            return self.common.pop(held_back);
        };
        if let Some(run) = run {
            self.give_back(&run);
        }
        Some(job)
    }

    fn give_back(&mut self, run: &RunId) {
        if let Some(held) = self.held.get_mut(run) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(run);
            }
        }
    }
}
