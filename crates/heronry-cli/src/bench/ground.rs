//! A pool to measure in: a sender, a reader, and the reference send.

use std::{fmt::Display, path::Path, sync::Arc};

use heronry_pool::{
    Caller,
    decide::{
        AckCopies, ClaimSet, Content, FetchMessages, JoinPool, Select, SendMessage, SendRequest,
    },
};
use heronry_runtime::{Pool, Runtime, RuntimeOptions};
use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_types::{
    AckOutcome, Address, Body, Correlation, Id, IdKind, IdempotencyKey, LimitName, Limits, Millis,
    PoolSpec, RunId, TopicId,
};

use super::{row::figure, watch::Watch};
use crate::{
    failure::Failure,
    host::{MarkFile, StoreChoice},
};

/// The body of every message.
pub(crate) const BODY: &[u8] = &[b'x'; 200];

/// The most messages that a reader takes at once.
const TAKEN: u64 = 1_000;
/// The rounds of keys that a ground leaves to those that were on the same store before.
const AGAIN: usize = 1 << 40;

/// Ends the measurement at the first surprise.
pub(crate) trait OrStop<T> {
    fn or_stop(self) -> Result<T, Failure>;
}

impl<T, E: Display> OrStop<T> for Result<T, E> {
    fn or_stop(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::failed(format_args!("the measurement stopped: {error}")))
    }
}

/// Returns an id made of a word and a number.
pub(crate) fn id<K: IdKind>(word: &str, number: usize) -> Result<Id<K>, Failure> {
    Id::parse(format!("{word}-{number:07}")).or_stop()
}

/// The number of callers at the same time, and the number of sends of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sends {
    pub(crate) callers: usize,
    pub(crate) each: usize,
}

impl Sends {
    /// Returns sends of this many callers, `total` together.
    pub(crate) fn of(callers: usize, total: usize) -> Self {
        Self {
            callers,
            each: (total / callers).max(1),
        }
    }

    /// Returns one of so many equal parts.
    pub(crate) fn part(self, parts: usize) -> Self {
        Self {
            each: (self.each / parts).max(1),
            ..self
        }
    }

    pub(crate) fn total(self) -> f64 {
        figure(self.callers * self.each)
    }
}

/// A pool with a sender and a reader.
pub(crate) struct Ground {
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) sender: Caller,
    pub(crate) reader: Caller,
    runtime: Runtime,
    /// The number of rounds of keys that were used.
    rounds: usize,
}

impl Ground {
    pub(crate) async fn in_memory() -> Result<Self, Failure> {
        Self::on(Store::of(Arc::new(MemoryStore::new()))).await
    }

    pub(crate) async fn on_redb(file: &Path) -> Result<Self, Failure> {
        let store = RedbStore::create(file).or_stop()?;
        Self::on(Store::of(Arc::new(store))).await
    }

    /// As a server has it: the mark beside the store follows.
    pub(crate) async fn on_marked_redb(file: &Path) -> Result<Self, Failure> {
        let store = Store::of(Arc::new(RedbStore::create(file).or_stop()?));
        let mark = MarkFile::of(&StoreChoice::Redb(file.to_owned()));
        Self::on(match mark {
            Some(mark) => mark.keep(store).store,
            None => store,
        })
        .await
    }

    async fn on(store: Store) -> Result<Self, Failure> {
        let runtime = Runtime::new(store.clone(), RuntimeOptions::new([7; 32], "bench"));
        let pool = runtime.open(&id("pool", 1)?, spec()).await.or_stop()?.pool;
        let reader = join(&pool, id("reader", 1)?, &[]).await?;
        let sender = join(&pool, id("sender", 1)?, &[]).await?;
        Ok(Self {
            store,
            pool,
            sender,
            reader,
            runtime,
            rounds: 0,
        })
    }

    /// Goes on in a store that a ground was on before.
    pub(crate) async fn again(store: Store) -> Result<Self, Failure> {
        let mut ground = Self::on(store).await?;
        // Keys of earlier rounds are not used again.
        ground.rounds = AGAIN;
        Ok(ground)
    }

    pub(crate) async fn stop(self) {
        self.runtime.shutdown().await;
    }

    /// Sends to the reader with this many callers in flight; returns the seconds that passed, and
    /// the microseconds of each send.
    pub(crate) async fn send(&mut self, sends: Sends) -> Result<(f64, Vec<f64>), Failure> {
        self.rounds += 1;
        let start = Watch::start();
        let tasks: Vec<_> = (0..sends.callers)
            .map(|caller| {
                let (pool, sender) = (self.pool.clone(), self.sender.clone());
                let first = caller * sends.each;
                let numbers = first..first + sends.each;
                let word = format!("round-{}-message", self.rounds);
                tokio::spawn(async move { send_each(&pool, &sender, &word, numbers).await })
            })
            .collect();
        let mut latencies = Vec::with_capacity(sends.callers * sends.each);
        for task in tasks {
            latencies.extend(task.await.or_stop()??);
        }
        Ok((start.seconds(), latencies))
    }

    /// The reader takes everything that waits for it and acknowledges it.
    pub(crate) async fn settle(&mut self) -> Result<(), Failure> {
        loop {
            self.rounds += 1;
            let run = run_of(&self.reader)?;
            let fetch = FetchMessages {
                caller: self.reader.clone(),
                run: run.clone(),
                receive_id: id("receive", self.rounds)?,
                max: TAKEN,
                claim_ms: Millis::from_secs(60),
                select: Select::Any,
            };
            let items = self.pool.receive(fetch, Millis(0)).await.or_stop()?.items;
            if items.is_empty() {
                return Ok(());
            }
            let claims = items.iter().filter_map(|item| item.claim);
            let ack = AckCopies {
                caller: self.reader.clone(),
                run,
                claims: ClaimSet::These(claims.map(|(claim, _)| claim).collect()),
                outcome: AckOutcome::Done,
                note: None,
            };
            self.pool.call(ack).await.or_stop()?;
        }
    }
}

/// Sends as one caller: each send waits for the answer to the one before.
async fn send_each(
    pool: &Pool,
    sender: &Caller,
    word: &str,
    numbers: std::ops::Range<usize>,
) -> Result<Vec<f64>, Failure> {
    let mut latencies = Vec::with_capacity(numbers.len());
    for number in numbers {
        let to = Address::Run {
            run_id: id("reader", 1)?,
        };
        let start = Watch::start();
        let send = message(sender, to, id(word, number)?)?;
        pool.call(send).await.or_stop()?;
        latencies.push(start.micros());
    }
    Ok(latencies)
}

/// Returns the request of the reference send: 200 bytes, one correlation, a key.
pub(crate) fn request(to: Address, key: IdempotencyKey) -> Result<SendRequest, Failure> {
    let body = Content::Inline(Body::new(Body::TEXT, BODY));
    let mut request = SendRequest::new(to, body, key);
    request.correlation = Correlation::from_iter([(id("ticket", 1)?, id("value", 1)?)]);
    Ok(request)
}

/// Returns the reference send.
pub(crate) fn message(
    sender: &Caller,
    to: Address,
    key: IdempotencyKey,
) -> Result<SendMessage, Failure> {
    Ok(SendMessage::new(
        sender.clone(),
        run_of(sender)?,
        request(to, key)?,
    ))
}

pub(crate) async fn join(pool: &Pool, run: RunId, topics: &[TopicId]) -> Result<Caller, Failure> {
    let join = JoinPool {
        caller: Caller::Operator,
        run: run.clone(),
        agent: id("agent", 1)?,
        session: None,
        topics: topics.to_vec(),
        policies: None,
        instance: id("instance", 1)?,
        lease: None,
    };
    let generation = pool.call(join).await.or_stop()?.generation;
    Ok(Caller::Member { run, generation })
}

pub(crate) fn run_of(caller: &Caller) -> Result<RunId, Failure> {
    match caller {
        Caller::Member { run, .. } => Ok(run.clone()),
        Caller::Operator => id("sender", 1),
    }
}

/// A pool whose limits let every measurement pass.
fn spec() -> PoolSpec {
    let mut limits = Limits::default();
    limits.set(LimitName::InboxDepthMax, 10_000_000);
    limits.set(LimitName::LiveWakesPerRunMax, 1_000_000);
    PoolSpec {
        limits: Some(limits),
        ..PoolSpec::default()
    }
}
