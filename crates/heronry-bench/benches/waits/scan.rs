//! Sends while a wake's earlier events are looked through beside the pool.

use std::sync::Arc;

use heronry_event::{Filter, StreamItem};
use heronry_pool::decide::{RegisterWake, Viewer, WakeRequest};
use heronry_runtime::{EventQuery, Follow, OnTrimmed, ReadFrom, Runtime, RuntimeOptions};
use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use heronry_types::Since;
use tokio::task::JoinHandle;

use crate::{
    dice::Dice,
    filters::filter_of_others,
    report::{line, median},
    send::{WaitBench, key, reader},
};

/// Rounds of each pair.
const ROUNDS: usize = 5;

/// Prints what a send costs while nobody looks back, and while a wake looks through so many events.
pub(crate) async fn run(events: u64, callers: usize) {
    let store = Store::of(Arc::new(MemoryStore::new()));
    let runtime = Runtime::new(store, RuntimeOptions::new([7; 32], "bench"));
    let bench = WaitBench::open(&runtime, "long").await;
    let mut rounds = 0..;
    while bench.pool.head().position.0 < events {
        bench.send(rounds.next().unwrap(), callers).await;
    }
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        alone.push(bench.send(rounds.next().unwrap(), callers).await[0]);
        let looking = bench.look_back(number).await;
        loop {
            let sent = bench.send(rounds.next().unwrap(), callers).await;
            // What was sent while it ended is of neither kind.
            if looking.is_finished() {
                break;
            }
            beside.push(sent[0]);
        }
        looking.await.unwrap();
    }
    let looked = beside.len();
    let (alone, beside) = (median(&mut alone), median(&mut beside));
    line(&format!(
        "send, {callers:>3} callers: {alone:.2} µs, and {beside:.2} µs while a wake looks through \
         {events} events ({looked} rounds), ratio {:.2}",
        beside / alone
    ));
    runtime.shutdown().await;
}

impl WaitBench {
    /// Registers a wake for what never was, since the start; what is returned ends with its scan.
    async fn look_back(&self, number: usize) -> JoinHandle<()> {
        let query = EventQuery {
            viewer: Viewer::Operator,
            filter: Filter::compile(r#"kind == "wake_condition_scanned""#).unwrap(),
            from: ReadFrom::Cursor(self.pool.head()),
            on_trimmed: OnTrimmed::Error,
        };
        let mut stream = self.pool.subscribe(query, Follow::Live).await.unwrap();
        let mut request = WakeRequest::new(
            filter_of_others(number, &mut Dice::new(2)),
            key("look", number),
        );
        request.since = Since::Start;
        let wake = RegisterWake::new(self.reader.clone(), reader(), request);
        self.pool.call(wake).await.unwrap();
        tokio::spawn(async move { while !is_event(stream.next().await.unwrap().as_ref()) {} })
    }
}

fn is_event(item: Option<&StreamItem>) -> bool {
    matches!(item, Some(StreamItem::Event(_)))
}
