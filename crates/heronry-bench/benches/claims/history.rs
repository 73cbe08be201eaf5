//! Sends in a pool with a long history, beside sends in one with a short history.

use std::{path::Path, time::Instant};

use heronry_pool::{
    Caller,
    decide::{
        AckCopies, ClaimSet, Content, FetchMessages, JoinPool, Select, SendMessage, SendRequest,
    },
};
use heronry_runtime::{Pool, Runtime, RuntimeOptions};
use heronry_types::{
    AckOutcome, Address, Body, Id, InstanceId, LimitName, Limits, Millis, PoolId, PoolSpec,
    ReceiveId, RunId,
};

use crate::{
    kept::{Kind, open, say},
    memory::resident,
    time::Moment,
};

/// Sends in each round, between which all are read and acknowledged.
const SENDS: u64 = 10_000;
/// Rounds of each pair.
const ROUNDS: u64 = 9;
/// The number of messages of the short history.
const SHORT: u64 = 1_000;

/// Prints the cost of a send after this many finished messages, and after a thousand.
pub(crate) async fn run((kind, name): (Kind, &str), folder: &Path, long: u64, callers: u64) {
    let runtime = Runtime::new(open(kind, folder), RuntimeOptions::new([7; 32], "bench"));
    let mut old = ClaimBench::open(&runtime, "old").await;
    let before = resident();
    while old.sent < long {
        old.send(SENDS, 256).await;
    }
    let bytes = (resident() - before) / long as f64;
    let mut samples: [Vec<f64>; 6] = Default::default();
    for round in 0..ROUNDS {
        let mut young = ClaimBench::open(&runtime, &format!("young-{round}")).await;
        young.send(SHORT, callers).await;
        let short = young.send(SENDS, callers).await;
        let long = old.send(SENDS, callers).await;
        let ratios = [long[0] / short[0], long[1] / short[1]];
        let round = short.into_iter().chain(long).chain(ratios);
        for (all, one) in samples.iter_mut().zip(round) {
            all.push(one);
        }
    }
    let [short, short_cpu, after, after_cpu, ratio, ratio_cpu] =
        samples.each_mut().map(|all| median(all));
    say(&format!(
        "{name} send, {callers:>3} callers: {short:.2} µs after {SHORT} messages, \
         {after:.2} µs after {long}, ratio {ratio:.2}; of the processors {short_cpu:.2} µs and \
         {after_cpu:.2} µs, ratio {ratio_cpu:.2}; {bytes:.0} B of memory for each finished message"
    ));
    runtime.shutdown().await;
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A pool with a sender and a reader.
struct ClaimBench {
    pool: Pool,
    reader: Caller,
    sender: Caller,
    sent: u64,
}

fn reader() -> RunId {
    RunId::parse("run-of-a-reader").unwrap()
}

fn sender() -> RunId {
    RunId::parse("run-of-a-sender").unwrap()
}

impl ClaimBench {
    async fn open(runtime: &Runtime, name: &str) -> Self {
        let mut limits = Limits::default();
        limits.set(LimitName::InboxDepthMax, 10_000_000);
        let spec = PoolSpec {
            limits: Some(limits),
            ..PoolSpec::default()
        };
        let name = PoolId::parse(name).unwrap();
        let pool = runtime.open(&name, spec).await.unwrap().pool;
        Self {
            reader: join(&pool, reader()).await,
            sender: join(&pool, sender()).await,
            pool,
            sent: 0,
        }
    }

    /// Sends with this many callers in flight, and returns microseconds for each: passed, and spent
    /// by the processors. All are finished in the end.
    async fn send(&mut self, sends: u64, callers: u64) -> [f64; 2] {
        let spent = Moment::of_process();
        let start = Instant::now();
        let each = sends.div_ceil(callers);
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let (pool, sender) = (self.pool.clone(), self.sender.clone());
                let first = self.sent + caller * each;
                let last = (first + each).min(self.sent + sends);
                tokio::spawn(send_each(pool, sender, first..last))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let micros = [start.elapsed().as_secs_f64() * 1e6, spent.micros()];
        self.sent += sends;
        self.settle().await;
        micros.map(|micros| micros / sends as f64)
    }

    /// Reads and acknowledges what was sent.
    async fn settle(&self) {
        for batch in 0.. {
            let fetch = FetchMessages {
                caller: self.reader.clone(),
                run: reader(),
                receive_id: ReceiveId::parse(format!("{}-{batch}", self.sent)).unwrap(),
                max: 1_000,
                claim_ms: Millis::from_secs(60),
                select: Select::Any,
            };
            let items = self.pool.receive(fetch, Millis(0)).await.unwrap().items;
            if items.is_empty() {
                break;
            }
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

async fn send_each(pool: Pool, caller: Caller, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let to = Address::Run { run_id: reader() };
        let body = Content::Inline(Body::new(Body::TEXT, [b'x'; 200]));
        let key = Id::parse(format!("send-{number:016}")).unwrap();
        let send = SendMessage::new(caller.clone(), sender(), SendRequest::new(to, body, key));
        pool.call(send).await.unwrap();
    }
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
