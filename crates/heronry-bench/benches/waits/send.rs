//! Sends through the engine beside waits that they come near to and do not end.

use std::{sync::Arc, time::Instant};

use heronry_pool::{
    Caller,
    decide::{
        AckCopies, ClaimSet, Content, FetchMessages, JoinPool, RegisterWake, Select, SendMessage,
        SendRequest, WakeRequest,
    },
};
use heronry_runtime::{Pool, Runtime, RuntimeOptions};
use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use heronry_types::{
    AckOutcome, Address, Body, Correlation, Id, IdempotencyKey, InstanceId, LimitName, Limits,
    Millis, PoolId, PoolSpec, ReceiveId, RunId,
};

use crate::{
    dice::Dice,
    filters::{filter_of_others, id, ticket},
    report::{line, median},
    time::Moment,
};

/// Sends in each round.
const SENDS: usize = 12_800;
/// Rounds of each pair.
const ROUNDS: usize = 9;

/// Prints what a send costs with this many waits and with none, round by round.
pub(crate) async fn run(waits: usize, callers: usize) {
    let store = Store::of(Arc::new(MemoryStore::new()));
    let runtime = Runtime::new(store, RuntimeOptions::new([7; 32], "bench"));
    let quiet = WaitBench::open(&runtime, "quiet").await;
    let waited = WaitBench::open(&runtime, "waited").await;
    waited.wait(waits).await;
    let mut samples: [Vec<f64>; 6] = Default::default();
    for round in 0..ROUNDS {
        let alone = quiet.send(round, callers).await;
        let beside = waited.send(round, callers).await;
        let ratios = [beside[0] / alone[0], beside[1] / alone[1]];
        let round = alone.into_iter().chain(beside).chain(ratios);
        for (all, one) in samples.iter_mut().zip(round) {
            all.push(one);
        }
    }
    let [alone, alone_cpu, beside, beside_cpu, ratio, ratio_cpu] =
        samples.each_mut().map(|all| median(all));
    line(&format!(
        "send, {callers:>3} callers: {alone:.2} µs without waits, {beside:.2} µs with {waits}, \
         ratio {ratio:.2}; of the processors {alone_cpu:.2} µs and {beside_cpu:.2} µs, \
         ratio {ratio_cpu:.2}"
    ));
    runtime.shutdown().await;
}

/// A pool with a sender and a reader, who also waits.
pub(crate) struct WaitBench {
    pub(crate) pool: Pool,
    pub(crate) reader: Caller,
    sender: Caller,
}

pub(crate) fn reader() -> RunId {
    id("run", 1)
}

fn sender() -> RunId {
    id("run", 2)
}

impl WaitBench {
    pub(crate) async fn open(runtime: &Runtime, name: &str) -> Self {
        let mut limits = Limits::default();
        limits.set(LimitName::InboxDepthMax, 10_000_000);
        limits.set(LimitName::LiveWakesPerRunMax, 1_000_000);
        let spec = PoolSpec {
            limits: Some(limits),
            ..PoolSpec::default()
        };
        let name = PoolId::parse(name).unwrap();
        let pool = runtime.open(&name, spec).await.unwrap().pool;
        let reader = join(&pool, reader()).await;
        let sender = join(&pool, sender()).await;
        Self {
            pool,
            reader,
            sender,
        }
    }

    async fn wait(&self, waits: usize) {
        let mut dice = Dice::new(1);
        for number in 0..waits {
            let filter = filter_of_others(number, &mut dice);
            let request = WakeRequest::new(filter, key("wait", number));
            let wake = RegisterWake::new(self.reader.clone(), reader(), request);
            self.pool.call(wake).await.unwrap();
        }
    }

    /// Sends with this many callers in flight, and returns microseconds for each: passed, and spent
    /// by the processors.
    pub(crate) async fn send(&self, round: usize, callers: usize) -> [f64; 2] {
        let spent = Moment::of_process();
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let (pool, sender) = (self.pool.clone(), self.sender.clone());
                let first = (round * callers + caller) * SENDS;
                tokio::spawn(send_each(pool, sender, first..first + SENDS / callers))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let micros = [start.elapsed().as_secs_f64() * 1e6, spent.micros()];
        self.settle(round).await;
        micros.map(|micros| micros / SENDS as f64)
    }

    /// Reads and acknowledges what was sent.
    async fn settle(&self, round: usize) {
        for batch in 0..SENDS.div_ceil(1_000) {
            let fetch = FetchMessages {
                caller: self.reader.clone(),
                run: reader(),
                receive_id: ReceiveId::parse(format!("{round}-{batch}")).unwrap(),
                max: 1_000,
                claim_ms: Millis::from_secs(60),
                select: Select::Any,
            };
            let items = self.pool.receive(fetch, Millis(0)).await.unwrap().items;
            let claims = items.iter().filter_map(|item| item.claim);
            let ack = AckCopies {
                caller: self.reader.clone(),
                run: reader(),
                claims: ClaimSet::These(claims.map(|(claim, _)| claim).collect()),
                outcome: AckOutcome::Done,
                note: None,
            };
            self.pool.call(ack).await.unwrap();
        }
    }
}

async fn send_each(pool: Pool, caller: Caller, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let to = Address::Run { run_id: reader() };
        let body = Content::Inline(Body::new(Body::TEXT, [b'x'; 200]));
        let mut request = SendRequest::new(to, body, key("send", number));
        request.correlation = Correlation::from_iter([(ticket(), id("value", 3))]);
        let send = SendMessage::new(caller.clone(), sender(), request);
        pool.call(send).await.unwrap();
    }
}

pub(crate) fn key(kind: &str, number: usize) -> IdempotencyKey {
    id(kind, number)
}

async fn join(pool: &Pool, run: RunId) -> Caller {
    let join = JoinPool {
        caller: Caller::Operator,
        run: run.clone(),
        agent: Id::parse("agent-0000001").unwrap(),
        session: None,
        topics: Vec::new(),
        policies: None,
        instance: InstanceId::parse("bench").unwrap(),
        lease: None,
    };
    let generation = pool.call(join).await.unwrap().generation;
    Caller::Member { run, generation }
}
