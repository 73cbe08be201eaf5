//! Matching one event against many waiting filters, and what they cost a send.
//!
//! `cargo bench -p heronry-bench --bench waits` prints the tables; `-- index`, `-- send` or `-- scan`
//! one of them; `--quick` makes everything small.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark stops at the first surprise and prints rounded figures"
)]

mod dice;
mod filters;
mod index;
mod report;
mod scan;
mod send;
mod time;

use filters::Shape;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let says = |word: &str| words.iter().any(|given| given == word);
    let all = !says("index") && !says("send") && !says("scan");
    let part = if says("--quick") { 10 } else { 1 };
    if all || says("index") {
        for shape in [Shape::Shared, Shape::Own] {
            for waits in [10_000, 100_000, 1_000_000] {
                index::run(shape, waits / part);
            }
        }
    }
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    for callers in [1, 64] {
        if all || says("send") {
            tokio.block_on(send::run(100_000 / part, callers));
        }
        if all || says("scan") {
            tokio.block_on(scan::run(1_000_000 / part as u64, callers));
        }
    }
}
