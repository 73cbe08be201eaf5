//! The threads that do side work, behind everything else.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

pub(super) type ThreadTask = Box<dyn FnOnce() + Send>;

/// The niceness that a thread of side work adds to its own, so that work which answers callers goes
/// first.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The threads of side work, as many as there are permits. The first is started when there is
/// something to do. The threads end when this is dropped.
#[derive(Debug)]
pub(super) struct Threads {
    most: usize,
    state: Mutex<StartedThreads>,
    work: Arc<Mutex<Receiver<ThreadTask>>>,
}

#[derive(Debug)]
struct StartedThreads {
    started: usize,
    hand: Sender<ThreadTask>,
}

impl Threads {
    pub(super) fn new(most: usize) -> Self {
        let (hand, work) = channel();
        Self {
            most,
            state: Mutex::new(StartedThreads { started: 0, hand }),
            work: Arc::new(Mutex::new(work)),
        }
    }

    /// Has a thread do this, soon: never more is handed over at once than there are permits. Where the
    /// system has no thread to give, one of the runtime's does it.
    pub(super) fn run(&self, work: ThreadTask) {
        let mut state = lock(&self.state);
        if state.started < self.most && self.start(state.started) {
            state.started += 1;
        }
        let handed = if state.started > 0 {
            state.hand.send(work).map_err(|error| error.0)
        } else {
            Err(work)
        };
        drop(state);
        if let Err(work) = handed {
            drop(tokio::task::spawn_blocking(work));
        }
    }

    /// Starts a thread; returns false when there is none to be had.
    fn start(&self, number: usize) -> bool {
        let work = Arc::clone(&self.work);
        let thread = thread::Builder::new().name(format!("heronry-side-{number}"));
        let started = thread.spawn(move || {
            step_back();
            while let Some(work) = next(&work) {
                work();
                // The next one may be there already: who came meanwhile goes first.
                thread::yield_now();
            }
        });
        if let Err(error) = &started {
            tracing::warn!(%error, "no thread can be had for side work");
        }
        started.is_ok()
    }
}

/// Waits for the next thing to do; nothing when nobody hands out any more.
fn next(work: &Mutex<Receiver<ThreadTask>>) -> Option<ThreadTask> {
    lock(work).recv().ok()
}

/// A panic while a lock is held cannot leave anything half changed: work is done outside of it.
fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets this thread give way to those that answer callers, where the system has that for one thread.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "side work is as urgent as everything else");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_started_when_there_is_work_up_to_their_number_and_end_with_their_owner() {
        let threads = Threads::new(2);
        assert_eq!(lock(&threads.state).started, 0);
        let (done, seen) = channel();
        for number in 0..10 {
            let done = done.clone();
            threads.run(Box::new(move || {
                done.send((number, thread::current().id())).unwrap();
            }));
        }
        let mut seen: Vec<_> = seen.iter().take(10).collect();
        assert_eq!(lock(&threads.state).started, 2);
        seen.sort_by_key(|(number, _)| *number);
        let numbers = seen.iter().map(|(number, _)| *number);
        assert!(numbers.eq(0..10));
        assert!(seen.iter().all(|(_, by)| *by != thread::current().id()));
        let work = Arc::downgrade(&threads.work);
        drop(threads);
        while work.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
