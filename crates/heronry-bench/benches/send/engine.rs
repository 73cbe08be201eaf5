//! Sends through the engine's public API.

use std::{path::Path, sync::Arc, time::Instant};

use heronry_pool::{
    Caller,
    decide::{AckCopies, ClaimSet, FetchMessages, Select},
};
use heronry_runtime::{Pool, Runtime, RuntimeOptions};
use heronry_store::Store;
use heronry_store_redb::RedbStore;
use heronry_types::{AckOutcome, Generation, Millis, PoolId, Position, ReceiveId};

use crate::message::{BODY, join as join_of, message, run_of, spec};

/// The number of callers at the same time, and the number of sends of each.
#[derive(Clone, Copy)]
pub(crate) struct Sends {
    pub(crate) callers: usize,
    pub(crate) each: usize,
}

impl Sends {
    pub(crate) fn total(self) -> usize {
        self.callers * self.each
    }
}

/// The numbers of written bytes and batches.
#[derive(Clone, Copy)]
pub(crate) struct SendCounts {
    pub(crate) sends: usize,
    pub(crate) commits: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) body_bytes: usize,
}

/// A pool with senders and a reader.
pub(crate) struct Bench {
    store: Store,
    runtime: Runtime,
    pool: Pool,
    reader: Caller,
    sender: Caller,
}

impl Bench {
    pub(crate) async fn on_redb(folder: &Path) -> Self {
        let store = RedbStore::create(folder.join("engine.redb")).unwrap();
        Self::on(Store::of(Arc::new(store))).await
    }

    pub(crate) async fn on(store: Store) -> Self {
        let runtime = Runtime::new(store.clone(), RuntimeOptions::new([7; 32], "bench"));
        let pool = runtime
            .open(&PoolId::parse("bench").unwrap(), spec())
            .await
            .unwrap()
            .pool;
        let reader = join(&pool, "reader-4f1c2b").await;
        let sender = join(&pool, "sender-9a07d3").await;
        Self {
            store,
            runtime,
            pool,
            reader,
            sender,
        }
    }

    pub(crate) async fn stop(self) {
        self.runtime.shutdown().await;
    }

    /// Sends with this many callers in flight, and returns how long it took, in seconds.
    pub(crate) async fn send(&self, sends: Sends) -> f64 {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let tasks: Vec<_> = (0..sends.callers)
            .map(|caller| {
                let (pool, sender) = (self.pool.clone(), self.sender.clone());
                tokio::spawn(send_each(pool, sender, caller, sends.each))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        start.elapsed().as_secs_f64()
    }

    /// Sends one by one, timed, then reads and acknowledges all of it, untimed; returns seconds.
    pub(crate) async fn send_and_settle(&self, count: usize) -> f64 {
        let mut took = 0.0;
        let head = self.pool.head().position.0;
        for batch in 0..count.div_ceil(500) {
            let left = (count - batch * 500).min(500);
            #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
            let start = Instant::now();
            for number in 0..left {
                let key = format!("at-{head}-{batch}-message-{number}");
                self.pool.call(message(&self.sender, &key)).await.unwrap();
            }
            took += start.elapsed().as_secs_f64();
            self.settle(&format!("at-{head}-{batch}")).await;
        }
        took
    }

    async fn settle(&self, receive_id: &str) {
        let run = run_of(&self.reader);
        let fetch = FetchMessages {
            caller: self.reader.clone(),
            run: run.clone(),
            receive_id: ReceiveId::parse(receive_id).unwrap(),
            max: 1_000,
            claim_ms: Millis::from_secs(60),
            select: Select::Any,
        };
        let items = self.pool.receive(fetch, Millis(0)).await.unwrap().items;
        let claims = items
            .iter()
            .filter_map(|item| item.claim.map(|(claim, _)| claim))
            .collect();
        let ack = AckCopies {
            caller: self.reader.clone(),
            run,
            claims: ClaimSet::These(claims),
            outcome: AckOutcome::Done,
            note: None,
        };
        self.pool.call(ack).await.unwrap();
    }

    /// Returns what the store was given for the sends.
    pub(crate) async fn shape(&self) -> SendCounts {
        let mut shape = SendCounts {
            sends: 0,
            commits: 0,
            chunk_bytes: 0,
            body_bytes: 0,
        };
        let mut after = Position(3);
        loop {
            let page = self
                .store
                .journal
                .read(self.pool.id(), after, 1 << 20)
                .await
                .unwrap();
            let Some(last) = page.chunks.last() else {
                return shape;
            };
            for chunk in &page.chunks {
                shape.commits += 1;
                shape.chunk_bytes += chunk.bytes().len();
                shape.sends += chunk.header().count as usize / 2;
                shape.body_bytes += chunk.header().count as usize / 2 * BODY.len();
            }
            after = last.last();
        }
    }
}

/// One caller: each send waits for the answer to the one before.
async fn send_each(pool: Pool, sender: Caller, caller: usize, count: usize) {
    for number in 0..count {
        let key = format!("caller-{caller}-message-{number}");
        pool.call(message(&sender, &key)).await.unwrap();
    }
}

async fn join(pool: &Pool, name: &str) -> Caller {
    let join = join_of(name);
    let run = join.run.clone();
    let generation: Generation = pool.call(join).await.unwrap().generation;
    Caller::Member { run, generation }
}
