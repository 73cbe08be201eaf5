//! The bounded queue before a pool, with a lane that is kept free for what relieves it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use heronry_pool::decide::Lane;
use heronry_types::{Millis, RunId};
use tokio::sync::Notify;

use crate::{CallError, StopReason, job::Job};

/// How many commands wait at the most.
const DEPTH_MAX: usize = 4_096;
/// How many of those places are reserved.
const RESERVED: usize = DEPTH_MAX / 4;
/// How many reserved places one run may hold.
const RESERVED_PER_RUN: usize = RESERVED / 4;
/// When to try again.
const RETRY_AFTER: Millis = Millis(50);

/// Whether a queue takes commands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Gate {
    Open,
    Closed(StopReason),
}

struct Lanes {
    gate: Gate,
    common: VecDeque<Box<dyn Job>>,
    reserved: VecDeque<(Option<RunId>, Box<dyn Job>)>,
    held: HashMap<RunId, usize>,
}

/// The queue.
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    ring: Notify,
}

/// What the pool has to do next.
pub(crate) enum Next {
    /// These commands, in order.
    Jobs(Vec<Box<dyn Job>>),
    /// Nothing any more.
    Closed,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let lanes = Lanes {
            gate: Gate::Open,
            common: VecDeque::new(),
            reserved: VecDeque::new(),
            held: HashMap::new(),
        };
        Self {
            lanes: Mutex::new(lanes),
            ring: Notify::new(),
        }
    }

    /// A panic while the lock is held cannot leave the lanes half changed: each change is one call.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a command, or says why not.
    pub(crate) fn push(
        &self,
        lane: Lane,
        run: Option<&RunId>,
        job: Box<dyn Job>,
    ) -> Result<(), CallError> {
        {
            let mut lanes = self.lanes();
            if let Gate::Closed(why) = lanes.gate {
                let outcome = heronry_store::Outcome::None;
                return Err(CallError::Stopped { outcome, why });
            }
            lanes.admit(lane, run)?;
            match lane {
                Lane::Common => lanes.common.push_back(job),
                Lane::Reserved => lanes.reserved.push_back((run.cloned(), job)),
            }
        }
        self.ring.notify_one();
        Ok(())
    }

    /// Waits for commands and takes at most `max`, reserved ones first.
    pub(crate) async fn next(&self, max: usize) -> Next {
        loop {
            if let Some(next) = self.lanes().next(max) {
                return next;
            }
            self.ring.notified().await;
        }
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

    /// Returns true when it takes no more commands.
    pub(crate) fn is_closed(&self) -> bool {
        self.lanes().gate != Gate::Open
    }

    /// Takes no more commands and returns those that wait.
    pub(crate) fn shut(&self, why: StopReason) -> Vec<Box<dyn Job>> {
        self.close(why);
        self.lanes().take(usize::MAX)
    }
}

impl Lanes {
    fn admit(&mut self, lane: Lane, run: Option<&RunId>) -> Result<(), CallError> {
        let busy = Err(CallError::Busy {
            retry_after: RETRY_AFTER,
        });
        match lane {
            Lane::Common if self.common.len() >= DEPTH_MAX - RESERVED => busy,
            Lane::Reserved if self.reserved.len() >= RESERVED => busy,
            Lane::Common => Ok(()),
            Lane::Reserved => {
                let Some(run) = run else { return Ok(()) };
                let held = self.held.entry(run.clone()).or_default();
                if *held >= RESERVED_PER_RUN {
                    return busy;
                }
                *held += 1;
                Ok(())
            }
        }
    }

    /// What there is to do now; nothing while the queue is open and empty.
    fn next(&mut self, max: usize) -> Option<Next> {
        let jobs = self.take(max);
        if !jobs.is_empty() {
            return Some(Next::Jobs(jobs));
        }
        (self.gate != Gate::Open).then_some(Next::Closed)
    }

    fn take(&mut self, max: usize) -> Vec<Box<dyn Job>> {
        let mut jobs = Vec::new();
        while let Some((run, job)) = (jobs.len() < max)
            .then(|| self.reserved.pop_front())
            .flatten()
        {
            jobs.push(job);
            if let Some(run) = run {
                self.give_back(&run);
            }
        }
        let common = (max - jobs.len()).min(self.common.len());
        jobs.extend(self.common.drain(..common));
        jobs
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
