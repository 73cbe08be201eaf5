//! The one thread that writes: it takes the jobs that have queued up, and commits them with one
//! sync.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
};

use futures::{
    FutureExt, SinkExt, StreamExt,
    channel::mpsc::{Receiver, Sender, channel},
    executor::block_on,
    lock::Mutex,
};

use crate::{
    Database,
    batch::Batch,
    job::{Answer, Job},
    panic_text,
    pool::WriterPools,
    readable::{Cause, Readable},
};
use heronry_store::{StoreError, StoreErrorKind};

/// The most jobs that wait for the writer; further callers wait to queue.
const JOBS_QUEUED_MAX: usize = 1_024;
/// The most jobs of one transaction.
const JOBS_PER_COMMIT_MAX: usize = 1_024;
/// The bytes of one transaction from which on it leaves the rest to the next one.
const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The queue of the writer thread, which ends with it.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<Mutex<Sender<Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start<D: Database>(
        database: Arc<D>,
        pools: WriterPools,
        readable: Arc<Readable>,
    ) -> io::Result<Self> {
        let (queue, jobs) = channel(JOBS_QUEUED_MAX);
        let work = Working {
            database,
            pools,
            readable,
        };
        let thread = std::thread::Builder::new()
            .name(format!("heronry-{}", D::NAME))
            .spawn(move || work.run(jobs))?;
        Ok(Self {
            queue: Some(Mutex::new(queue)),
            thread: Some(thread),
        })
    }

    /// Queues a job. Returns false, and drops the job, when the writer has stopped.
    pub(crate) async fn queue(&self, job: Job) -> bool {
        match &self.queue {
            Some(queue) => queue.lock().await.send(job).await.is_ok(),
            None => false,
        }
    }
}

impl Drop for Writer {
    /// Waits for the transaction that is under way, so that the file is free afterwards.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches what panics; if it ended otherwise, it is as ended as it can be.
            let _ = thread.join();
        }
    }
}

/// The next thing that the writer does.
enum Next {
    /// This job, and the jobs that have queued up behind it.
    Job(Box<Job>),
    /// Remove a piece of a deleted pool.
    Sweep,
    /// Nothing any more.
    End,
}

struct Working<D> {
    database: Arc<D>,
    pools: WriterPools,
    readable: Arc<Readable>,
}

impl<D: Database> Working<D> {
    fn run(mut self, mut jobs: Receiver<Job>) {
        loop {
            let batch = match self.next(&mut jobs) {
                Next::Job(first) => coalesce(*first, &mut jobs),
                Next::Sweep => Vec::new(),
                Next::End => return,
            };
            if let Err(cause) = self.commit(batch) {
                return self.stop(&cause, jobs);
            }
        }
    }

    /// Returns what to do next; waits for a job unless rows of deleted pools are to be removed. A
    /// sealed store keeps them: nothing is written to it.
    fn next(&self, jobs: &mut Receiver<Job>) -> Next {
        let job = if self.pools.deleted.is_empty() || self.pools.moved_to.is_some() {
            Some(block_on(jobs.next()))
        } else {
            jobs.next().now_or_never()
        };
        match job {
            Some(Some(job)) => Next::Job(Box::new(job)),
            Some(None) => Next::End,
            None => Next::Sweep,
        }
    }

    /// Commits what was taken from the queue, moves the gate, and answers.
    fn commit(&mut self, jobs: Vec<Job>) -> Result<(), Cause> {
        let mut jobs = jobs.into_iter();
        let mut batch = Batch::default();
        let end = catch_unwind(AssertUnwindSafe(|| {
            batch.run(&*self.database, &mut self.pools, &mut jobs)
        }));
        let error = match end {
            Ok(Ok(())) => {
                self.readable.publish(&batch.moved, &self.pools);
                batch.answers.into_iter().for_each(Answer::deliver);
                self.readable.ring(&batch.moved);
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(panic) => {
                let detail = format!("a commit panicked: {}", panic_text(&*panic));
                StoreError::new(StoreErrorKind::Corrupt, "commit", detail)
            }
        };
        let cause = Cause::from(&error);
        // Closed before anybody is told, so that nothing is read after somebody was told.
        self.readable.close(&cause);
        for answer in batch.answers {
            answer.fail(StoreError::new(cause.kind, "commit", cause.text.clone()));
        }
        jobs.for_each(|job| job.refuse(self.readable.closed("commit")));
        Err(cause)
    }

    /// Tells everyone who is queued, or still queues, that nothing is written any more.
    fn stop(self, cause: &Cause, mut jobs: Receiver<Job>) {
        self.readable.close(cause);
        drop(self.database);
        jobs.close();
        while let Some(job) = block_on(jobs.next()) {
            job.refuse(self.readable.closed("commit"));
        }
    }
}

/// Takes what has queued up behind a job, up to the limits of one transaction.
fn coalesce(first: Job, jobs: &mut Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while batch.len() < JOBS_PER_COMMIT_MAX && bytes < COMMIT_BYTES_MAX {
        let Some(Some(job)) = jobs.next().now_or_never() else {
            break;
        };
        bytes += job.bytes();
        batch.push(job);
    }
    batch
}
