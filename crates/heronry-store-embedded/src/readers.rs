//! Threads for reads that take long, so that they hold up no async worker.
//!
//! A short read is done where it is asked for: handing it over would cost more than it takes. A long
//! one goes to one of a few threads of the store, which are started when the first one comes.

use std::{
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use futures::{
    SinkExt, StreamExt,
    channel::{
        mpsc::{Receiver, Sender, channel},
        oneshot,
    },
    executor::block_on,
};

/// The fewest threads of one store that read, and the most: as many as there are processors, between
/// them.
const READERS: RangeInclusive<usize> = 2..=8;
/// The most long reads that wait for one thread; further callers wait to queue.
const READS_QUEUED_MAX: usize = 64;

type LongRead = Box<dyn FnOnce() + Send>;

/// The threads of one store that do long reads. Dropping them waits for the reads that are under way.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    started: Mutex<Vec<ReadThread>>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct ReadThread {
    queue: Sender<LongRead>,
    thread: JoinHandle<()>,
}

impl Readers {
    /// Does a read on a thread of the store. It is done here when the system has no thread to give.
    /// Returns nothing when the read panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let Some(mut queue) = self.queue() else {
            return Some(read());
        };
        let (reply, answer) = oneshot::channel();
        let read: LongRead = Box::new(move || {
            // Who gave up wants nothing to be read.
            if !reply.is_canceled() {
                drop(reply.send(read()));
            }
        });
        queue.send(read).await.ok()?;
        answer.await.ok()
    }

    /// Returns the queue of a thread, one after the other.
    fn queue(&self) -> Option<Sender<LongRead>> {
        let mut started = self.lock();
        if started.is_empty() {
            let processors = thread::available_parallelism().map_or(1, usize::from);
            let wanted = processors.clamp(*READERS.start(), *READERS.end());
            started.extend((0..wanted).map_while(|_| ReadThread::start()));
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let index = turn.checked_rem(started.len())?;
        started.get(index).map(|thread| thread.queue.clone())
    }

    /// The list stays whole under a panic: each change is one push.
    fn lock(&self) -> MutexGuard<'_, Vec<ReadThread>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadThread {
    fn start() -> Option<Self> {
        let (queue, reads) = channel(READS_QUEUED_MAX);
        let thread = thread::Builder::new().name("heronry-reader".to_owned());
        let thread = thread.spawn(move || serve(reads)).ok()?;
        Some(Self { queue, thread })
    }
}

fn serve(mut reads: Receiver<LongRead>) {
    while let Some(read) = block_on(reads.next()) {
        // Its caller is told: the reply is dropped with it.
        let _ = catch_unwind(AssertUnwindSafe(read));
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let started = std::mem::take(&mut *self.lock());
        for ReadThread { mut queue, thread } in started {
            queue.close_channel();
            // The thread catches what panics; if it ended otherwise, it is as ended as it can be.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_long_read_is_done_on_a_thread_of_the_store_and_a_panic_ends_no_thread() {
        let readers = Readers::default();
        for _ in 0..*READERS.end() {
            assert_eq!(block_on(readers.run(|| -> u8 { panic!("a read") })), None);
        }
        let here = thread::current().id();
        let there = block_on(readers.run(move || thread::current().id()));
        assert!(there.is_some_and(|there| there != here));
    }

    #[test]
    fn a_read_that_nobody_waits_for_is_not_done() {
        let readers = Readers::default();
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let mut holding = readers.run(move || held.recv().is_err()).boxed();
        assert!((&mut holding).now_or_never().is_none());
        // The turn of every other thread, and then of the one that is held.
        let threads = readers.lock().len();
        for _ in 1..threads {
            assert_eq!(block_on(readers.run(|| ())), Some(()));
        }
        let (did, done) = std::sync::mpsc::channel();
        let mut given_up = readers.run(move || did.send(())).boxed();
        assert!((&mut given_up).now_or_never().is_none());
        drop((given_up, go_on));
        assert_eq!(block_on(holding), Some(true));
        drop(readers);
        assert!(done.recv().is_err(), "the read was done");
    }
}
