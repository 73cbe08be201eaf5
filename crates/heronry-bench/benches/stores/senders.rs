//! Callers that send through the public API of the engine, each timed.

use std::time::Instant;

use heronry_pool::Caller;
use heronry_runtime::{Pool, Runtime, RuntimeOptions};
use heronry_store::Store;
use heronry_types::Position;

use crate::{
    journal,
    message::{BODY, join, message, spec},
};

/// Returns an engine over a store.
pub(crate) fn runtime(store: &Store) -> Runtime {
    Runtime::new(store.clone(), RuntimeOptions::new([7; 32], "bench"))
}

/// A pool with a reader and a sender.
pub(crate) struct Senders {
    runtime: Runtime,
    pool: Pool,
    sender: Caller,
}

/// The times of sends.
pub(crate) struct Took {
    /// All of them together.
    pub(crate) seconds: f64,
    /// Each by itself, in seconds.
    pub(crate) each: Vec<f64>,
}

/// The numbers of sends, commits and bytes in the store.
#[derive(Clone, Copy, Default)]
pub(crate) struct WrittenCounts {
    pub(crate) sends: usize,
    pub(crate) commits: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) body_bytes: usize,
}

impl WrittenCounts {
    pub(crate) fn row_bytes(&self) -> usize {
        (self.chunk_bytes + self.body_bytes) / self.commits
    }

    pub(crate) fn batch(&self) -> f64 {
        self.sends as f64 / self.commits as f64
    }
}

impl Senders {
    pub(crate) async fn on(store: &Store) -> Self {
        let runtime = runtime(store);
        let pool = runtime.open(&journal::pool(), spec()).await.unwrap().pool;
        pool.call(join("reader-4f1c2b")).await.unwrap();
        let join = join("sender-9a07d3");
        let run = join.run.clone();
        let generation = pool.call(join).await.unwrap().generation;
        Self {
            runtime,
            pool,
            sender: Caller::Member { run, generation },
        }
    }

    pub(crate) async fn stop(self) {
        self.runtime.shutdown().await;
    }

    /// Sends with this many callers in flight.
    pub(crate) async fn send(&self, callers: usize, sends_each: usize) -> Took {
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let (pool, sender) = (self.pool.clone(), self.sender.clone());
                tokio::spawn(send_each(pool, sender, caller, sends_each))
            })
            .collect();
        let mut each = Vec::with_capacity(callers * sends_each);
        for task in tasks {
            each.extend(task.await.unwrap());
        }
        let seconds = start.elapsed().as_secs_f64();
        Took { seconds, each }
    }

    /// Returns what the store was given for the sends.
    pub(crate) async fn shape(&self, store: &Store) -> WrittenCounts {
        let mut shape = WrittenCounts::default();
        let mut after = Position(3);
        loop {
            let page = store.journal.read(self.pool.id(), after, 1 << 20).await;
            let page = page.unwrap();
            let Some(last) = page.chunks.last() else {
                return shape;
            };
            for chunk in &page.chunks {
                let sends = chunk.header().count as usize / 2;
                shape.commits += 1;
                shape.sends += sends;
                shape.chunk_bytes += chunk.bytes().len();
                shape.body_bytes += sends * BODY.len();
            }
            after = last.last();
        }
    }
}

/// One caller: each send waits for the answer to the one before. Returns how long each took.
async fn send_each(pool: Pool, sender: Caller, caller: usize, count: usize) -> Vec<f64> {
    let mut took = Vec::with_capacity(count);
    for number in 0..count {
        let send = message(&sender, &format!("caller-{caller}-message-{number}"));
        let start = Instant::now();
        pool.call(send).await.unwrap();
        took.push(start.elapsed().as_secs_f64());
    }
    took
}
