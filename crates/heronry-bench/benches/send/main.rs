//! Durable sends through the engine beside the bare store, and the cost of history.
//!
//! Each pair runs in turn, round by round, so that a ratio holds while the machine drifts.
//! `cargo bench -p heronry-bench --bench send` prints the tables; `-- redb`, `-- core` or `-- history` one of
//! them, `-- redb 256` one line.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark stops at the first surprise and prints rounded figures"
)]

mod bare;
mod core;
mod engine;
mod message;
mod report;

use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use std::sync::Arc;

use engine::{Bench, Sends};
use report::{Row, median};

/// Rounds of each pair.
const ROUNDS: usize = 7;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let (only, in_flight) = (words.first(), words.get(1));
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if wanted("redb") {
        for (callers, sends) in [(1, 1_500), (8, 6_000), (64, 40_000), (256, 100_000)] {
            if in_flight.is_some_and(|wanted| *wanted != callers.to_string()) {
                continue;
            }
            let row = tokio.block_on(against_bare(Sends {
                callers,
                each: sends / callers,
            }));
            report::print(&row);
        }
    }
    if wanted("core") {
        let rounds: Vec<_> = (0..ROUNDS).map(|_| core::send(200 * 256)).collect();
        let mut rules: Vec<f64> = rounds.iter().map(|(rules, _)| *rules).collect();
        let mut all: Vec<f64> = rounds.iter().map(|(_, all)| *all).collect();
        report::print_core(median(&mut rules), median(&mut all));
    }
    if wanted("history") {
        tokio.block_on(history());
    }
}

/// Sends through the engine on redb, then the same bytes in the same batches as bare redb rows.
async fn against_bare(sends: Sends) -> Row {
    let mut row = Row::new(sends.callers);
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::on_redb(folder.path()).await;
        let took = bench.send(sends).await;
        let shape = bench.shape().await;
        bench.stop().await;
        let bare = bare::commits(folder.path(), &shape);
        row.add(
            sends.total() as f64 / took,
            sends.total() as f64 / bare,
            shape,
        );
    }
    row
}

/// The cost of one send, with one caller, after 1 000 and after 100 000 earlier messages.
async fn history() {
    let mut ratios = Vec::new();
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bench = Bench::on(Store::of(Arc::new(MemoryStore::new()))).await;
        bench.send_and_settle(1_000).await;
        let after_1k = bench.send_and_settle(5_000).await;
        bench.send_and_settle(94_000).await;
        let after_100k = bench.send_and_settle(5_000).await;
        bench.stop().await;
        ratios.push(after_100k / after_1k);
        early.push(after_1k / 5_000.0);
        late.push(after_100k / 5_000.0);
    }
    report::print_history(median(&mut early), median(&mut late), median(&mut ratios));
}
